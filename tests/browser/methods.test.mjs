// The authenticators of an account: another name, another phone, one of two taken away.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore, ProblemError, Twofold } from "../../web/client.js";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { addPhone, protectedAccount } from "./account.mjs";
import { start } from "./browser.mjs";
import { Phone } from "./phone.mjs";
import { APP_CODE, button, enterPassword, heading, link, see, signInWithRecoveryCode } from "./steps.mjs";

const { url, open } = await start({ persons: ["alice", "bob", "carol", "dave"] });
const MANAGE = "Manage two-factor authentication";
const told = (page, hasText) => page.getByRole("status").filter({ hasText });
const authenticator = (page, name) => page.getByRole("heading", { level: 3, name, exact: true });

/** Whether a code opens the account from elsewhere. */
async function opens(name, code) {
  const client = new Twofold({ baseUrl: url, store: new MemoryStore() });
  const { challenge } = await client.signIn(email(name), PASSWORD);
  try {
    await client.answer(challenge, { code });
    return true;
  } catch (error) {
    if (error instanceof ProblemError && error.code === "invalid-credential") return false;
    throw error;
  }
}

async function managing(name) {
  const account = await protectedAccount(url, name);
  const { page, faults } = await open({ at: "#/manage" });
  await signInWithRecoveryCode(page, name, account.codes[0]);
  await see(heading(page, MANAGE));
  return { ...account, page, faults };
}

test("another name", async () => {
  const { page, faults } = await managing("alice");
  await page.getByRole("link", { name: "Rename Pixel 9" }).click();
  const name = page.getByLabel("Name of this authenticator");
  await see(heading(page, "Rename “Pixel 9”"));
  assert.equal(await name.inputValue(), "Pixel 9");
  assert.equal(await page.getByText("You may leave it empty.").count(), 0, "for it may not");
  await name.fill("");
  await button(page, "Save name").click();
  await see(page.getByText("Enter a name."));
  // What looks like markup is a name as any other.
  await name.fill("<b>Work</b> & Zoë 📱");
  await button(page, "Save name").click();
  await see(told(page, "The name was changed."));
  await see(authenticator(page, "<b>Work</b> & Zoë 📱"));
  assert.deepEqual(faults, []);
});

test("a new phone: the old one works until the new one is confirmed, and not after", async () => {
  const { page, faults, phone: old } = await managing("bob");
  await page.getByRole("link", { name: "Move to a new phone Pixel 9" }).click();
  await see(heading(page, "Move to a new phone"));
  await see(page.getByText("“Pixel 9” works until the new phone is confirmed"));
  await page.getByLabel("Name of this authenticator").fill("Pixel 10");
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Continue").click();
  await see(heading(page, "Connect your authenticator app"));
  const phone = await Phone.scan(page.getByRole("img", { name: /^QR code/ }));
  assert.equal(await opens("bob", await old.code()), true, "the old phone still opens the account");
  await page.getByLabel("Code that the app shows").fill(await phone.code());
  await button(page, "Confirm").click();
  await see(page.getByText(/^(You have moved\.|The recovery codes that you had before)/).first());
  assert.equal(await opens("bob", await old.code()), false, "the old phone opens nothing any more");
  assert.equal(await opens("bob", await phone.code()), true, "the new one does");
  await page.evaluate(() => (location.hash = "#/manage"));
  await see(authenticator(page, "Pixel 10"));
  assert.equal(await authenticator(page, "Pixel 9").count(), 0);
  assert.deepEqual(faults, []);
});

test("an enrolment that is left is given up, and its code confirms nothing", async () => {
  const { page, faults, client } = await managing("dave");
  await link(page, "Add another authenticator").click();
  await see(heading(page, "Add another authenticator"));
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Continue").click();
  await see(heading(page, "Connect your authenticator app"));
  assert.equal((await client.status()).pending.length, 1);
  const gone = page.waitForResponse((response) => response.request().method() === "DELETE");
  await link(page, "Cancel").click();
  assert.equal((await gone).status(), 204);
  await see(heading(page, MANAGE));
  assert.deepEqual((await client.status()).pending, []);
  assert.deepEqual(faults, []);
});

test("one of two is taken away, and the last one is not offered for that", async () => {
  const account = await protectedAccount(url, "carol");
  const { phone: tablet } = await addPhone(account.client, "iPad");
  const { page, faults } = await open({ at: "#/manage" });
  await signInWithRecoveryCode(page, "carol", account.codes[0]);
  await page.getByRole("link", { name: "Remove Pixel 9" }).click();
  await see(heading(page, "Remove “Pixel 9”"));
  await page.getByLabel("Account password").fill("wrong horse battery");
  await button(page, "Remove").click();
  await see(page.getByText(/^The password is not right\. You have \d attempts? left\./).first());
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Remove").click();
  await see(told(page, "“Pixel 9” was removed."));
  await see(authenticator(page, "iPad"));
  assert.equal(await authenticator(page, "Pixel 9").count(), 0);
  assert.equal(await page.getByRole("link", { name: /^Remove/ }).count(), 0);
  assert.equal(await opens("carol", await account.phone.code()), false);

  await button(page, "Sign out").click();
  await enterPassword(page, "carol");
  await page.getByLabel(APP_CODE).fill(await tablet.code());
  await button(page, "Sign in").click();
  await see(heading(page, "Account Security"));
  assert.deepEqual(faults, []);
});
