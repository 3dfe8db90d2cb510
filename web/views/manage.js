// Manage two-factor authentication: the authenticators, the recovery codes, and the way out.

import { card, el, linkButton, row, unseen } from "../dom.js";
import { offeredKinds } from "../kinds.js";
import { moment, t } from "../language.js";
import { contact } from "../support.js";

export async function manage(app, page) {
  const status = await app.client.status();
  if (!status.actions.manage.allowed) return app.replace("#/");
  page.show(() => ({
    title: t("manage"),
    body: [methods(status), recovery(status), wayOut(status.actions.disable), contact(status.support)],
  }));
}

function methods(status) {
  const { actions } = status;
  return card(t("methods"),
    el("ul", { class: "things" }, ...status.methods.map((method) => thing(method, status))),
    actions.add.allowed && el("div", { class: "buttons" }, linkButton("#/manage/add", "quiet", t("add"))));
}

function thing(method, { methods, actions, kinds }) {
  const isMovable = kinds.includes(method.type);
  const others = offeredKinds({ kinds }).filter((kind) => kind !== method.type);
  const link = (path, key) => linkButton(`#/manage/${path}/${method.id}`, "quiet small-button", t(key), unseen(method.label));
  return el("li", null,
    el("h3", null, method.label),
    el("dl", null,
      row(t("kind"), t(`kind.${method.type}`)),
      row(t("added"), moment(method.created_at)),
      row(t("last-used"), method.last_used_at ? moment(method.last_used_at) : t("never"))),
    el("div", { class: "buttons" },
      actions.replace.allowed && isMovable && link("move", method.type === "totp" ? "move" : "replace"),
      actions.replace.allowed && others.length > 0 && link("switch", "switch"),
      link("rename", "rename"),
      methods.length > 1 && link("remove", "remove")));
}

function recovery({ recovery_codes: codes, actions }) {
  if (!codes) return null;
  return card(t("recovery-codes"),
    el("p", null, t("codes.left-of", codes.remaining, codes.total)),
    codes.remaining <= 3 && el("p", { class: "alert mild" }, t("codes.few", codes.remaining)),
    el("p", { class: "small" }, t("codes.made"), " ", moment(codes.generated_at)),
    actions.regenerate_recovery_codes.allowed &&
      el("div", { class: "buttons" }, linkButton("#/manage/recovery-codes", "quiet", t("codes.new"))));
}

function wayOut({ allowed, reason }) {
  if (reason === "forbidden-by-policy") return card(t("disable.title"), el("p", null, t("disable.policy")));
  return allowed && card(t("disable.title"),
    el("p", null, t("disable.short")),
    el("div", { class: "buttons" }, linkButton("#/manage/disable", "danger-line", t("disable"))));
}
