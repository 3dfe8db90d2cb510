// The main job, as a portal sees it that has an identity provider of its own.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Phone } from "../../clients/typescript/test/phone.mjs";
import { PASSWORD, startService } from "../../clients/typescript/test/service.mjs";
import { AUDIENCE, SECOND_FACTOR, startProvider } from "./provider.mjs";

const FACTORS = "/account/security/2fa";
const provider = await startProvider();
after(() => provider.stop());
const service = await startService({
  persons: ["alice", "bob", "carol"],
  areKnownToPortal: true,
  settings: {
    TWOFOLD_SIGN_IN: "false",
    TWOFOLD_PORTAL_ISSUER: provider.issuer,
    TWOFOLD_PORTAL_AUDIENCE: AUDIENCE,
    TWOFOLD_PORTAL_JWKS: `${provider.issuer}/jwks`,
    TWOFOLD_PORTAL_ALGORITHM: "RS256",
    TWOFOLD_PORTAL_AAL2: SECOND_FACTOR,
  },
});
after(() => service.stop());

async function call(token, method, path, body) {
  const headers = { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) };
  const answer = await fetch(service.url + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json().catch(() => null) };
}

/** A token is good from the second after the change on: the portal fetches another. */
async function afterChange(...signIn) {
  await sleep(1100);
  return provider.signIn(...signIn);
}

async function setUp(token) {
  const started = await call(token, "POST", `${FACTORS}/totp`, { password: PASSWORD });
  assert.equal(started.status, 201);
  const phone = new Phone(started.body.otpauth_uri);
  const confirmed = await call(token, "POST", `${FACTORS}/totp/${started.body.id}/confirm`, { code: await phone.code() });
  assert.equal(confirmed.status, 200);
  assert.equal(confirmed.body.tokens, null);
  return phone;
}

test("a customer sets up, and disables with a code", async () => {
  const token = await provider.signIn("alice");
  assert.equal((await call(token, "GET", FACTORS)).body.enabled, false);
  const phone = await setUp(token);
  assert.equal((await call(token, "GET", FACTORS)).status, 401, "the change ends the tokens before it");

  const later = await afterChange("alice");
  assert.equal((await call(later, "POST", `${FACTORS}/disable`, { password: PASSWORD })).body.code, "insufficient-user-authentication");
  const disabled = await call(later, "POST", `${FACTORS}/disable`, { password: PASSWORD, code: await phone.code() });
  assert.equal(disabled.status, 200);
  assert.equal(disabled.body.message, "Your account is no longer protected by an authenticator app.");
  const last = await afterChange("alice");
  assert.equal((await call(last, "GET", FACTORS)).body.enabled, false);
});

test("a second factor that the provider asked for is enough beside the password", async () => {
  await setUp(await provider.signIn("bob"));
  const token = await afterChange("bob", { scope: "openid mfa" });
  assert.equal((await call(token, "POST", `${FACTORS}/disable`, { password: PASSWORD })).status, 200);
});

test("new keys of the provider are known at once, and the old ones count no more", async () => {
  const before = await provider.signIn("carol");
  assert.equal((await call(before, "GET", FACTORS)).status, 200);
  provider.rotate();
  const token = await provider.signIn("carol");
  assert.equal((await call(token, "GET", FACTORS)).status, 200);
  assert.equal((await call(before, "GET", FACTORS)).status, 401);
});

test("nobody else's token counts, and nobody signs in here", async () => {
  const stranger = await provider.signIn("mallory");
  assert.equal((await call(stranger, "GET", FACTORS)).status, 401);
  const login = await fetch(`${service.url}/auth/login`, { method: "POST" });
  assert.equal(login.status, 404);
});
