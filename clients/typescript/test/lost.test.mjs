// What happens when the service did what was asked, and its answer never arrived.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { NetworkError, Twofold } from "../dist/index.js";
import { counting, protectedBy, setUp, signedIn } from "./persons.mjs";
import { startProxy } from "./proxy.mjs";
import { PASSWORD, email, startService } from "./service.mjs";

const DISABLE = "/account/security/2fa/disable";
const VERIFY = "/account/security/2fa/verify";
const CODES = "/account/security/2fa/recovery-codes";
const REFRESH = "/auth/token/refresh";
const persons = ["alice", "bob", "carol", "dave", "erin", "frank"];
let service;
let proxy;
before(async () => {
  service = await startService({ persons });
  proxy = await startProxy(service.url);
});
after(async () => {
  await proxy.stop();
  await service.stop();
});

const disables = async (client) =>
  (await client.events({ limit: 50 })).events.filter(({ type }) => type === "two_factor.disabled").length;

for (const [name, losses] of [["alice", 1], ["bob", 2]]) {
  test(`a disable whose answer is lost ${losses} times takes effect once`, async () => {
    const earlier = proxy.requests(DISABLE).length;
    const { client } = await protectedBy(proxy.url, name);
    proxy.lose(DISABLE, losses);
    const disabled = await client.disable({ password: PASSWORD });
    assert.equal(disabled.enabled, false);

    const keys = proxy.requests(DISABLE).slice(earlier).map(({ key }) => key);
    assert.ok(keys.length > losses, `${keys.length} requests`);
    assert.match(keys[0], /^[0-9a-f]{32}$/);
    assert.equal(new Set(keys).size, 1);
    assert.equal(client.isSignedIn, true);
    assert.equal((await client.status()).enabled, false);
    assert.equal(await disables(client), 1);
  });
}

test("another call gets another key", async () => {
  const { client } = await protectedBy(proxy.url, "carol");
  const earlier = proxy.requests(CODES).length;
  await client.regenerateRecoveryCodes({ password: PASSWORD });
  await client.regenerateRecoveryCodes({ password: PASSWORD });
  const [first, second] = proxy.requests(CODES).slice(earlier);
  assert.notEqual(first.key, second.key);
});

test("secrets are told once: a lost set of recovery codes is made anew by another call", async () => {
  const { client } = await signedIn(proxy.url, "dave");
  await setUp(client);
  proxy.lose(CODES);
  await assert.rejects(client.regenerateRecoveryCodes({ password: PASSWORD }), { code: "already-completed" });
  assert.equal((await client.regenerateRecoveryCodes({ password: PASSWORD })).length, 10);
});

test("after a lost step-up the client has the tokens that count", async () => {
  const { client, store, phone } = await protectedBy(proxy.url, "erin");
  const before = store.load();
  proxy.lose(VERIFY);
  await assert.rejects(client.verify({ code: await phone.code() }), { code: "already-completed" });
  assert.notEqual(store.load().refresh_token, before.refresh_token);
  await client.verify({ code: await phone.code() });
  assert.equal(store.load().acr, "aal2");
});

test("a refresh whose answer is lost is made once more, and the session lives", async () => {
  const { client, store } = await signedIn(proxy.url, "frank");
  store.save({ ...store.load(), expires_at: 0 });
  proxy.lose(REFRESH);
  assert.equal((await client.status()).enabled, false);
  store.save({ ...store.load(), expires_at: 0 });
  await client.status();
});

test("reads beside a change wait for its tokens instead of refreshing with the old ones", async () => {
  const refreshes = counting(REFRESH);
  const reads = [];
  // The change is made and its answer is still on the way: only now is the access token of the reads refused.
  const slow = async (request) => {
    const answer = await refreshes.fetch(request);
    if (new URL(request.url).pathname === DISABLE) {
      for (let read = 0; read < 10; read++) reads.push(client.status());
      await sleep(500);
    }
    return answer;
  };
  const { client } = await protectedBy(service.url, "frank", { fetch: slow });
  await client.disable({ password: PASSWORD });
  const statuses = await Promise.all(reads);
  assert.deepEqual(statuses.map(({ enabled }) => enabled), Array(10).fill(false));
  assert.equal(refreshes.calls, 0);
});

test("when no answer ever comes, the error says that nothing is known", async () => {
  const dead = await startProxy(service.url);
  await dead.stop();
  const client = new Twofold({ baseUrl: dead.url });
  const error = await client.signIn(email("alice"), PASSWORD).catch((e) => e);
  assert.ok(error instanceof NetworkError);
  assert.ok(error.cause);
});

test("an answer that is lost at every try is a NetworkError, and the change is made once", async () => {
  const { client, store } = await signedIn(proxy.url, "frank");
  await setUp(client);
  const earlier = await disables(client);
  proxy.lose(DISABLE, 10);
  await assert.rejects(client.disable({ password: PASSWORD }), { name: "NetworkError" });
  proxy.lose(DISABLE, 0);
  assert.equal(await disables(client), earlier + 1);
  assert.ok(store.load());
});
