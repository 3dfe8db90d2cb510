// Step-up (RFC 9470): the service wants a newer proof of the second factor in the middle of a call.

import { el, freshId } from "./dom.js";
import { proofField } from "./fields.js";
import { form } from "./form.js";
import { t } from "./language.js";

/** Asks in a dialog; null where the customer gives up. */
export function askForProof(app) {
  return new Promise((resolve) => {
    const id = freshId("step-up");
    const close = (proof) => {
      app.hasSteppedUp = proof !== null;
      resolve(proof);
      dialog.close();
    };
    const ask = form(app, { fields: [proofField()], submit: t("confirm"), isChange: false, send: async (proof) => close(proof) });
    const cancel = el("button", { type: "button", class: "button quiet", onclick: () => close(null) }, t("cancel"));
    ask.querySelector(".buttons").append(cancel);
    const dialog = el("dialog", { "aria-labelledby": id, onclose: () => {
      resolve(null);
      dialog.remove();
    } }, el("h2", { id }, t("step-up")), el("p", null, t("step-up.why")), ask);
    app.append(dialog);
    dialog.showModal();
  });
}
