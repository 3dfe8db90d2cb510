// The keyboard alone: no click in this file. The focus is always seen, and is never lost when a view changes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { protectedAccount } from "./account.mjs";
import { start } from "./browser.mjs";
import { assertFocusOn, hasFocus, press, tabTo, type } from "./keys.mjs";
import { Phone } from "./phone.mjs";
import { APP_CODE, button, heading, link, recoveryCodes, see } from "./steps.mjs";

const { url, open } = await start({ persons: ["alice", "bob", "carol"] });
const password = (page) => page.getByLabel("Account password");

async function signIn(page, name) {
  await type(page, page.getByLabel("E-mail", { exact: true }), email(name));
  await type(page, page.getByLabel("Password", { exact: true }), PASSWORD);
  await page.keyboard.press("Enter");
}

test("setting up and disabling", async () => {
  const { page, faults } = await open();
  await see(heading(page, "Sign in"));
  await signIn(page, "alice");
  await assertFocusOn(heading(page, "Account Security"));

  await press(page, link(page, "Set up two-factor authentication"));
  await assertFocusOn(heading(page, "Set up two-factor authentication"));
  await type(page, page.getByLabel("Name of this authenticator"), "Pixel 9");
  // Nothing entered: the focus goes to the field that lacks something.
  await press(page, button(page, "Continue"));
  await see(page.getByText("Enter your password."));
  assert.ok(await hasFocus(password(page)));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");

  await assertFocusOn(heading(page, "Connect your authenticator app"));
  await tabTo(page, link(page, "Open in an app on this phone"));
  const phone = await Phone.scan(page.getByRole("img", { name: /^QR code/ }));
  const code = page.getByLabel("Code that the app shows");
  await type(page, code, phone.wrongCode());
  await page.keyboard.press("Enter");
  await see(page.getByText(/^That was not right/).first());
  assert.ok(await hasFocus(code), "a refused code is typed anew at once");
  assert.equal(await code.inputValue(), "");
  await page.keyboard.type(await phone.code());
  await press(page, button(page, "Confirm"));

  await assertFocusOn(heading(page, "Save your recovery codes"));
  assert.equal((await recoveryCodes(page)).length, 10);
  const saved = page.getByLabel("I have saved my recovery codes");
  await press(page, button(page, "Continue"));
  await see(page.getByText("Save the codes first, then say so here."));
  assert.ok(await hasFocus(saved));
  await page.keyboard.press("Space");
  await press(page, button(page, "Continue"));
  await assertFocusOn(heading(page, "Manage two-factor authentication"));

  await press(page, link(page, "Disable 2FA"));
  await assertFocusOn(heading(page, "Disable 2FA"));
  await press(page, page.getByLabel("I have a new phone"), "Space");
  await see(link(page, "Move to a new phone"));
  await page.keyboard.press("ArrowUp");
  assert.ok(await hasFocus(page.getByLabel("Another reason")), "the reasons are one group, which the arrows walk");
  await type(page, password(page), PASSWORD);
  await press(page, button(page, "Disable 2FA"));
  await assertFocusOn(heading(page, "Two-factor authentication is off"));
  await tabTo(page, link(page, "Set up two-factor authentication again"));
  assert.deepEqual(faults, []);
});

test("the header is skipped by its link, and the language keeps the focus", async () => {
  const { page, faults } = await open();
  await see(heading(page, "Sign in"));
  await press(page, link(page, "Skip to content"));
  assert.ok(await hasFocus(page.getByRole("main")));
  await page.keyboard.press("Tab");
  assert.ok(await hasFocus(page.getByLabel("E-mail", { exact: true })));
  await tabTo(page, button(page, "Show Password"));
  await page.keyboard.press("Enter");
  assert.ok(await hasFocus(button(page, "Hide Password")));
  assert.deepEqual(faults, []);
});

test("a code at sign-in, and every view that is reached by a link", async () => {
  const { client, codes, phone } = await protectedAccount(url, "bob");
  await client.signOut();
  const { page, faults } = await open();
  await see(heading(page, "Sign in"));
  await signIn(page, "bob");
  await assertFocusOn(heading(page, "Confirm that it is you"));
  await press(page, button(page, "Use a recovery code instead"));
  assert.ok(await hasFocus(page.getByLabel("Recovery code", { exact: true })));
  await page.keyboard.type(codes[0]);
  await press(page, button(page, "Use a code from the app instead"));
  assert.ok(await hasFocus(page.getByLabel(APP_CODE)));
  await page.keyboard.type(await phone.code());
  await page.keyboard.press("Enter");
  await assertFocusOn(heading(page, "Account Security"));

  for (const name of ["Security log", "Sessions", "Change password"]) {
    await press(page, page.getByRole("navigation").getByRole("link", { name, exact: true }));
    await assertFocusOn(heading(page, name));
  }
  await page.goBack();
  await assertFocusOn(heading(page, "Sessions"));
  await press(page, page.getByRole("navigation").getByRole("link", { name: "Account Security" }));
  await assertFocusOn(heading(page, "Account Security"));
  await press(page, link(page, "Manage two-factor authentication"));
  for (const [name, title] of [[/^Rename/, "Rename “Pixel 9”"], [/^Move/, "Move to a new phone"], [/^Make new/, "Make new recovery codes"], [/^Add another/, "Add another authenticator"]]) {
    await assertFocusOn(heading(page, "Manage two-factor authentication"));
    await press(page, page.getByRole("main").getByRole("link", { name }));
    await assertFocusOn(heading(page, title));
    await press(page, link(page, "Cancel"));
  }
  await assertFocusOn(heading(page, "Manage two-factor authentication"));
  await press(page, button(page, "Sign out"));
  await assertFocusOn(heading(page, "Sign in"));
  assert.deepEqual(faults, []);
});

test("on a small phone nothing lies over the focus either", async () => {
  await protectedAccount(url, "carol");
  const { page, faults } = await open({ viewport: { width: 320, height: 480 } });
  await see(heading(page, "Sign in"));
  await signIn(page, "carol");
  await assertFocusOn(heading(page, "Confirm that it is you"));
  await tabTo(page, link(page, "Cancel"));
  assert.deepEqual(faults, []);
});
