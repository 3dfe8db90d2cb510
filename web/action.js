// A button that does something at once, without a form.

import { el } from "./dom.js";
import { explain, isStale, staleText } from "./failure.js";

export function actionButton(app, { label, kind = "quiet", run, isChange = true }) {
  const alert = el("div", { role: "alert" });
  const button = el("button", { type: "button", class: `button ${kind}`, onclick: async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    alert.replaceChildren();
    button.setAttribute("aria-busy", "true");
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
      button.removeAttribute("aria-busy");
    }
  } }, ...[label].flat());
  return el("div", { class: "action" }, button, alert);
}
