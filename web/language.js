// Which language the page speaks, and how it writes numbers and dates in it.

import { el } from "./dom.js";
import { en } from "./text/en.js";
import { ms } from "./text/ms.js";
import { zhHans } from "./text/zh-Hans.js";

const TEXTS = { en, ms, "zh-Hans": zhHans };
const CHOICE = "twofold.language";

/** Tag and own name of each. */
export const LANGUAGES = [["en", "English"], ["ms", "Bahasa Melayu"], ["zh-Hans", "简体中文"]];

let current = chosen() ?? preferred();

export function language() {
  return current;
}

export function speak(tag) {
  current = tag;
  try {
    localStorage.setItem(CHOICE, tag);
  } catch {
    // A browser without storage asks again next time.
  }
}

/** The text of a key. Where a text depends on a number or a name it is a function of it. */
export function t(key, ...values) {
  const text = TEXTS[current][key] ?? en[key];
  return typeof text === "function" ? text(...values) : text;
}

export function hasText(key) {
  return key in en;
}

/** A moment: words for people, the exact time for programs. */
export function moment(time) {
  return el("time", { datetime: time }, momentText(time));
}

export function momentText(time) {
  return new Intl.DateTimeFormat(current, { dateStyle: "long", timeStyle: "short" }).format(new Date(time));
}

export function clockText(time) {
  return new Intl.DateTimeFormat(current, { timeStyle: "medium" }).format(new Date(time));
}

/** How long, in the largest unit that is honest: it is rounded up, for nobody should come back too early. */
export function duration(seconds) {
  const [count, unit] = seconds < 90 ? [seconds, "second"] : seconds < 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.NumberFormat(current, { style: "unit", unit, unitDisplay: "long" }).format(Math.ceil(count));
}

function chosen() {
  try {
    const tag = localStorage.getItem(CHOICE);
    return tag in TEXTS ? tag : null;
  } catch {
    return null;
  }
}

function preferred() {
  for (const tag of navigator.languages ?? []) {
    const primary = tag.toLowerCase().split("-")[0];
    if (primary === "zh") return "zh-Hans";
    if (primary in TEXTS) return primary;
  }
  return "en";
}
