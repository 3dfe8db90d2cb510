// Sign in: e-mail and password.

import { el } from "../dom.js";
import { passwordField, textField } from "../fields.js";
import { form } from "../form.js";
import { t } from "../language.js";
import { contact, publishedContact } from "../support.js";

export async function signIn(app, page) {
  if (app.client.isSignedIn) return app.replace("#/");
  page.show(() => ({ title: t("sign-in"), body: [el("div", { class: "card narrow" }, signInForm(app)), help(app)] }));
}

/** The contact comes when it comes: nobody waits for it to sign in. */
function help(app) {
  const place = el("div", { class: "narrow" });
  publishedContact(app).then((support) => place.replaceChildren(contact(support) ?? ""));
  return place;
}

function signInForm(app) {
  const email = textField({
    name: "email", label: t("email"), type: "email", autocomplete: "username", empty: t("email.empty"), autocapitalize: "none", spellcheck: "false",
  });
  const password = passwordField({ label: t("password") });
  return form(app, {
    fields: [email, password],
    label: t("sign-in"),
    submit: t("sign-in"),
    isChange: false,
    send: async (values) => {
      const answer = await app.client.signIn(values.email, values.password);
      if (answer.result === "signed_in") return app.signedIn(answer);
      app.challenge = answer;
      app.go("#/second-factor");
    },
    onRefused: (error) => {
      if (error.code !== "invalid-credential") return false;
      // An unknown address and a wrong password are one answer: nobody learns who has an account.
      password.describe(t("wrong.sign-in"));
      password.clear();
      password.input.focus();
      return true;
    },
  });
}
