// What keeps a session alive, what ends it, and what is asked of its owner on the way.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MemoryStore, Twofold } from "../dist/index.js";
import { counting, protectedBy, signedIn } from "./persons.mjs";
import { PASSWORD, startService } from "./service.mjs";

const REFRESH = "/auth/token/refresh";
const STEP_UP_MAX_AGE = 3;
const persons = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
let service;
before(async () => {
  const settings = { TWOFOLD_STEP_UP_MAX_AGE: String(STEP_UP_MAX_AGE) };
  service = await startService({ persons, settings });
});
after(() => service.stop());

const past = (tokens) => ({ ...tokens, expires_at: Date.now() - 1000 });
const refused = (tokens) => ({ ...tokens, access_token: `${tokens.access_token}x` });

for (const [what, spoil] of [["expired", past], ["refused", refused]]) {
  test(`twenty calls at once with an access token that is ${what} make one refresh`, async () => {
    const refreshes = counting(REFRESH);
    const { client, store } = await signedIn(service.url, "alice", { fetch: refreshes.fetch });
    const before = store.load();
    store.save(spoil(before));
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.status()));
    assert.equal(answers.length, 20);
    assert.equal(refreshes.calls, 1);
    assert.notEqual(store.load().refresh_token, before.refresh_token);
    assert.ok(store.load().expires_at > Date.now());
  });
}

test("a session that was ended elsewhere signs the client out, once", async () => {
  let told = 0;
  const { client, store } = await signedIn(service.url, "bob", { onSignedOut: () => told++ });
  const { client: elsewhere } = await signedIn(service.url, "bob");
  const other = (await elsewhere.sessions()).sessions.find(({ current }) => !current);
  await elsewhere.endSession(other.id);

  const calls = await Promise.allSettled([client.status(), client.overview(), client.sessions()]);
  for (const { reason } of calls) assert.equal(reason.code, "invalid-token");
  assert.equal(told, 1);
  assert.equal(client.isSignedIn, false);
  assert.equal(store.load(), null);
});

test("a refresh that another tab has made is taken over", async () => {
  let other;
  // The other tab shares the store, and saves while our refresh, with a token that is dead by now, is on its way.
  const raced = (request) => {
    if (new URL(request.url).pathname === REFRESH) store.save(other);
    return fetch(request);
  };
  const onSignedOut = () => assert.fail("told");
  const { client, store } = await signedIn(service.url, "carol", { fetch: raced, onSignedOut });
  other = store.load();
  store.save({ ...other, refresh_token: "dead", access_token: "dead", expires_at: 0 });
  assert.equal((await client.status()).enabled, false);
  assert.deepEqual(store.load(), other);
});

test("signing out ends the session at the service, and is no surprise to be told of", async () => {
  let told = 0;
  const { client, store } = await signedIn(service.url, "dave", { onSignedOut: () => told++ });
  const kept = store.load();
  await client.signOut();
  store.save(kept);
  await assert.rejects(client.status(), { code: "invalid-token" });
  assert.equal(told, 1);

  const { client: other } = await signedIn(service.url, "dave");
  await other.signOut();
  await other.signOut();
  assert.equal(other.isSignedIn, false);
});

test("without a sign-in a call is refused, and nobody is told of a session that never was", async () => {
  const client = new Twofold({ baseUrl: service.url, onSignedOut: () => assert.fail("told") });
  await assert.rejects(client.status(), { name: "ProblemError", status: 401, code: "invalid-token" });
  assert.ok((await client.policy()).totp);
});

test("a proof that is too old is asked for until it is right, and the call goes on", async () => {
  const demands = [];
  const { client, phone } = await protectedBy(service.url, "erin", {
    onStepUp: async (demand, prove) => {
      demands.push(demand);
      await assert.rejects(prove({ code: phone.wrongCode() }), { status: 403, code: "invalid-credential" });
      await prove({ code: await phone.code() });
    },
  });
  await sleep((STEP_UP_MAX_AGE + 1) * 1000);
  const disabled = await client.disable({ password: PASSWORD });
  assert.equal(disabled.enabled, false);
  assert.deepEqual(demands, [{ maxAge: STEP_UP_MAX_AGE }]);
});

test("without a proof the demand is the caller's", async () => {
  const store = new MemoryStore();
  const { client } = await protectedBy(service.url, "frank", { store, onStepUp: async () => {} });
  const silent = new Twofold({ baseUrl: service.url, store });
  await sleep((STEP_UP_MAX_AGE + 1) * 1000);
  for (const one of [client, silent]) {
    await assert.rejects(one.disable({ password: PASSWORD }), { status: 401, code: "insufficient-user-authentication" });
  }
  assert.equal((await client.status()).enabled, true);
});

test("calls that wait for a proof ask for it once", async () => {
  let asked = 0;
  const { client, codes } = await protectedBy(service.url, "grace", {
    onStepUp: async (_, prove) => {
      asked++;
      await sleep(200);
      await prove({ recovery_code: codes[asked] });
    },
  });
  await sleep((STEP_UP_MAX_AGE + 1) * 1000);
  await Promise.all([
    client.startEnrolment({ password: PASSWORD, label: "one" }),
    client.regenerateRecoveryCodes({ password: PASSWORD }),
  ]);
  assert.equal(asked, 1);
});
