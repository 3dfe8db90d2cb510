// Which language the page speaks, and how it writes numbers and dates in it.

import { el } from "./dom.js";
import { en } from "./text/en.js";

/** English is always there, for what another language lacks; the others are fetched when they are spoken. */
const TEXTS = { en };
const FETCHED = {
  ms: async () => (await import("./text/ms.js")).ms,
  "zh-Hans": async () => (await import("./text/zh-Hans.js")).zhHans,
};
const CHOICE = "twofold.language";

/** Tag and own name of each. */
export const LANGUAGES = [["en", "English"], ["ms", "Bahasa Melayu"], ["zh-Hans", "简体中文"]];

let current = "en";

export function language() {
  return current;
}

/** Speaks the language chosen before, or the browser's. */
export async function speakFirst() {
  await fetchTexts(chosen() ?? preferred());
}

/** Speaks a language from now on; where its texts do not arrive, the one before. */
export async function speak(tag) {
  if (!await fetchTexts(tag)) return;
  try {
    localStorage.setItem(CHOICE, tag);
  } catch {
    // A browser without storage asks again next time.
  }
}

async function fetchTexts(tag) {
  try {
    TEXTS[tag] ??= await FETCHED[tag]();
  } catch {
    return false;
  }
  current = tag;
  return true;
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
  return new Intl.DateTimeFormat(region(), { dateStyle: "long", timeStyle: "short" }).format(new Date(time));
}

export function clockText(time) {
  return new Intl.DateTimeFormat(region(), { timeStyle: "medium" }).format(new Date(time));
}

/** The language as the customer's part of the world writes it: day and month change places between en-GB and en-US. */
function region() {
  const primary = current.split("-")[0];
  return navigator.languages?.find((tag) => tag.split("-")[0] === primary) ?? current;
}

/** How long, in the largest unit that is honest: it is rounded up, for nobody should come back too early. */
export function duration(seconds) {
  const [count, unit] = seconds < 90 ? [seconds, "second"] : seconds < 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.NumberFormat(current, { style: "unit", unit, unitDisplay: "long" }).format(Math.ceil(count));
}

function isSpoken(tag) {
  return LANGUAGES.some(([known]) => known === tag);
}

function chosen() {
  try {
    const tag = localStorage.getItem(CHOICE);
    return isSpoken(tag) ? tag : null;
  } catch {
    return null;
  }
}

function preferred() {
  for (const tag of navigator.languages ?? []) {
    const primary = tag.toLowerCase().split("-")[0];
    if (primary === "zh") return "zh-Hans";
    if (isSpoken(primary)) return primary;
  }
  return "en";
}
