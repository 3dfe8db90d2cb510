// After a lost answer: nobody knows yet whether the change was made, so the status is looked at again.

import { el } from "./dom.js";
import { t } from "./language.js";

/** Two ways on: look, or send it again. */
export function check(app, again) {
  const found = el("p", { role: "status" });
  const look = el("button", { type: "button", class: "button quiet", onclick: async () => {
    found.textContent = t("busy");
    try {
      const status = app.client.isSignedIn ? await app.client.status() : null;
      found.textContent = status === null ? t("network.signed-out") : standing(status);
    } catch {
      found.textContent = t("network.still");
    }
  } }, t("check-status"));
  const retry = el("button", { type: "button", class: "button quiet", onclick: again }, t("try-again"));
  return el("div", { class: "outcome" }, el("div", { class: "buttons" }, look, retry), found);
}

function standing(status) {
  if (!status.enabled) return t("standing.off");
  return t("standing.on", status.methods.map((method) => method.label).join(", "), status.recovery_codes?.remaining ?? 0);
}
