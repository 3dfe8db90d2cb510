// What was shown once is not shown again, whichever way the customer goes back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "./browser.mjs";
import { acknowledge, beginSetUp, button, heading, recoveryCodes, see, signIn } from "./steps.mjs";

const { open } = await start({ persons: ["alice", "bob"] });

/** All that the document holds, what is not visible included; the key is written in groups. */
const holds = (page) => page.evaluate(() => {
  const values = [...document.querySelectorAll("input")].map((input) => input.value);
  return [document.documentElement.outerHTML, document.body.textContent, ...values].join("\n");
});

async function assertNoSecret(page, { codes, phone }) {
  const document = await holds(page);
  for (const code of codes) assert.ok(!document.includes(code), `a recovery code is in the document at ${page.url()}`);
  assert.ok(!document.includes(phone.totp.secret.base32), `the key is in the document at ${page.url()}`);
  assert.equal(await page.getByRole("img", { name: /^QR code/ }).count(), 0);
}

async function confirmed(page, name) {
  await signIn(page, name);
  const phone = await beginSetUp(page);
  // Both are found while they are shown, so that not to find them means something.
  assert.ok((await holds(page)).includes(phone.totp.secret.base32));
  await button(page, "Confirm").click();
  const codes = await recoveryCodes(page);
  const document = await holds(page);
  for (const code of codes) assert.ok(document.includes(code));
  return { phone, codes };
}

test("back after the acknowledgement shows no secret, nor does forward", async () => {
  const { page, faults } = await open();
  const secrets = await confirmed(page, "alice");
  await acknowledge(page);
  await assertNoSecret(page, secrets);
  await page.goBack();
  await see(heading(page, "Account Security"));
  await assertNoSecret(page, secrets);
  await page.goForward();
  await see(heading(page, "Manage two-factor authentication"));
  await assertNoSecret(page, secrets);
  assert.deepEqual(faults, []);
});

test("back from the recovery codes, and a reload, show no secret either", async () => {
  const { page, faults } = await open();
  const secrets = await confirmed(page, "bob");
  await page.goBack();
  await see(heading(page, "Account Security"));
  await see(page.getByText(/make new ones: they are not shown again/));
  await assertNoSecret(page, secrets);
  await page.goForward();
  await see(heading(page, "Manage two-factor authentication"));
  await assertNoSecret(page, secrets);
  await page.reload();
  await see(heading(page, "Manage two-factor authentication"));
  await assertNoSecret(page, secrets);
  assert.deepEqual(faults, []);
});
