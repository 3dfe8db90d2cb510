// Fields: a label, perhaps a hint, the input, and a place for its error, all tied together.

import { el, freshId, unseen } from "./dom.js";
import { t } from "./language.js";

/** A line of text. `empty` is what is said when nothing was entered; without it the field may stay empty. */
export function textField({ name, label, hint, empty, extra, ...attributes }) {
  const id = freshId(name);
  const error = el("p", { class: "error", id: `${id}-error`, role: "alert" });
  const hintNode = hint && el("p", { class: "hint", id: `${id}-hint` }, hint);
  const input = el("input", { id, name, type: "text", ...attributes, "aria-required": empty ? "true" : null });
  const describe = (sentence) => {
    error.textContent = sentence;
    input.setAttribute("aria-invalid", String(sentence !== ""));
    const ids = [hintNode && hintNode.id, sentence && error.id].filter(Boolean).join(" ");
    if (ids) input.setAttribute("aria-describedby", ids);
    else input.removeAttribute("aria-describedby");
  };
  describe("");
  return {
    node: el("div", { class: "field" }, el("label", { for: id }, label), hintNode, el("div", { class: "line" }, input, extra?.(input)), error),
    name,
    input,
    describe,
    check: () => (empty && input.value.trim() === "" ? empty : ""),
    read: () => (input.value === "" && !empty ? {} : { [name]: input.value }),
    clear: () => (input.value = ""),
  };
}

export function passwordField({ name = "password", label = t("password.account"), autocomplete = "current-password", ...more } = {}) {
  const field = textField({
    name, label, autocomplete, type: "password", empty: t("password.empty"), autocapitalize: "none", spellcheck: "false",
    extra: (input) => showButton(input, label), ...more,
  });
  // A password may be spaces alone: only nothing at all is empty.
  field.check = () => (field.input.value === "" ? t("password.empty") : "");
  // A new password is no proof: it is never what was refused.
  field.isSecret = autocomplete === "current-password";
  return field;
}

export function codeField(more = {}) {
  const field = textField({
    name: "code", label: t("code"), hint: t("code.hint"), empty: t("code.empty"), inputmode: "numeric",
    autocomplete: "one-time-code", autocapitalize: "none", spellcheck: "false", class: "digits", ...more,
  });
  field.isSecret = true;
  return field;
}

export function recoveryCodeField() {
  const field = textField({
    name: "recovery_code", label: t("recovery-code"), hint: t("recovery-code.hint"), empty: t("recovery-code.empty"),
    autocomplete: "off", autocapitalize: "characters", spellcheck: "false", class: "digits",
  });
  field.isSecret = true;
  return field;
}

/** The second factor: a code or a recovery code, one at a time. */
export function proofField(methods = ["totp", "recovery_code"]) {
  const choices = [];
  if (methods.includes("totp")) choices.push(codeField());
  if (methods.includes("recovery_code")) choices.push(recoveryCodeField());
  let now = choices[0];
  const place = el("div", null, now.node);
  const turn = el("button", { type: "button", class: "link", onclick: () => {
    now.clear();
    now.describe("");
    now = now === choices[0] ? choices[1] : choices[0];
    place.replaceChildren(now.node);
    turn.textContent = words();
    now.input.focus();
  } });
  const words = () => t(now.name === "code" ? "use-recovery-code" : "use-code");
  turn.textContent = words();
  return {
    node: el("div", { class: "proof" }, place, choices.length > 1 && turn),
    get name() { return now.name; },
    get input() { return now.input; },
    describe: (sentence) => now.describe(sentence),
    check: () => now.check(),
    read: () => now.read(),
    clear: () => now.clear(),
    isSecret: true,
  };
}

/** Something to tick. */
export function checkField({ name, label, hint }) {
  const id = freshId(name);
  const hintNode = hint && el("p", { class: "hint", id: `${id}-hint` }, hint);
  const input = el("input", { type: "checkbox", id, "aria-describedby": hintNode?.id });
  return {
    node: el("div", { class: "field check" }, input, el("label", { for: id }, label), hintNode),
    name,
    input,
    describe: () => {},
    check: () => "",
    read: () => (input.checked ? { [name]: true } : {}),
  };
}

/** Whether the body must hold a code for this token (`proofs` of the action). */
export function wantsCode(action) {
  return (action.proofs ?? []).some((proof) => proof.split("|").includes("code"));
}

/** Named after its field: a view may have two. */
function showButton(input, label) {
  const word = el("span");
  const draw = () => (word.textContent = t(input.type === "password" ? "show" : "hide"));
  draw();
  return el("button", { type: "button", class: "show", onclick: () => {
    input.type = input.type === "password" ? "text" : "password";
    draw();
  } }, word, unseen(` ${label}`));
}
