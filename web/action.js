// A button that does something at once, without a form.

import { busyWord, el } from "./dom.js";
import { explain, isStale, staleText } from "./failure.js";
import { t } from "./language.js";

export function actionButton(app, { label, kind = "quiet", run, isChange = true }) {
  const alert = el("div", { role: "alert" });
  const waiting = busyWord();
  const words = [label].flat();
  const busy = (is) => {
    button.setAttribute("aria-busy", String(is));
    button.replaceChildren(...(is ? [t("busy")] : words));
    waiting.textContent = is ? t("busy") : "";
  };
  const button = el("button", { type: "button", class: `button ${kind}`, onclick: async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    alert.replaceChildren();
    busy(true);
    try {
      await run();
    } catch (error) {
      if (!button.isConnected) return;
      if (isStale(error)) {
        app.notice(staleText(app, error));
        return app.reload();
      }
      const { message, more } = explain(app, error, { isChange });
      alert.replaceChildren(el("div", { class: "alert" }, el("p", null, message), ...more));
    } finally {
      busy(false);
    }
  } }, ...words);
  return el("div", { class: "action" }, button, waiting, alert);
}
