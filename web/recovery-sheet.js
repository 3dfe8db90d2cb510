// The recovery codes, shown once: to copy, to download, to print, and to acknowledge before going on.

import { el, freshId } from "./dom.js";
import { form } from "./form.js";
import { t } from "./language.js";

/** The body of the step. `next` goes on once the customer says that the codes are saved. */
export function recoverySheet(app, page, codes, { email, next, step, hadCodes }) {
  let isSaved = false;
  // Closing the tab now would lose them: the browser asks first.
  const hold = (event) => event.preventDefault();
  addEventListener("beforeunload", hold);
  page.onLeave(() => {
    removeEventListener("beforeunload", hold);
    if (!isSaved) app.notice(t("codes.left"));
  });
  return () => ({
    title: t("codes.title"),
    body: [
      step && el("p", { class: "step" }, t("step", step, step, t("step.codes"))),
      el("p", { class: "lead" }, t("codes.why")),
      hadCodes && el("p", { class: "alert mild" }, t("codes.replaced")),
      // On paper the codes must say whose they are.
      el("p", { class: "small whose" }, t("codes.file", email)),
      el("ol", { class: "codes", "aria-label": t("recovery-codes") }, ...codes.map((code) => el("li", null, el("code", null, code)))),
      tools(codes, email),
      form(app, { fields: [acknowledgement()], submit: t("continue"), send: async () => {
        isSaved = true;
        next();
      } }),
    ],
  });
}

function tools(codes, email) {
  const said = el("p", { class: "small", role: "status" });
  const button = (key, run) => el("button", { type: "button", class: "button quiet", onclick: run }, t(key));
  return el("div", { class: "tools-of-codes" },
    el("div", { class: "buttons" },
      button("codes.copy", () => copy(codes.join("\n"), said)),
      button("codes.download", () => download(codes, email)),
      button("codes.print", () => print())),
    said);
}

/** Puts a text on the clipboard and says whether that went well. */
export async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = t("copied");
  } catch {
    // The clipboard is not there outside of a secure context, or was refused.
    said.textContent = t("copy.failed");
  }
}

function download(codes, email) {
  const text = [t("codes.file", email), "", ...codes, "", t("codes.once"), ""].join("\r\n");
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  el("a", { href: address, download: "recovery-codes.txt" }).click();
  // The file holds the codes: its address is given back at once, when the browser has begun to save.
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function acknowledgement() {
  const id = freshId("saved");
  const error = el("p", { class: "error", id: `${id}-error`, role: "alert" });
  const input = el("input", { type: "checkbox", id, "aria-describedby": error.id });
  return {
    node: el("div", { class: "field check" }, input, el("label", { for: id }, t("codes.saved")), error),
    name: "saved",
    input,
    describe: (sentence) => {
      error.textContent = sentence;
      input.setAttribute("aria-invalid", String(sentence !== ""));
    },
    check: () => (input.checked ? "" : t("codes.not-saved")),
    read: () => ({}),
  };
}
