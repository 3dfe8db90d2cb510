// The words of the page in each language, and English ones where they do not belong.

import { en } from "../../web/text/en.js";
import { ms } from "../../web/text/ms.js";
import { zhHans } from "../../web/text/zh-Hans.js";

export const WORDS = { en, ms, "zh-Hans": zhHans };

/** The text of a key in a language, as the page would say it; a key that the language lacks is a fault of the test's claim. */
export function said(tag, key, ...values) {
  const text = WORDS[tag][key];
  if (text === undefined) throw new Error(`${tag} has no text for ${key}`);
  return typeof text === "function" ? text(...values) : text;
}

/** What a value in a text stands for here: no text holds it by itself. */
export const SLOT = "\u0001";

const filled = (text) => (typeof text === "function" ? text(...Array(text.length).fill(SLOT)) : text);
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Whether a text of the page is one of the English texts, whatever number, name or time it was given. */
const ENGLISH = Object.values(en).map((text) => new RegExp(`^${escaped(filled(text)).replaceAll(SLOT, ".+")}$`));

/** Names that are the same in every language, what the tests themselves entered, and what they call themselves. */
const NAMES = /[\w.+]+@[\w.]+|Pixel 9|iPad|Acme|Chrome|Linux|SHA1|2FA|QR|NUL|\bnode\b/g;
/** Words that an English sentence hardly does without, and that Malay does not have. */
const ENGLISH_WORD = /\b(the|your|you|is|are|and|of|with|to|not|was|this|it|for)\b/i;

/** The texts on the screen and of the accessibility tree that are English though the page speaks `tag`. */
export async function leftovers(page, tag) {
  const texts = await page.evaluate(collect);
  return texts.filter((text) => {
    // A text that is a name alone, such as the label of an authenticator, belongs to no language.
    const words = text.replace(NAMES, "").trim();
    if (words === "") return false;
    if (ENGLISH.some((english) => english.test(text)) && !isOf(tag, text)) return true;
    return tag === "zh-Hans" ? /[A-Za-z]{2,}/.test(words) : ENGLISH_WORD.test(words);
  });
}

/** A few texts are the same in both. */
function isOf(tag, text) {
  return Object.values(WORDS[tag]).some((own) => new RegExp(`^${escaped(filled(own)).replaceAll(SLOT, ".+")}$`).test(text));
}

/** Runs in the page. Codes and keys are no words, and each language is offered under its own name. */
function collect() {
  const found = new Set([document.title]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const owner = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    if (owner.closest("code, option, noscript")) continue;
    if (node.nodeType === Node.TEXT_NODE) found.add(node.data.trim());
    else for (const name of ["aria-label", "alt", "title", "placeholder"]) found.add((node.getAttribute(name) ?? "").trim());
  }
  found.delete("");
  return [...found];
}
