// Another password. Every other session ends with the old one.

import { el } from "../dom.js";
import { passwordField, proofField, wantsCode } from "../fields.js";
import { form } from "../form.js";
import { t } from "../language.js";

export async function change(app, page) {
  const [{ email, two_factor: status }, policy] = await Promise.all([app.client.overview(), app.client.policy()]);
  page.show(() => ({
    title: t("password.change"),
    body: [el("p", { class: "lead" }, t("password.why")), el("div", { class: "card narrow" }, passwordForm(app, { email, status, limits: policy.password }))],
  }));
}

function passwordForm(app, { email, status, limits }) {
  const old = passwordField({ name: "current_password", label: t("password.current") });
  const next = passwordField({
    name: "new_password", label: t("password.new"), autocomplete: "new-password", hint: t("password.hint", limits.min_bytes, limits.max_bytes),
  });
  const fields = [old, next];
  // While two-factor authentication is on, this takes the same proofs as managing it.
  if (status.enabled && wantsCode(status.actions.disable)) fields.push(proofField());
  // A password manager must know whose password this is.
  const whose = el("input", { type: "email", autocomplete: "username", value: email, hidden: true, readonly: true });
  return form(app, {
    fields,
    body: [whose, ...fields.map((field) => field.node)],
    label: t("password.change"),
    submit: t("password.change"),
    send: async (values) => {
      await app.client.changePassword(values);
      app.notice(t("password.done"));
      app.replace("#/");
    },
  });
}
