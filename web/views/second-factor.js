// The second factor of a sign-in.

import { el } from "../dom.js";
import { proofField } from "../fields.js";
import { form } from "../form.js";
import { t } from "../language.js";
import { contact, publishedContact } from "../support.js";

export async function secondFactor(app, page) {
  // The challenge lives in memory: after a reload there is none, and the password is asked for again.
  const { challenge } = app;
  if (!challenge) return app.replace("#/sign-in");
  const support = await publishedContact(app);
  page.show(() => ({
    title: t("second-factor"),
    body: [
      el("div", { class: "card narrow" }, el("p", null, t("second-factor.why")), proofForm(app, challenge)),
      el("section", { class: "narrow aside" }, el("h2", null, t("no-factor")), el("p", null, t("no-factor.what")), contact(support)),
    ],
  }));
}

function proofForm(app, { challenge, methods }) {
  return form(app, {
    fields: [proofField(methods)],
    label: t("second-factor"),
    submit: t("sign-in"),
    isChange: false,
    cancel: "#/sign-in",
    send: async (proof) => {
      await app.client.answer(challenge, proof);
      app.signedIn();
    },
    onRefused: (error) => {
      if (error.code !== "challenge-expired") return false;
      app.challenge = null;
      app.notice(t("challenge-expired"));
      app.replace("#/sign-in");
      return true;
    },
  });
}
