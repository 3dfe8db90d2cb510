// Disable 2FA: what would happen, why, the password, and what is true afterwards.

import { card, el, freshId, linkButton } from "../dom.js";
import { passwordField, proofField, wantsCode } from "../fields.js";
import { form } from "../form.js";
import { offeredKinds } from "../kinds.js";
import { momentText, t } from "../language.js";
import { contact } from "../support.js";

const REASONS = ["new_phone", "lost_phone", "switching_method", "not_wanted", "other"];

export async function disable(app, page) {
  const status = await app.client.status();
  const { allowed, reason } = status.actions.disable;
  if (reason === "forbidden-by-policy") return page.show(() => forbidden(status));
  if (!allowed) return app.replace(status.actions.manage.allowed ? "#/manage" : "#/");
  const preview = await app.client.previewDisable();
  page.show(() => ({
    title: t("disable"),
    body: [
      el("p", { class: "lead" }, t("disable.why")),
      preview.alternatives.includes("replace") && instead(status),
      consequences(status, preview),
      preview.blocked_by
        ? el("div", { class: "alert" }, el("p", null, t("disable.blocked", preview.blocked_by)), contact(status.support))
        : el("div", { class: "card" }, disableForm(app, page, { status, preview })),
    ],
  }));
}

/** What the policy leaves is said instead of what it forbids. */
function forbidden(status) {
  const { add, replace } = status.actions;
  return {
    title: t("disable"),
    body: [
      el("p", { class: "alert mild" }, t("disable.policy")),
      card(t("disable.possible"), el("div", { class: "buttons" },
        replace.allowed && linkButton(switchPath(status), "main", t("switch")),
        add.allowed && linkButton("#/manage/add", "quiet", t("add")),
        linkButton("#/manage", "quiet", t("manage")))),
      contact(status.support),
    ],
  };
}

/** Where another kind takes the place of a method: at that method where there is one alone. */
function switchPath({ methods }) {
  return methods.length === 1 ? `#/manage/switch/${methods[0].id}` : "#/manage";
}

/** Another kind is one step and leaves no gap: it is offered before anything is switched off. */
function instead(status) {
  const others = offeredKinds(status).filter((kind) => !status.methods.some(({ type }) => type === kind));
  if (others.length === 0 || !status.actions.replace.allowed) return null;
  return card(t("switch"), el("p", null, t("switch.offer")), el("p", null, linkButton(switchPath(status), "main", t("switch"))));
}

function consequences({ methods }, { would_revoke: gone, login }) {
  const named = methods.map(({ label, type }) => el("li", null, label === t(`kind.${type}`) ? label : `${label} (${t(`kind.${type}`)})`));
  return card(t("disable.what"), el("ul", null,
    el("li", null, t("disable.methods", gone.methods), el("ul", null, ...named)),
    el("li", null, t("disable.codes", gone.recovery_codes)),
    gone.sessions > 0 && el("li", null, t("disable.sessions", gone.sessions)),
    login === "password" && el("li", null, t("disable.login"))));
}

function disableForm(app, page, { status, preview }) {
  const reason = reasonField({ status, preview });
  const fields = [reason, passwordField()];
  if (wantsCode(preview)) fields.push(proofField());
  return form(app, {
    fields,
    label: t("disable"),
    submit: t("disable"),
    kind: "danger",
    cancel: "#/manage",
    send: async (values) => {
      const answer = await app.client.disable(values);
      page.show(() => disabled(answer));
    },
  });
}

/** Why. Who only changes phones is shown the way that leaves no gap. */
function reasonField({ status, preview }) {
  const offer = el("div", { class: "offer", "aria-live": "polite" });
  const group = freshId("reason");
  let chosen = null;
  const choose = (reason) => {
    chosen = reason;
    offer.replaceChildren(...better(reason, { status, preview }));
  };
  const choices = REASONS.map((reason) => {
    const id = freshId(reason);
    const input = el("input", { type: "radio", id, name: group, onchange: () => choose(reason) });
    return el("div", { class: "choice" }, input, el("label", { for: id }, t(`reason.${reason}`)));
  });
  return {
    node: el("fieldset", null, el("legend", null, t("reason")), ...choices, offer),
    name: "reason",
    describe: () => {},
    check: () => "",
    read: () => (chosen ? { reason: chosen } : {}),
  };
}

function better(reason, { status, preview }) {
  const { actions, methods } = status;
  const canMove = preview.alternatives.includes("replace") && actions.replace.allowed;
  const path = methods.length === 1 ? `#/manage/move/${methods[0].id}` : "#/manage";
  if (canMove && (reason === "new_phone" || reason === "lost_phone")) {
    return [el("p", null, t(`offer.${reason}`)), linkButton(path, "main", t("move"))];
  }
  if (reason === "switching_method" && actions.add.allowed) {
    return [el("p", null, t("offer.switching_method")), linkButton("#/manage/add", "main", t("add"))];
  }
  return [];
}

function disabled(answer) {
  return {
    title: t("disabled"),
    body: [
      el("div", { class: "card" },
        el("p", { class: "alert mild", role: "status" }, answer.message),
        el("p", null, t("disabled.what", answer.revoked.methods, answer.revoked.recovery_codes)),
        answer.revoked.sessions > 0 && el("p", null, t("sessions.ended", answer.revoked.sessions)),
        el("p", null, t(answer.ended?.some((kind) => kind !== "totp") ? "disabled.login.any" : "disabled.login")),
        answer.reminder_at && el("p", null, t("reminder", momentText(answer.reminder_at))),
        el("div", { class: "buttons" },
          linkButton("#/set-up", "main", t("set-up.again")),
          linkButton("#/", "quiet", t("back")))),
    ],
  };
}
