// The whole page in Malay and in simplified Chinese, on a small phone: nothing is left in English, nothing runs out
// of the screen, nothing violates what axe-core knows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { addPhone, protectedAccount } from "./account.mjs";
import { bringAxe, inspect } from "./axe.mjs";
import { start } from "./browser.mjs";
import { Phone } from "./phone.mjs";
import { heading, see, signInWithRecoveryCode } from "./steps.mjs";
import { leftovers, said } from "./words.mjs";

const persons = ["alice", "bob", "carol", "dave", "erin"];
const { url, open, operate } = await start({ persons });
await operate("client", "add", "--name", "Acme", "--all-accounts", "--scope", "2fa:read 2fa:verify events:read webhooks:manage accounts:provision");
const SMALL = { width: 320, height: 640 };
const SPOKEN = [
  { tag: "ms", locale: "ms-MY", colorScheme: "light", newcomer: "alice", customer: "bob" },
  { tag: "zh-Hans", locale: "zh-CN", colorScheme: "dark", newcomer: "carol", customer: "dave" },
];

/** A page of somebody whose browser prefers this language. What is looked at is collected, and judged at the end. */
async function reader({ tag, locale, colorScheme }, at = "") {
  const { page, faults } = await open({ prepare: bringAxe, at, locale, colorScheme, viewport: SMALL });
  const found = [];
  const seen = [];
  const say = (...key) => said(tag, ...key);
  const look = async (title, state = "") => {
    await see(heading(page, title));
    const view = `${tag}: ${title}${state}`;
    seen.push(view);
    const { lang, width } = await page.evaluate(() => ({ lang: document.documentElement.lang, width: document.scrollingElement.scrollWidth }));
    if (lang !== tag) found.push(`${view}: lang is ${lang}`);
    if (width > SMALL.width) found.push(`${view}: ${width} px wide`);
    for (const text of await leftovers(page, tag)) found.push(`${view}: in English: ${text}`);
    for (const violation of await inspect(page)) found.push(`${view}: ${violation}`);
  };
  return {
    page, say, look,
    press: (key) => page.getByRole("button", { name: say(key), exact: true }).click(),
    fill: (key, text) => page.getByLabel(say(key), { exact: true }).fill(text),
    visit: (hash) => page.evaluate((to) => (location.hash = to), hash),
    end: (t) => {
      t.diagnostic(`looked at ${seen.length} views and states`);
      assert.deepEqual(found, []);
      assert.deepEqual(faults, []);
    },
  };
}

async function signIn({ fill, press }, name, password = PASSWORD) {
  await fill("email", email(name));
  await fill("password", password);
  await press("sign-in");
}

for (const spoken of SPOKEN) {
  test(`${spoken.tag}: signing in and setting up`, async (t) => {
    const one = await reader(spoken);
    const { page, say, look, press, fill, visit } = one;
    await look(say("sign-in"));
    await press("sign-in");
    await look(say("sign-in"), ", nothing entered");
    await signIn(one, spoken.newcomer, "wrong horse battery");
    await see(page.getByText(say("wrong.sign-in")));
    await look(say("sign-in"), ", refused");
    await signIn(one, spoken.newcomer);
    await look(say("security"), ", off");
    await page.getByRole("link", { name: say("set-up"), exact: true }).click();
    await look(say("set-up"));
    await fill("label", "Pixel 9");
    await fill("password.account", PASSWORD);
    await press("continue");
    await look(say("scan"));
    const phone = await Phone.scan(page.getByRole("img", { name: say("scan.alt") }));
    await fill("code.confirm", phone.wrongCode());
    await press("confirm");
    await see(page.getByText(say("wrong.either")).first());
    await look(say("scan"), ", refused");
    await fill("code.confirm", await phone.code());
    await press("confirm");
    await look(say("codes.title"));
    await press("continue");
    await look(say("codes.title"), ", not acknowledged");
    await page.getByLabel(say("codes.saved")).check();
    await press("continue");
    await look(say("manage"));
    await visit("#/");
    await look(say("security"), ", on");
    await press("sign-out");
    await look(say("sign-in"), ", signed out");
    one.end(t);
  });

  test(`${spoken.tag}: managing and disabling`, async (t) => {
    const { client, codes, id } = await protectedAccount(url, spoken.customer);
    await addPhone(client, "iPad");
    const one = await reader(spoken);
    const { page, say, look, press, fill, visit } = one;
    await signIn(one, spoken.customer);
    await look(say("second-factor"));
    await press("use-recovery-code");
    await press("sign-in");
    await look(say("second-factor"), ", nothing entered");
    await fill("recovery-code", codes[0]);
    await press("sign-in");
    await look(say("security"));
    await visit("#/manage");
    await look(say("manage"), ", two authenticators");
    await visit("#/manage/add");
    await look(say("add"));
    await visit(`#/manage/move/${id}`);
    await look(say("move"));
    await visit(`#/manage/rename/${id}`);
    await look(say("rename.title", "Pixel 9"));
    await visit(`#/manage/remove/${id}`);
    await look(say("remove.title", "Pixel 9"));
    await visit("#/manage/recovery-codes");
    await look(say("codes.new"));
    await fill("password.account", PASSWORD);
    await press("codes.new");
    await look(say("codes.title"), ", new ones");
    await visit("#/log");
    await look(say("log"));
    await visit("#/sessions");
    await look(say("sessions"));
    await visit("#/partners");
    await look(say("partners"));
    await visit("#/password");
    await look(say("password.change"));
    await fill("password.current", PASSWORD);
    await fill("password.new", "short");
    await press("password.change");
    await see(page.getByText(say("check-fields")));
    await look(say("password.change"), ", too short");

    await visit("#/manage/disable");
    await look(say("disable"));
    for (const reason of ["new_phone", "lost_phone", "switching_method"]) {
      await page.getByLabel(say(`reason.${reason}`)).check();
      await see(page.getByText(say(`offer.${reason}`)));
      await look(say("disable"), `, ${reason}`);
    }
    await fill("password.account", "wrong horse battery");
    await press("disable");
    await see(page.getByText(new RegExp(`^${say("wrong.password")}`)).first());
    await look(say("disable"), ", refused");
    await fill("password.account", PASSWORD);
    await press("disable");
    await look(say("disabled"));
    await page.route(`${url}/account/**`, (route) => route.abort());
    await visit("#/log");
    await look(say("not-loaded"));
    one.end(t);
  });
}

test("a language that is chosen is spoken at once, keeps the focus, and is spoken again after a reload", async () => {
  const { page, faults } = await open({ viewport: SMALL });
  const choice = page.getByRole("combobox");
  await see(heading(page, said("en", "sign-in")));
  await choice.selectOption("ms");
  await see(heading(page, said("ms", "sign-in")));
  assert.ok(await choice.evaluate((one) => one === document.activeElement));
  await page.reload();
  await see(heading(page, said("ms", "sign-in")));
  assert.equal(await page.evaluate(() => document.documentElement.lang), "ms");
  assert.deepEqual(faults, []);
});

test("what was entered stays in the form when the language changes", async () => {
  const { codes } = await protectedAccount(url, "erin");
  const { page, faults } = await open();
  const choice = page.getByRole("combobox");
  await signInWithRecoveryCode(page, "erin", codes[0]);
  await page.evaluate(() => (location.hash = "#/manage/disable"));
  await page.getByLabel(said("en", "reason.new_phone")).check();
  await page.getByLabel(said("en", "password.account"), { exact: true }).fill(PASSWORD);
  await choice.selectOption("ms");
  await see(heading(page, said("ms", "disable")));
  assert.ok(await page.getByLabel(said("ms", "reason.new_phone")).isChecked());
  await see(page.getByText(said("ms", "offer.new_phone")));
  assert.equal(await page.getByLabel(said("ms", "password.account"), { exact: true }).inputValue(), PASSWORD);
  assert.deepEqual(faults, []);
});
