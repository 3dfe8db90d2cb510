// Disable 2FA: what would happen, why, the password, and what is true afterwards.

import { card, el, freshId, linkButton } from "../dom.js";
import { passwordField, proofField, wantsCode } from "../fields.js";
import { form } from "../form.js";
import { momentText, t } from "../language.js";
import { contact } from "../support.js";

const REASONS = ["new_phone", "lost_phone", "switching_method", "not_wanted", "other"];

export async function disable(app, page) {
  const status = await app.client.status();
  if (!status.actions.disable.allowed) return app.replace(status.actions.manage.allowed ? "#/manage" : "#/");
  const preview = await app.client.previewDisable();
  page.show(() => ({
    title: t("disable"),
    body: [
      el("p", { class: "lead" }, t("disable.why")),
      consequences(preview),
      preview.blocked_by
        ? el("div", { class: "alert" }, el("p", null, t("disable.blocked", preview.blocked_by)), contact(status.support))
        : el("div", { class: "card" }, disableForm(app, page, { status, preview })),
    ],
  }));
}

function consequences({ would_revoke: gone, login }) {
  return card(t("disable.what"), el("ul", null,
    el("li", null, t("disable.methods", gone.methods)),
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
        el("p", null, t("disabled.login")),
        answer.reminder_at && el("p", null, t("reminder", momentText(answer.reminder_at))),
        el("div", { class: "buttons" },
          linkButton("#/set-up", "main", t("set-up.again")),
          linkButton("#/", "quiet", t("back")))),
    ],
  };
}
