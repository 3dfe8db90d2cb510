// The second factor of a sign-in.

import { el } from "../dom.js";
import { checkField } from "../fields.js";
import { t } from "../language.js";
import { freshProof, proofPicker } from "../proof.js";
import { contact, publishedContact } from "../support.js";

export async function secondFactor(app, page) {
  // The challenge lives in memory: after a reload there is none, and the password is asked for again.
  const { challenge } = app;
  if (!challenge) return app.replace("#/sign-in");
  const [support, days] = await Promise.all([publishedContact(app), rememberedDays(app)]);
  const state = freshProof(challenge.methods);
  page.show(() => ({
    title: t("second-factor"),
    body: [
      el("div", { class: "card narrow" }, el("p", null, t(state.methods[0] === "totp" ? "second-factor.why" : "second-factor.why.any")), proofForm(app, state, { challenge, days })),
      el("section", { class: "narrow aside" }, el("h2", null, t("no-factor")), el("p", null, t("no-factor.what")), contact(support)),
    ],
  }));
}

/** For how many days a device can be remembered; 0 where none is, or nobody can tell. */
async function rememberedDays(app) {
  try {
    return Math.floor((await app.client.policy()).device_ttl / 86_400) || 0;
  } catch {
    return 0;
  }
}

function proofForm(app, state, { challenge: { challenge }, days }) {
  return proofPicker(app, state, {
    label: t("second-factor"),
    submit: t("sign-in"),
    cancel: "#/sign-in",
    extra: () => (days > 0 ? [checkField({ name: "remember", label: t("remember", days), hint: t("remember.hint") })] : []),
    start: (method) => app.client.startAnswer(challenge, method),
    prove: async ({ remember, ...proof }) => {
      app.signedIn(await app.client.answer(challenge, proof, { rememberDevice: remember }));
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
