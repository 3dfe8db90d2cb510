// "It wasn't me": the link in the mail about a disable takes it back, with a new password.

import { el, linkButton } from "../dom.js";
import { passwordField } from "../fields.js";
import { form } from "../form.js";
import { momentText, t } from "../language.js";
import { forgetLink, linkToken } from "../link.js";
import { contact, publishedContact } from "../support.js";

export async function undo(app, page) {
  const token = linkToken();
  const [told, policy, support] = await Promise.all([token && look(app, token), app.client.policy(), publishedContact(app)]);
  if (!told) return gone(page, support);
  page.show(() => ({
    title: t("undo"),
    body: [
      el("p", { class: "lead" }, t("undo.what", momentText(told.disabled_at))),
      el("ul", null, ...told.methods.map(({ label }) => el("li", null, label))),
      el("p", null, t("undo.means")),
      el("p", { class: "small" }, t("undo.until", momentText(told.expires_at))),
      el("div", { class: "card narrow" }, undoForm(app, page, { token, limits: policy.password, support })),
    ],
  }));
}

/** What the link would take back; nothing where it is not good any more. */
async function look(app, token) {
  try {
    return await app.client.previewUndo(token);
  } catch (error) {
    if (error.code === "link-expired") return null;
    throw error;
  }
}

function gone(page, support) {
  forgetLink();
  page.show(() => ({ title: t("undo"), body: [el("div", { role: "alert", class: "alert" }, el("p", null, t("link.gone"))), contact(support)] }));
}

function undoForm(app, page, { token, limits, support }) {
  const first = passwordField({
    name: "new_password", label: t("password.new"), autocomplete: "new-password", hint: t("password.hint", limits.min_bytes, limits.max_bytes),
  });
  const second = passwordField({ name: "repeated", label: t("password.again"), autocomplete: "new-password" });
  const isThere = second.check;
  second.check = () => isThere() || (second.input.value === first.input.value ? "" : t("password.differs"));
  return form(app, {
    fields: [first, second],
    label: t("undo"),
    submit: t("undo.do"),
    send: async ({ new_password }) => {
      const done = await app.client.undo(token, new_password);
      forgetLink();
      page.show(() => ({
        title: t("undo.done"),
        body: [
          el("p", { class: "lead" }, t("undo.restored", done.restored.methods)),
          el("ol", null, ...["undo.next.sign-in", "undo.next.codes", "undo.next.support"].map((key) => el("li", null, t(key)))),
          contact(support),
          linkButton("#/sign-in", "main", t("sign-in")),
        ],
      }));
    },
    onRefused: (error) => {
      if (error.code !== "link-expired") return false;
      gone(page, support);
      return true;
    },
  });
}
