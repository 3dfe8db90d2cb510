// Every text is there in every language, and every text that the page asks for is there at all.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { SLOT, WORDS } from "./words.mjs";

const WEB = new URL("../../web/", import.meta.url);
const keys = Object.keys(WORDS.en);

for (const tag of ["ms", "zh-Hans"]) {
  test(`${tag} says all that English says`, () => {
    assert.deepEqual(Object.keys(WORDS[tag]).sort(), [...keys].sort());
  });

  test(`${tag} leaves out no number, name or time, and leaves nothing in English`, () => {
    for (const key of keys) {
      const [english, own] = [WORDS.en[key], WORDS[tag][key]];
      assert.equal(typeof own, typeof english, key);
      if (typeof english === "function") assert.deepEqual(slots(own, english.length), slots(english, english.length), key);
      else assert.notEqual(own, english, key);
    }
  });
}

/** Which of its values a text says. */
function slots(text, count) {
  const values = Array.from({ length: count }, (_, index) => `${SLOT}${index}`);
  const whole = text(...values);
  return values.filter((value) => whole.includes(value));
}

test("every text that a view asks for is there", async () => {
  const files = (await readdir(WEB, { recursive: true })).filter((name) => name.endsWith(".js") && !/^(text\/|client)/.test(name));
  const asked = new Set();
  for (const name of files) {
    const source = await readFile(new URL(name, WEB), "utf8");
    for (const [, key] of source.matchAll(/\bt\("([^"]+)"/g)) asked.add(key);
  }
  assert.ok(asked.size > 100, `only ${asked.size} were found`);
  assert.deepEqual([...asked].filter((key) => !(key in WORDS.en)), []);
});
