// No violation that axe-core knows, on any view, in any state that a customer comes to.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD } from "../../clients/typescript/test/service.mjs";
import { bringAxe, violations } from "./axe.mjs";
import { start } from "./browser.mjs";
import { APP_CODE, acknowledge, beginSetUp, button, enterPassword, heading, link, recoveryCodes, see, setUp, signIn, signOut } from "./steps.mjs";

const { url, open } = await start({ persons: ["alice", "bob"] });

/** A page, and a `look` that inspects the view with this heading; `end` asserts over all of them. */
async function inspected() {
  const { page, faults } = await open({ prepare: bringAxe });
  const found = [];
  const seen = [];
  const look = async (name, state = "") => {
    await see(heading(page, name));
    seen.push(`${name}${state}`);
    found.push(...(await violations(page, `${name}${state}`)));
  };
  const end = (t) => {
    t.diagnostic(`inspected: ${seen.join("; ")}`);
    assert.deepEqual(found, []);
    assert.deepEqual(faults, []);
  };
  return { page, look, end };
}

const visit = (page, hash) => page.evaluate((to) => (location.hash = to), hash);

test("signing in and setting up", async (t) => {
  const { page, look, end } = await inspected();
  await look("Sign in");
  await button(page, "Sign in").click();
  await see(page.getByText("Enter your password."));
  await look("Sign in", ", nothing entered");
  await enterPassword(page, "alice", "wrong horse battery");
  await see(page.getByText("The e-mail address or the password is not right."));
  await look("Sign in", ", refused");
  await signIn(page, "alice");
  await look("Account Security", ", off");
  await visit(page, "#/set-up");
  await look("Set up two-factor authentication");
  await visit(page, "#/");
  await see(heading(page, "Account Security"));
  await beginSetUp(page);
  await look("Connect your authenticator app");
  await button(page, "Confirm").click();
  await recoveryCodes(page);
  await look("Save your recovery codes");
  await button(page, "Continue").click();
  await look("Save your recovery codes", ", not acknowledged");
  await acknowledge(page);
  await look("Manage two-factor authentication");
  await visit(page, "#/");
  await look("Account Security", ", on");
  end(t);
});

test("managing, ending and signing in again", async (t) => {
  const { page, look, end } = await inspected();
  await signIn(page, "bob");
  const { phone } = await setUp(page);
  const rename = await page.getByRole("link", { name: /^Rename/ }).getAttribute("href");
  const path = (part) => rename.replace("/rename/", `/${part}/`);

  await visit(page, path("rename"));
  await look("Rename “Pixel 9”");
  await visit(page, path("move"));
  await look("Move to a new phone");
  await visit(page, "#/manage/recovery-codes");
  await look("Make new recovery codes");
  await visit(page, "#/manage/add");
  await look("Add another authenticator");
  await addTablet(page, phone);
  await look("Manage two-factor authentication", ", two authenticators");
  await visit(page, path("remove"));
  await look("Remove “Pixel 9”");
  await visit(page, "#/log");
  await look("Security log");
  await visit(page, "#/sessions");
  await look("Sessions");
  await visit(page, "#/password");
  await look("Change password");

  await signOut(page);
  await look("Sign in", ", signed out");
  await enterPassword(page, "bob");
  await look("Confirm that it is you");
  await page.getByLabel(APP_CODE).fill(phone.wrongCode());
  await button(page, "Sign in").click();
  await see(page.getByText(/^That was not right/).first());
  await look("Confirm that it is you", ", refused");
  await button(page, "Use a recovery code instead").click();
  await look("Confirm that it is you", ", recovery code");
  await button(page, "Use a code from the app instead").click();
  await page.getByLabel(APP_CODE).fill(await phone.code());
  await button(page, "Sign in").click();
  await see(heading(page, "Account Security"));

  await visit(page, "#/manage/disable");
  await look("Disable 2FA");
  await page.getByLabel("I want to use another app").check();
  await look("Disable 2FA", ", with an offer");
  await page.getByLabel("Account password").fill("wrong horse battery");
  await button(page, "Disable 2FA").click();
  await see(page.getByText(/^The password is not right/).first());
  await look("Disable 2FA", ", refused");
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Disable 2FA").click();
  await look("Two-factor authentication is off");
  await page.route(`${url}/**`, (route) => route.abort());
  await visit(page, "#/log");
  await look("This page could not be loaded");
  end(t);
});

async function addTablet(page, phone) {
  await page.getByLabel("Account password").fill(PASSWORD);
  const code = page.getByLabel(APP_CODE);
  if (await code.isVisible()) await code.fill(await phone.code());
  await button(page, "Continue").click();
  await see(heading(page, "Connect your authenticator app"));
  const tablet = await phone.constructor.scan(page.getByRole("img", { name: /^QR code/ }));
  await page.getByLabel("Code that the app shows").fill(await tablet.code());
  await button(page, "Confirm").click();
  await see(heading(page, "Manage two-factor authentication"));
}
