// A form: checks its fields, is busy while it is sent, and says what went wrong where it went wrong.

import { busyWord, el } from "./dom.js";
import { explain, isStale, isUnknown, staleText } from "./failure.js";
import { t } from "./language.js";
import { check } from "./outcome.js";

/**
 * `send` gets the values of the fields and does the call. `onRefused` may answer a problem itself and return true.
 * `isChange` is false where nothing is changed: then no answer means no more than that.
 */
export function form(app, { fields, body, label, submit, kind = "main", cancel, send, onRefused, isChange = true }) {
  const alert = el("div", { role: "alert" });
  const button = el("button", { type: "submit", class: `button ${kind}` }, submit);
  const waiting = busyWord();
  const buttons = el("div", { class: "buttons" }, button, waiting, cancel && el("a", { class: "button quiet", href: cancel }, t("cancel")));
  let isBusy = false;
  const busy = (is) => {
    isBusy = is;
    node.setAttribute("aria-busy", String(is));
    button.setAttribute("aria-disabled", String(is));
    button.textContent = is ? t("busy") : submit;
    waiting.textContent = is ? t("busy") : "";
  };
  const run = async () => {
    if (isBusy) return;
    alert.replaceChildren();
    if (!areFilled(fields)) return;
    busy(true);
    try {
      await send(Object.assign({}, ...fields.map((field) => field.read())));
    } catch (error) {
      if (node.isConnected && !onRefused?.(error)) refused(app, { error, fields, alert, isChange, again: () => node.requestSubmit() });
    } finally {
      busy(false);
    }
  };
  const node = el("form", { novalidate: true, "aria-label": label, onsubmit: (event) => {
    event.preventDefault();
    run();
  } }, alert, ...(body ?? fields.map((field) => field.node)), buttons);
  return node;
}

/** Each field's own error; the focus goes to the first. */
function areFilled(fields) {
  let first = null;
  for (const field of fields) {
    const sentence = field.check();
    field.describe(sentence);
    if (sentence && !first) first = field;
  }
  first?.input.focus();
  return first === null;
}

function refused(app, { error, fields, alert, isChange, again }) {
  if (isStale(error)) {
    app.notice(staleText(app, error));
    return app.reload();
  }
  const hasCode = fields.some((field) => field.name === "code" || field.name === "recovery_code");
  const { message, more, fields: sentences } = explain(app, error, { hasCode, isChange });
  const lost = isUnknown(error);
  const proofs = fields.filter((field) => field.isSecret);
  // Said once: where one field alone can be wrong, its own place is the one.
  const isSaidThere = error.code === "invalid-credential" && proofs.length === 1;
  if (!isSaidThere) alert.replaceChildren(el("div", { class: "alert" }, el("p", null, message), ...more, lost && isChange && check(app, again)));
  let first = null;
  for (const field of fields) {
    if (!sentences[field.name]) continue;
    field.describe(sentences[field.name]);
    first ??= field;
  }
  if (error.code === "invalid-credential") first = blame(proofs, message);
  // What was refused is typed anew; what was lost on the way may be sent again.
  if (!lost) for (const field of fields) if (field.isSecret && error.code === "invalid-credential") field.clear();
  // A long form is sent at its end, and what went wrong is said at its beginning.
  if (first) first.input.focus();
  else alert.scrollIntoView({ block: "nearest" });
}

/** The service does not say which of the proofs was wrong, so each says that it may be the one. */
function blame(proofs, sentence) {
  for (const field of proofs) field.describe(proofs.length === 1 ? sentence : t("maybe-this"));
  return proofs[0];
}
