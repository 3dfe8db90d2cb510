// Step-up: the proof of the second factor became too old while a form was being filled in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PASSWORD } from "../../clients/typescript/test/service.mjs";
import { protectedAccount } from "./account.mjs";
import { bringAxe, violations } from "./axe.mjs";
import { start } from "./browser.mjs";
import { APP_CODE, acknowledge, button, heading, recoveryCodes, see, signInWithRecoveryCode } from "./steps.mjs";

// Long enough to open a form while the proof is fresh, short enough to wait for its end.
const MAX_AGE = 4;
const settings = { TWOFOLD_STEP_UP_MAX_AGE: String(MAX_AGE) };
const { url, open } = await start({ persons: ["alice", "bob", "carol", "dave"], settings });
const question = (page) => page.getByRole("dialog", { name: "Confirm that it is you" });

/** A form that was opened with a fresh proof; `age` waits until the proof is too old. */
async function openedFresh(name, at, title) {
  const account = await protectedAccount(url, name);
  const { page, faults } = await open({ at, prepare: bringAxe });
  await signInWithRecoveryCode(page, name, account.codes[0]);
  const proved = Date.now();
  await see(heading(page, title));
  assert.equal(await page.getByLabel(APP_CODE).count(), 0, "the form asks for no code while the proof is fresh");
  await page.getByLabel("Account password").fill(PASSWORD);
  const age = () => sleep(Math.max(0, proved + (MAX_AGE + 1) * 1000 - Date.now()));
  return { ...account, page, faults, age };
}

test("disabling asks for a code in between, and goes on with it", async () => {
  const { page, faults, codes, age } = await openedFresh("alice", "#/manage/disable", "Disable 2FA");
  await age();
  await button(page, "Disable 2FA").click();
  await see(question(page));
  const code = question(page).getByLabel(APP_CODE);
  assert.ok(await code.evaluate((input) => input === document.activeElement), "the focus is where the code goes");
  await see(question(page).getByText(/prove your second factor again/));
  assert.deepEqual(await violations(page, "step-up"), []);

  await question(page).getByRole("button", { name: "Confirm" }).click();
  await see(question(page).getByText("Enter the six-digit code."));
  await question(page).getByRole("button", { name: "Use a recovery code instead" }).click();
  await page.keyboard.type(codes[1]);
  await page.keyboard.press("Enter");
  await see(heading(page, "Two-factor authentication is off"));
  assert.equal(await question(page).count(), 0);
  assert.deepEqual(faults, []);
});

test("who gives up is told that nothing was changed, is where he was, and can still go on", async () => {
  const title = "Make new recovery codes";
  const { page, faults, phone, client, age } = await openedFresh("bob", "#/manage/recovery-codes", title);
  const before = (await client.status()).recovery_codes;
  await age();
  await button(page, title).click();
  await see(question(page));
  await page.keyboard.press("Escape");
  await see(page.getByRole("alert").getByText("A code from your authenticator app is needed for this. Nothing was changed."));
  assert.equal(await question(page).count(), 0);
  const back = await button(page, title).evaluate((one) => one === document.activeElement);
  assert.ok(back, "the focus is back on the button that led to the question");
  assert.deepEqual((await client.status()).recovery_codes, before);

  await button(page, title).click();
  await see(question(page));
  await question(page).getByLabel(APP_CODE).fill(await phone.code());
  await question(page).getByRole("button", { name: "Confirm" }).click();
  assert.equal((await recoveryCodes(page)).length, 10);
  await acknowledge(page);
  assert.deepEqual(faults, []);
});

test("a wrong code in between is asked for again where it was, and the form goes on", async () => {
  const { page, faults, phone, codes, age } = await openedFresh("carol", "#/manage/disable", "Disable 2FA");
  await age();
  await button(page, "Disable 2FA").click();
  await question(page).getByLabel(APP_CODE).fill(phone.wrongCode());
  await question(page).getByRole("button", { name: "Confirm" }).click();
  await see(question(page).getByText(/^That was not right/));
  const code = question(page).getByLabel(APP_CODE);
  assert.ok(await code.evaluate((input) => input === document.activeElement && input.value === ""), "to be typed anew");
  assert.deepEqual(await violations(page, "step-up, refused"), []);
  await question(page).getByRole("button", { name: "Use a recovery code instead" }).click();
  await question(page).getByLabel("Recovery code", { exact: true }).fill(codes[1]);
  await question(page).getByRole("button", { name: "Confirm" }).click();
  await see(heading(page, "Two-factor authentication is off"));

  assert.deepEqual(faults, []);
});

test("a form that is opened with an old proof asks for the code itself", async () => {
  // Dave's session goes on for longer than his proof counts.
  const { page, faults, age } = await openedFresh("dave", "#/manage/disable", "Disable 2FA");
  await age();
  await page.reload();
  await see(page.getByLabel(APP_CODE));
  assert.deepEqual(faults, []);
});
