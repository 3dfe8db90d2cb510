// Passkeys and codes that are sent: set up, used to sign in and in the middle of a call, put in each other's place
// without a gap, and ended.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { protectedAccount, signedIn } from "./account.mjs";
import { bringAxe, violations } from "./axe.mjs";
import { start } from "./browser.mjs";
import { openGateway, openPost } from "./post.mjs";
import { APP_CODE, acknowledge, button, enterPassword, heading, link, recoveryCodes, see, signIn, signOut } from "./steps.mjs";

const [post, gateway] = [await openPost(), await openGateway()];
// A passkey belongs to an origin, which the service has to know before it starts.
const place = createServer().listen(0, "127.0.0.1");
await once(place, "listening");
const { port } = place.address();
place.close();
const origin = `http://localhost:${port}`;
const settings = {
  ...post.settings, ...gateway.settings,
  TWOFOLD_LISTEN: `127.0.0.1:${port}`,
  TWOFOLD_WEBAUTHN_RP_ID: "localhost",
  TWOFOLD_WEBAUTHN_ORIGINS: origin,
  TWOFOLD_METHODS: "passkey,totp,sms,email",
};
const { url, open } = await start({ persons: ["alice", "bob", "carol", "dave", "erin", "frank"], settings });
const told = (page, hasText) => page.getByRole("status").filter({ hasText });
const visit = (page, hash) => page.evaluate((to) => (location.hash = to), hash);
const PHONE = "+60123456789";

/** A page at the passkeys' origin; its machine has an authenticator of its own, which says yes to everything. */
async function visitor({ hasAuthenticator = true } = {}) {
  const { page, faults, context } = await open({ prepare: bringAxe, of: origin });
  const wire = await context.newCDPSession(page);
  await wire.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  const add = async () => (await wire.send("WebAuthn.addVirtualAuthenticator", { options })).authenticatorId;
  const authenticator = hasAuthenticator ? await add() : null;
  return { page, faults, wire, authenticator };
}

async function begin(page, kind) {
  await link(page, "Set up two-factor authentication").click();
  await see(heading(page, "Set up two-factor authentication"));
  await see(page.getByText("Recommended"));
  await link(page, kind).click();
  await page.getByLabel("Account password").fill(PASSWORD);
}

test("a passkey is set up, signs in, and is no more when two-factor authentication ends", async () => {
  const { page, faults } = await visitor();
  await signIn(page, "alice");
  await link(page, "Set up two-factor authentication").click();
  await see(heading(page, "Set up two-factor authentication"));
  const kinds = await page.getByRole("main").getByRole("listitem").getByRole("link").allTextContents();
  assert.deepEqual(kinds, ["Passkey or security key", "Authenticator app", "Text message", "E-mail"], "the strongest first");
  assert.deepEqual(await violations(page, "choosing a kind"), []);
  await visit(page, "#/");
  await begin(page, "Passkey or security key");
  await button(page, "Continue").click();
  await see(heading(page, "Create passkey"));
  assert.deepEqual(await violations(page, "Create passkey"), []);
  await button(page, "Create passkey").click();
  const codes = await recoveryCodes(page);
  assert.equal(codes.length, 10);
  await acknowledge(page);
  await see(page.getByText("Passkey or security key"));

  await signOut(page);
  await enterPassword(page, "alice");
  await see(heading(page, "Confirm that it is you"));
  assert.deepEqual(await violations(page, "Confirm that it is you, passkey"), []);
  await button(page, "Use a recovery code instead").click();
  await see(page.getByLabel("Recovery code", { exact: true }));
  await button(page, "Use a passkey instead").click();
  await button(page, "Use passkey").click();
  await see(heading(page, "Account Security"));
  await see(page.getByText("Signing in takes your password and one of your authenticators."));

  await visit(page, "#/manage/disable");
  await see(heading(page, "Disable 2FA"));
  await see(page.getByRole("listitem").filter({ hasText: /^Passkey \(Passkey or security key\)$/ }));
  assert.deepEqual(await violations(page, "Disable 2FA, passkey"), []);
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Disable 2FA").click();
  await see(heading(page, "Two-factor authentication is off"));
  await see(page.getByText(/passkey/i).first());
  assert.deepEqual(faults, []);
});

test("an app gives way to a passkey and the passkey to an app, and the account is protected all the time", async () => {
  const { phone, codes } = await protectedAccount(url, "bob");
  const { page, faults } = await visitor();
  await enterPassword(page, "bob");
  await page.getByLabel(APP_CODE).fill(await phone.code());
  await button(page, "Sign in").click();
  await see(heading(page, "Account Security"));
  await visit(page, "#/manage/disable");
  await see(page.getByText(/^If you only want another method/));
  await link(page, "Switch to another method").click();
  await see(heading(page, "Switch to another method"));
  await link(page, "Passkey or security key").click();
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Continue").click();
  await button(page, "Create passkey").click();
  await see(told(page, "You have switched."));
  await signOut(page);
  await enterPassword(page, "bob");
  await button(page, "Use passkey").click();
  await see(heading(page, "Account Security"));

  await visit(page, "#/manage");
  await page.getByRole("link", { name: /^Switch to another method/ }).click();
  await link(page, "Authenticator app").click();
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Continue").click();
  await see(heading(page, "Connect your authenticator app"));
  const next = await phone.constructor.scan(page.getByRole("img", { name: /^QR code/ }));
  await page.getByLabel("Code that the app shows").fill(await next.code());
  await button(page, "Confirm").click();
  await see(told(page, "You have switched."));
  await signOut(page);
  await enterPassword(page, "bob");
  // The recovery codes are those of before: neither switch made others.
  await button(page, "Use a recovery code instead").click();
  await page.getByLabel("Recovery code", { exact: true }).fill(codes[0]);
  await button(page, "Sign in").click();
  await see(heading(page, "Account Security"));
  assert.deepEqual(faults, []);
});

test("who has no passkey at hand is told so, and takes another way", async () => {
  const { page, faults, wire, authenticator } = await visitor();
  await signIn(page, "carol");
  await begin(page, "Passkey or security key");
  await button(page, "Continue").click();
  await button(page, "Create passkey").click();
  const codes = await recoveryCodes(page);
  await acknowledge(page);
  await signOut(page);
  await wire.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: authenticator });
  await wire.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true } });
  await enterPassword(page, "carol");
  await button(page, "Use passkey").click();
  await see(page.getByText(/^Nothing came of it/));
  await button(page, "Use a recovery code instead").click();
  await page.getByLabel("Recovery code", { exact: true }).fill(codes[0]);
  await button(page, "Sign in").click();
  await see(heading(page, "Account Security"));
  assert.deepEqual(faults, []);
});

test("on a remembered device a change is proved with the passkey, in a dialog", async () => {
  const { page, faults } = await visitor();
  await signIn(page, "frank");
  await begin(page, "Passkey or security key");
  await button(page, "Continue").click();
  await button(page, "Create passkey").click();
  const codes = await recoveryCodes(page);
  await acknowledge(page);
  await signOut(page);
  await enterPassword(page, "frank");
  await page.getByLabel("Do not ask on this device for 30 days").check();
  await button(page, "Use passkey").click();
  await see(heading(page, "Account Security"));
  await signOut(page);
  await signIn(page, "frank");

  await visit(page, "#/manage/recovery-codes");
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Make new recovery codes").click();
  const dialog = page.getByRole("dialog");
  await see(dialog.getByRole("button", { name: "Use passkey" }));
  assert.deepEqual(await violations(page, "the dialog, passkey"), []);
  await dialog.getByRole("button", { name: "Use passkey" }).click();
  assert.notDeepEqual(await recoveryCodes(page), codes);
  assert.deepEqual(faults, []);
});

for (const [name, kind, to, box] of [["dave", "E-mail", email("dave"), post.box], ["erin", "Text message", PHONE, gateway.box]]) {
  test(`${kind}: a code that is sent sets it up and signs in`, async () => {
    const { page, faults } = await visitor({ hasAuthenticator: false });
    await signIn(page, name);
    await begin(page, kind);
    if (kind === "Text message") {
      await button(page, "Continue").click();
      await see(page.getByText("Enter your phone number."));
      await page.getByLabel("Mobile phone number").fill("+60 12-345 6789");
    }
    await button(page, "Continue").click();
    await see(heading(page, "Enter the code"));
    await box.code(to);
    await button(page, "Send a new code").click();
    await see(told(page, "We have sent a code to"));
    assert.deepEqual(await violations(page, `Enter the code, ${kind}`), []);
    await page.getByLabel("Code that we have sent").fill(await box.code(to, 2));
    await button(page, "Confirm").click();
    assert.equal((await recoveryCodes(page)).length, 10);
    await acknowledge(page);

    await signOut(page);
    await enterPassword(page, name);
    await button(page, "Send code").click();
    await see(page.getByText(/^We have sent a code to /));
    assert.deepEqual(await violations(page, `Confirm that it is you, ${kind}`), []);
    await page.getByLabel("Code that we have sent").fill("00000000");
    await button(page, "Sign in").click();
    await see(page.getByText(/^That was not right/).first());
    await page.getByLabel("Code that we have sent").fill(await box.code(to, 3));
    await button(page, "Sign in").click();
    await see(heading(page, "Account Security"));
    assert.equal((await signedIn(url, name)).isSignedIn, false, "a password alone opens nothing");
    assert.deepEqual(faults, []);
  });
}
