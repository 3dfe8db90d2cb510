// What the policy of the installation makes of the page: what must stay on, what has to be set up, what is asked again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { protectedAccount } from "./account.mjs";
import { bringAxe, violations } from "./axe.mjs";
import { start } from "./browser.mjs";
import { APP_CODE, button, heading, link, see, setUp, signIn, signInWithCode } from "./steps.mjs";

const settings = { TWOFOLD_REQUIRED: "all", TWOFOLD_REQUIRED_GRACE: "86400", TWOFOLD_CHECKUP_AFTER: "1" };
const { url, open } = await start({ persons: ["alice", "bob", "carol"], settings });
const visit = (page, hash) => page.evaluate((to) => (location.hash = to), hash);

test("who has to set it up is told by when", async () => {
  const { page, faults } = await open({ prepare: bringAxe });
  await signIn(page, "alice");
  await see(page.getByText(/^Two-factor authentication is required for your account\. Set it up by /));
  assert.deepEqual(await violations(page, "Account Security, required"), []);
  await setUp(page);
  await visit(page, "#/");
  await see(heading(page, "Account Security"));
  assert.equal(await page.getByText(/Set it up by/).count(), 0);
  assert.deepEqual(faults, []);
});

test("where it must stay on, the page says so, and what is possible instead", async () => {
  const { phone } = await protectedAccount(url, "bob");
  const { page, faults } = await open({ prepare: bringAxe });
  await signInWithCode(page, "bob", await phone.code());
  await visit(page, "#/manage");
  await see(page.getByText(/^Two-factor authentication must stay on for your account/));
  assert.equal(await link(page, "Disable 2FA").count(), 0);
  await visit(page, "#/manage/disable");
  await see(heading(page, "Disable 2FA"));
  await see(page.getByText(/^Two-factor authentication must stay on for your account/));
  assert.equal(await page.getByLabel("Account password").count(), 0);
  await see(link(page, "Add another authenticator"));
  assert.deepEqual(await violations(page, "Disable 2FA, forbidden"), []);
  assert.deepEqual(faults, []);
});

test("a check-up is due, and a code that is right passes it", async () => {
  const { client, phone } = await protectedAccount(url, "carol");
  const { page, faults } = await open({ prepare: bringAxe });
  await signInWithCode(page, "carol", await phone.code());
  while (Date.parse((await client.status()).checkup_due_at) > Date.now()) await new Promise((wake) => setTimeout(wake, 100));
  await page.reload();
  await see(page.getByRole("heading", { name: "Does your second factor still work?" }));
  await see(page.getByText("10 of 10 recovery codes are left."));
  await button(page, "Check it now").click();
  const dialog = page.getByRole("dialog");
  await see(dialog.getByLabel(APP_CODE));
  assert.deepEqual(await violations(page, "Account Security, check-up"), []);
  await dialog.getByLabel(APP_CODE).fill(phone.wrongCode());
  await dialog.getByRole("button", { name: "Confirm", exact: true }).click();
  await see(dialog.getByText(/^That was not right/).first());
  await dialog.getByLabel(APP_CODE).fill(await phone.code());
  await dialog.getByRole("button", { name: "Confirm", exact: true }).click();
  await see(page.getByRole("status").filter({ hasText: "It works." }));
  assert.equal(await page.getByRole("heading", { name: "Does your second factor still work?" }).count(), 0);
  assert.deepEqual(faults, []);
});
