// The whole way of a customer: set up, sign in with a code, disable, and sign in by password alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { start } from "./browser.mjs";
import { acknowledge, beginSetUp, button, heading, link, recoveryCodes, see, signIn, signInWithCode, signOut } from "./steps.mjs";

const { open } = await start({ persons: ["alice"] });

test("from a password alone to two factors and back", async () => {
  const { page, faults } = await open();
  await signIn(page, "alice");
  await see(page.getByText("Your account is protected by its password alone"));

  const phone = await beginSetUp(page);
  assert.ok(phone.totp.label.includes(email("alice")), "the picture names the account");
  await button(page, "Confirm").click();
  const codes = await recoveryCodes(page);
  assert.equal(codes.length, 10);
  assert.equal(new Set(codes).size, 10);
  // Going on takes the acknowledgement.
  await button(page, "Continue").click();
  await see(page.getByText("Save the codes first, then say so here."));
  await acknowledge(page);
  await see(page.getByText("Two-factor authentication is on. From now on, signing in takes a code."));

  await signOut(page);
  await signInWithCode(page, "alice", await phone.code());
  await see(page.getByText("Signing in takes your password and a code from your authenticator app."));

  await link(page, "Manage two-factor authentication").click();
  await see(page.getByRole("heading", { name: "Pixel 9" }));
  await link(page, "Disable 2FA").click();
  await see(heading(page, "Disable 2FA"));
  await page.getByLabel("I do not want it").check();
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Disable 2FA").click();
  await see(heading(page, "Two-factor authentication is off"));
  // The sentence is the service's own.
  await see(page.getByRole("status").filter({ hasText: "Your account is no longer protected by an authenticator app." }));
  await see(link(page, "Set up two-factor authentication again"));

  await signOut(page);
  await signIn(page, "alice");
  await see(page.getByText("Your account is protected by its password alone"));
  await see(link(page, "Set up two-factor authentication"));
  assert.deepEqual(faults, []);
});
