// No more reminders that two-factor authentication is off: one button, by the link in one of them.

import { el, linkButton } from "../dom.js";
import { form } from "../form.js";
import { t } from "../language.js";
import { forgetLink, linkToken } from "../link.js";

export async function reminders(app, page) {
  const token = linkToken();
  if (!token) return gone(page);
  page.show(() => ({
    title: t("reminders"),
    body: [el("p", { class: "lead" }, t("reminders.why")), el("div", { class: "card narrow" }, stopForm(app, page, token))],
  }));
}

function gone(page) {
  forgetLink();
  page.show(() => ({ title: t("reminders"), body: [el("div", { role: "alert", class: "alert" }, el("p", null, t("reminders.gone")))] }));
}

function stopForm(app, page, token) {
  return form(app, {
    fields: [],
    label: t("reminders"),
    submit: t("reminders.stop"),
    send: async () => {
      await app.client.stopReminders(token);
      forgetLink();
      page.show(() => ({
        title: t("reminders"),
        body: [el("p", { class: "lead" }, t("reminders.stopped")), linkButton("#/", "main", t("back"))],
      }));
    },
    onRefused: (error) => {
      if (error.code !== "link-expired") return false;
      gone(page);
      return true;
    },
  });
}
