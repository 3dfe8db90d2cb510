// Step-up (RFC 9470): the service wants a newer proof of the second factor in the middle of a call.

import { el, freshId } from "./dom.js";
import { t } from "./language.js";
import { freshProof, proofPicker, waysOf } from "./proof.js";

/** Asks in a dialog, until the proof is right or the customer gives up. */
export async function askForProof(app, prove, words = "step-up") {
  const status = await app.client.status();
  return new Promise((resolve) => {
    const id = freshId("step-up");
    const ask = proofPicker(app, freshProof(waysOf(status)), {
      submit: t("confirm"),
      start: (method) => app.client.startVerify(method),
      prove: async (proof) => {
        await prove(proof);
        dialog.close();
      },
    });
    const cancel = el("button", { type: "button", class: "button quiet", onclick: () => dialog.close() }, t("cancel"));
    const dialog = el("dialog", { "aria-labelledby": id, onclose: () => {
      dialog.remove();
      resolve();
    } }, el("h2", { id }, t(words)), el("p", null, t(`${words}.why`)), ask, cancel);
    app.append(dialog);
    dialog.showModal();
  });
}
