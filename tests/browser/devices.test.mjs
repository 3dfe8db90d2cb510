// Devices that are remembered: the second factor is spared there, and asked for again when they are forgotten.

import assert from "node:assert/strict";
import { test } from "node:test";
import { protectedAccount } from "./account.mjs";
import { bringAxe, violations } from "./axe.mjs";
import { start } from "./browser.mjs";
import { APP_CODE, button, enterPassword, heading, link, see, signIn, signOut } from "./steps.mjs";

const { url, open } = await start({ persons: ["alice", "bob", "carol", "dave"] });
const told = (page, hasText) => page.getByRole("status").filter({ hasText });

/** Signs in with a code, and has the device remembered. */
async function remembered(name) {
  const account = await protectedAccount(url, name);
  const { page, faults, context } = await open({ prepare: bringAxe });
  await enterPassword(page, name);
  await see(heading(page, "Confirm that it is you"));
  await page.getByLabel("Do not ask on this device for 30 days").check();
  await page.getByLabel(APP_CODE).fill(await account.phone.code());
  await button(page, "Sign in").click();
  await see(heading(page, "Account Security"));
  return { ...account, page, faults, context };
}

test("a remembered device asks for the password alone, each time, until it is forgotten", async () => {
  const { page, faults, phone } = await remembered("alice");
  for (let again = 0; again < 2; again++) {
    await signOut(page);
    await signIn(page, "alice");
  }
  await link(page, "Sessions").click();
  await link(page, "See remembered devices").click();
  await see(heading(page, "Remembered devices"));
  await see(page.getByText("This device"));
  assert.deepEqual(await violations(page, "Remembered devices"), []);
  await page.getByRole("button", { name: /^Forget device Chrome · Linux/ }).click();
  await see(told(page, "The device was forgotten."));
  await see(page.getByText("No device is remembered."));
  assert.deepEqual(await violations(page, "Remembered devices, none"), []);
  await signOut(page);
  await enterPassword(page, "alice");
  await see(heading(page, "Confirm that it is you"));
  await page.getByLabel(APP_CODE).fill(await phone.code());
  await button(page, "Sign in").click();
  await see(heading(page, "Account Security"));
  assert.deepEqual(faults, []);
});

test("what changes the protection is asked for the second factor on a remembered device, too", async () => {
  const { page, faults, phone } = await remembered("bob");
  await signOut(page);
  await signIn(page, "bob");
  await page.evaluate(() => (location.hash = "#/manage/disable"));
  await see(heading(page, "Disable 2FA"));
  await see(page.getByLabel(APP_CODE));
  await page.getByLabel("Account password").fill("correct horse battery");
  await page.getByLabel(APP_CODE).fill(await phone.code());
  await button(page, "Disable 2FA").click();
  await see(heading(page, "Two-factor authentication is off"));
  assert.deepEqual(faults, []);
});

test("a recovery code has no device remembered, and nobody else's device counts", async () => {
  const { page, faults } = await remembered("carol");
  // Somebody else at the same browser.
  await protectedAccount(url, "dave");
  await signOut(page);
  await enterPassword(page, "dave");
  await see(heading(page, "Confirm that it is you"));
  await button(page, "Use a recovery code instead").click();
  assert.equal(await page.getByRole("checkbox").count(), 0);
  await link(page, "Cancel").click();
  await signIn(page, "carol");
  assert.deepEqual(faults, []);
});
