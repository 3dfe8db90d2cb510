// The kinds of second factor, as an account may set them up here.

import { el } from "./dom.js";
import { t } from "./language.js";
import { canUsePasskeys } from "./passkey.js";

/** Those that the service offers and this browser can set up, the strongest first. */
export function offeredKinds({ kinds }) {
  return kinds.filter((kind) => kind !== "passkey" || canUsePasskeys());
}

/** Which one it is to be: a list of ways on. */
export function chooser(kinds, path) {
  return el("ul", { class: "things card choices" }, ...kinds.map((kind, index) =>
    el("li", null,
      el("h2", { class: "as-h3" },
        el("a", { href: `${path}/${kind}` }, t(`kind.${kind}`)),
        index === 0 && el("span", { class: "badge on" }, t("kind.best"))),
      el("p", null, t(`kind.${kind}.what`)))));
}
