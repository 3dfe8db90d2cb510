// Step-up (RFC 9470): the service wants a newer proof of the second factor in the middle of a call.

import { el, freshId } from "./dom.js";
import { proofField } from "./fields.js";
import { form } from "./form.js";
import { t } from "./language.js";

/** Asks in a dialog, until the proof is right or the customer gives up. */
export function askForProof(app, prove) {
  return new Promise((resolve) => {
    const id = freshId("step-up");
    const ask = form(app, { fields: [proofField()], submit: t("confirm"), isChange: false, send: async (proof) => {
      await prove(proof);
      dialog.close();
    } });
    const cancel = el("button", { type: "button", class: "button quiet", onclick: () => dialog.close() }, t("cancel"));
    ask.querySelector(".buttons").append(cancel);
    const dialog = el("dialog", { "aria-labelledby": id, onclose: () => {
      dialog.remove();
      resolve();
    } }, el("h2", { id }, t("step-up")), el("p", null, t("step-up.why")), ask);
    app.append(dialog);
    dialog.showModal();
  });
}
