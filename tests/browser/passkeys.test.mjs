// Passkeys in a real browser, whose security key is one of its own making: what the service asks is what the browser
// takes, and what the browser answers is what the service takes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { start } from "./browser.mjs";
import { Calls, Key, freePort, settingsAt, strangersPage } from "./passkey.mjs";
import { Phone } from "./phone.mjs";

const SECURITY = "/account/security/2fa";
const persons = ["alice", "bob", "carol", "dave"];
const { open } = await start({ persons, settings: settingsAt(await freePort()), host: "localhost" });

/** Somebody signed in by the password, at a page with a security key. */
async function signedIn(name) {
  const { page, faults } = await open();
  const [key, calls] = [await Key.pluggedIn(page), new Calls(page)];
  const { body } = await calls.post("/auth/login", { email: email(name), password: PASSWORD });
  assert.equal(body.result, "signed_in");
  return { page, faults, key, calls };
}

async function setUp({ key, calls }, more = {}) {
  const begun = await calls.post(`${SECURITY}/passkeys`, { password: PASSWORD, ...more });
  assert.equal(begun.status, 201, JSON.stringify(begun.body));
  const credential = await key.create(begun.body.public_key);
  const confirmed = await calls.post(`${SECURITY}/passkeys/${begun.body.id}/confirm`, { credential });
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
  return confirmed.body;
}

/** Signs in by the password; the challenge, and what a passkey is asked by. */
async function challenged(name, calls) {
  const login = await calls.post("/auth/login", { email: email(name), password: PASSWORD });
  const challenge = login.body.challenge;
  const started = await calls.post("/auth/login/second-factor/start", { challenge, method: "passkey" });
  return { challenge, methods: login.body.methods, started };
}

const kinds = ({ status }) => status.methods.map(({ type }) => type);

test("a passkey is set up, signed in with, and given up", async () => {
  const alice = await signedIn("alice");
  const confirmed = await setUp(alice);
  assert.deepEqual(kinds(confirmed), ["passkey"]);
  assert.equal(confirmed.recovery_codes.length, 10);
  assert.deepEqual(confirmed.tokens.amr, ["pwd", "hwk", "user", "mfa"]);

  const { challenge, methods, started } = await challenged("alice", alice.calls);
  assert.deepEqual(methods, ["passkey", "recovery_code"]);
  const credential = await alice.key.get(started.body.public_key);
  const entered = await alice.calls.post("/auth/login/second-factor", { challenge, credential });
  assert.equal(entered.status, 200, JSON.stringify(entered.body));
  assert.equal(entered.body.tokens.acr, "aal2");

  const off = await alice.calls.post(`${SECURITY}/disable`, { password: PASSWORD, reason: "not_wanted" });
  assert.equal(off.status, 200, JSON.stringify(off.body));
  assert.deepEqual(off.body.ended, ["passkey"]);
  const login = await alice.calls.post("/auth/login", { email: email("alice"), password: PASSWORD });
  assert.equal(login.body.result, "signed_in");
  assert.deepEqual(alice.faults, []);
});

test("an app is exchanged for a passkey and back", async () => {
  const bob = await signedIn("bob");
  const app = await bob.calls.post(`${SECURITY}/totp`, { password: PASSWORD });
  const phone = new Phone(app.body.otpauth_uri);
  await bob.calls.post(`${SECURITY}/totp/${app.body.id}/confirm`, { code: await phone.code() });
  const switched = await setUp(bob, { replaces: app.body.id });
  assert.deepEqual(kinds(switched), ["passkey"]);
  assert.equal(switched.recovery_codes, null, "the codes go on");

  const passkey = switched.status.methods[0].id;
  const back = await bob.calls.post(`${SECURITY}/totp`, { password: PASSWORD, replaces: passkey });
  const other = new Phone(back.body.otpauth_uri);
  const returned = await bob.calls.post(`${SECURITY}/totp/${back.body.id}/confirm`, { code: await other.code() });
  assert.deepEqual(kinds(returned.body), ["totp"]);
  const { methods, started } = await challenged("bob", bob.calls);
  assert.deepEqual(methods, ["totp", "recovery_code"]);
  assert.equal(started.body.code, "method-not-available");
});

test("a second passkey is not made by the key that has one", async () => {
  const dave = await signedIn("dave");
  await setUp(dave);
  const begun = await dave.calls.post(`${SECURITY}/passkeys`, { password: PASSWORD });
  await assert.rejects(dave.key.create(begun.body.public_key), /InvalidStateError/);
});

test("what was signed elsewhere, before, by a copy or by nobody is refused", async () => {
  const carol = await signedIn("carol");
  await setUp(carol);
  const verify = (credential) => carol.calls.post(`${SECURITY}/verify`, { credential });
  const asked = async () => (await carol.calls.post(`${SECURITY}/verify/start`, { method: "passkey" })).body.public_key;
  const refused = ({ status, body }) => assert.deepEqual([status, body.code], [403, "invalid-credential"]);

  const credential = await carol.key.get(await asked());
  assert.equal((await verify(credential)).status, 200);
  refused(await verify(credential));

  for (const part of ["authenticatorData", "signature"]) {
    const tampered = await carol.key.get(await asked());
    const text = tampered.response[part];
    const middle = text.length >> 1;
    tampered.response[part] = text.slice(0, middle) + (text[middle] === "A" ? "B" : "A") + text.slice(middle + 1);
    refused(await verify(tampered));
  }

  const elsewhere = await carol.page.context().newPage();
  await elsewhere.goto(await strangersPage());
  const there = await Key.pluggedIn(elsewhere);
  await carol.key.copyTo(there, 100);
  refused(await verify(await there.get(await asked())));

  // The copy, back at the right page: it counts from where it was copied, and its owner has gone on.
  assert.equal((await verify(await carol.key.get(await asked()))).status, 200);
  const { page } = await open();
  const copy = await Key.pluggedIn(page);
  await carol.key.copyTo(copy, 1);
  refused(await verify(await copy.get(await asked())));
  const events = await carol.page.evaluate(async (token) => {
    const response = await fetch("/account/security/events", { headers: { Authorization: `Bearer ${token}` } });
    return (await response.json()).events.map(({ type }) => type);
  }, carol.calls.token);
  assert.ok(events.includes("passkey.counter_went_back"), events.join(" "));
});
