// The Account Security tab: how the account stands, and the one thing to do next.

import { actionButton } from "../action.js";
import { card, el, linkButton, row } from "../dom.js";
import { moment, momentText, t } from "../language.js";
import { askForProof } from "../step-up.js";

export async function overview(app, page) {
  const account = await app.client.overview();
  page.show(() => ({ title: t("security"), body: [protection(account.two_factor), checkup(app, account.two_factor), details(account)] }));
}

function protection(status) {
  const { setup, manage } = status.actions;
  const badge = el("span", { class: `badge ${status.enabled ? "on" : "off"}` }, t(status.enabled ? "on" : "off"));
  return card(t("two-factor"),
    el("p", { class: "standing" }, badge, " ", status.enabled ? t("on.since", momentText(status.since)) : t("off.now")),
    el("p", null, t(meaning(status))),
    !status.enabled && status.required?.until && el("p", { class: "alert mild" }, t("required", momentText(status.required.until))),
    !status.enabled && status.disabled_at && el("p", { class: "small" }, t("off.since", momentText(status.disabled_at))),
    !status.enabled && status.reminder_at && el("p", { class: "small" }, t("reminder", momentText(status.reminder_at))),
    status.restricted_until && el("p", { class: "small" }, t("held", momentText(status.restricted_until))),
    status.enabled && status.recovery_codes?.remaining <= 3 && el("p", { class: "alert mild" }, t("codes.few", status.recovery_codes.remaining)),
    el("div", { class: "buttons" },
      setup.allowed && linkButton("#/set-up", "main", t("set-up")),
      manage.allowed && linkButton("#/manage", "main", t("manage"))));
}

function meaning({ enabled, methods }) {
  if (!enabled) return "off.means";
  return methods.every(({ type }) => type === "totp") ? "on.means" : "on.means.any";
}

/** Whether the second factor still works is asked before the day when it is needed. */
function checkup(app, { checkup_due_at: due, recovery_codes: codes }) {
  if (!due || Date.parse(due) > Date.now()) return null;
  const check = () => askForProof(app, async (proof) => {
    await app.client.verify(proof);
    app.notice(t("checkup.done"));
    app.reload();
  }, "checkup");
  return card(t("checkup"),
    el("p", null, t("checkup.why")),
    codes && el("p", null, t("codes.left-of", codes.remaining, codes.total)),
    actionButton(app, { label: t("checkup.do"), kind: "main", run: check, isChange: false }));
}

function details(account) {
  return card(t("account"),
    el("dl", null,
      row(t("email"), account.email),
      row(t("password.changed"), moment(account.password_changed_at), " ", el("a", { href: "#/password" }, t("password.change"))),
      row(t("two-factor"), account.two_factor.enabled ? t("on.since", momentText(account.two_factor.since)) : t("off")),
      row(t("sessions"), t("sessions.count", account.sessions), " ", el("a", { href: "#/sessions" }, t("sessions.see"))),
      row(t("partners"), el("a", { href: "#/partners" }, t("partners.see")))));
}
