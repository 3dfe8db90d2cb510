// What a customer does with two-factor authentication, from the first sign-in to the next phone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ProblemError, Twofold } from "../dist/index.js";
import { protectedBy, setUp, signInWith, signedIn } from "./persons.mjs";
import { PASSWORD, email, startService } from "./service.mjs";

const persons = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim", "leo"];
let service;
const settings = { TWOFOLD_WEBAUTHN_RP_ID: "localhost", TWOFOLD_WEBAUTHN_ORIGINS: "http://localhost:8080" };
before(async () => (service = await startService({ persons, settings })));
after(() => service.stop());

const invalidCredential = { name: "ProblemError", status: 403, code: "invalid-credential" };

test("a customer sets it up, signs in with a code, and switches it off", async () => {
  const { client, result } = await signedIn(service.url, "alice");
  assert.deepEqual(result, { result: "signed_in", setup_required: false });
  assert.equal((await client.status()).actions.setup.allowed, true);

  const { phone, confirmed } = await setUp(client);
  assert.equal(confirmed.recovery_codes.length, 10);
  assert.equal("tokens" in confirmed, false);
  await client.signOut();
  assert.equal(client.isSignedIn, false);

  const challenge = await client.signIn(email("alice"), PASSWORD);
  assert.equal(challenge.result, "second_factor_required");
  assert.equal(client.isSignedIn, false);
  await client.answer(challenge.challenge, { code: await phone.code() });
  assert.equal((await client.overview()).two_factor.enabled, true);

  assert.equal((await client.previewDisable()).would_revoke.methods, 1);
  const disabled = await client.disable({ password: PASSWORD, reason: "new_phone" });
  assert.equal(disabled.enabled, false);
  assert.equal((await client.status()).enabled, false);
  assert.deepEqual(await new Twofold({ baseUrl: service.url }).signIn(email("alice"), PASSWORD), { result: "signed_in", setup_required: false });
});

test("a code is refused the second time", async () => {
  const { client, phone } = await protectedBy(service.url, "bob");
  const code = await phone.code();
  await client.verify({ code });
  await assert.rejects(client.verify({ code }), invalidCredential);
});

test("a recovery code signs in once", async () => {
  const { client, codes, store } = await protectedBy(service.url, "carol");
  await signInWith(client, "carol", { recovery_code: codes[0] });
  assert.ok(store.load().amr.includes("rc"));
  await assert.rejects(signInWith(client, "carol", { recovery_code: codes[0] }), invalidCredential);
  const fresh = await client.regenerateRecoveryCodes({ password: PASSWORD });
  assert.equal(fresh.length, 10);
  await assert.rejects(signInWith(client, "carol", { recovery_code: codes[1] }), invalidCredential);
  await signInWith(client, "carol", { recovery_code: fresh[0] });
});

test("a phone is replaced by another", async () => {
  const { client, phone: old } = await protectedBy(service.url, "dave");
  const [method] = (await client.status()).methods;
  const { phone } = await setUp(client, { label: "Pixel 10", replaces: method.id });
  assert.deepEqual((await client.status()).methods.map(({ label }) => label), ["Pixel 10"]);
  await assert.rejects(client.verify({ code: await old.code() }), invalidCredential);
  await client.verify({ code: await phone.code() });
});

test("one of two authenticators is renamed and removed, the last one is not", async () => {
  const { client } = await protectedBy(service.url, "erin");
  const { enrolment } = await setUp(client, { label: "Tablet" });
  assert.equal((await client.renameMethod(enrolment.id, "Old tablet")).label, "Old tablet");
  const removed = await client.removeMethod(enrolment.id, { password: PASSWORD });
  assert.equal(removed.status.methods.length, 1);
  await assert.rejects(client.removeMethod(removed.status.methods[0].id, { password: PASSWORD }), { code: "last-method" });
});

test("an enrolment is looked at and given up", async () => {
  const { client } = await signedIn(service.url, "frank");
  const { id } = await client.startEnrolment({ password: PASSWORD });
  assert.equal((await client.enrolment(id)).state, "pending");
  await client.cancelEnrolment(id);
  await assert.rejects(client.enrolment(id), { status: 410, code: "enrolment-expired" });
});

test("the password is changed, and every other session ends", async () => {
  const { client } = await signedIn(service.url, "grace");
  const { client: elsewhere } = await signedIn(service.url, "grace");
  await client.changePassword({ current_password: PASSWORD, new_password: "another horse entirely" });
  await assert.rejects(elsewhere.status(), { status: 401 });
  assert.equal((await client.sessions()).sessions.length, 1);
  await assert.rejects(client.signIn(email("grace"), PASSWORD), invalidCredential);
});

test("a partner that sees the account is listed, shut out, and let in again", async () => {
  const acme = await service.operate("client", "add", "--name", "Acme", "--scope", "2fa:read events:read");
  const { client } = await signedIn(service.url, "ivan");
  assert.deepEqual((await client.partners()).partners, []);
  await client.allowPartner(acme.id);
  await client.allowPartner(acme.id);
  const [partner] = (await client.partners()).partners;
  assert.deepEqual([partner.id, partner.name, partner.by, partner.can_withdraw], [acme.id, "Acme", "owner", true]);
  await client.refusePartner(acme.id);
  assert.deepEqual((await client.partners()).partners, []);
  await assert.rejects(client.refusePartner(acme.id), { status: 404, code: "not-found" });
});

test("a device is remembered, spares the second factor, and is forgotten", async () => {
  const { phone } = await protectedBy(service.url, "judy");
  let token = null;
  const device = { load: () => token, save: (next) => (token = next) };
  const client = new Twofold({ baseUrl: service.url, device });
  const first = await client.signIn(email("judy"), PASSWORD);
  await client.answer(first.challenge, { code: await phone.code() }, { rememberDevice: true });
  const before = token;
  assert.ok(before);
  assert.deepEqual(await client.signIn(email("judy"), PASSWORD), { result: "signed_in", setup_required: false });
  assert.notEqual(token, before, "each is good once");
  const { devices: [one] } = await client.devices();
  assert.equal(one.current, true);
  await client.forgetDevice(one.id);
  assert.deepEqual(await client.forgetAllDevices(), { forgotten: 0 });
  assert.equal((await client.signIn(email("judy"), PASSWORD)).result, "second_factor_required");
});

test("a proof is asked for only of a method that the account has", async () => {
  const { client } = await protectedBy(service.url, "kim");
  await assert.rejects(client.startVerify("passkey"), { status: 409, code: "method-not-available" });
  const { challenge, methods } = await client.signIn(email("kim"), PASSWORD);
  assert.deepEqual(methods, ["totp", "recovery_code"]);
  await assert.rejects(client.startAnswer(challenge, "email"), { status: 409, code: "method-not-available" });
});

test("an enrolment of a passkey is started, refuses what was not asked for, and is given up", async () => {
  const { client } = await signedIn(service.url, "leo");
  const enrolment = await client.startPasskey({ password: PASSWORD, label: "Key" });
  assert.deepEqual([enrolment.type, enrolment.label, enrolment.public_key.rp.id], ["passkey", "Key", "localhost"]);
  await assert.rejects(client.confirmPasskey(enrolment.id, { id: "nonsense" }), ProblemError);
  await client.cancelEnrolment(enrolment.id, "passkey");
  assert.deepEqual((await client.status()).pending, []);
});

test("the security log is read page by page", async () => {
  const { client } = await signedIn(service.url, "heidi");
  await signedIn(service.url, "heidi");
  assert.equal((await client.endOtherSessions()).ended, 1);
  const first = await client.events({ limit: 1 });
  const second = await client.events({ limit: 1, cursor: first.next_cursor });
  assert.equal(first.events.length, 1);
  assert.notEqual(first.events[0].id, second.events[0].id);
});

test("problems are typed, and speak the language asked for", async () => {
  const { client } = await signedIn(service.url, "frank");
  const refused = async () => client.startEnrolment({ password: PASSWORD, label: "x".repeat(65) }).catch((e) => e);
  const english = await refused();
  assert.ok(english instanceof ProblemError);
  assert.equal(english.status, 422);
  assert.equal(english.code, "validation-failed");
  assert.equal(english.errors[0].pointer, "/label");
  assert.equal(english.problem.type, "/problems/validation-failed");
  assert.match(english.requestId, /./);
  client.language = "ms";
  const malay = await refused();
  assert.equal(malay.code, english.code);
  assert.notEqual(malay.title, english.title);
});

test("too many wrong codes are answered with the time to wait", async () => {
  const { client, phone } = await protectedBy(service.url, "heidi");
  const wrong = () => client.verify({ code: phone.wrongCode() }).catch((error) => error);
  const answers = [];
  for (let guess = 0; guess < 6; guess++) answers.push(await wrong());
  assert.deepEqual(answers.map(({ status }) => status), [403, 403, 403, 403, 403, 429]);
  assert.equal(answers[0].attemptsRemaining, 4);
  assert.equal(answers[5].code, "too-many-attempts");
  assert.ok(answers[5].retryAfter > 0);
});
