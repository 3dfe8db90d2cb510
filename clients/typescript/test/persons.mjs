// Persons of the tests, and what they have done before a test begins.

import { MemoryStore, Twofold } from "../dist/index.js";
import { Phone } from "./phone.mjs";
import { PASSWORD, email } from "./service.mjs";

/** Somebody who has signed in by password. */
export async function signedIn(url, name, options = {}) {
  const store = new MemoryStore();
  const client = new Twofold({ baseUrl: url, store, ...options });
  const result = await client.signIn(email(name), PASSWORD);
  return { client, store, result };
}

/** Somebody who has set two-factor authentication up. */
export async function protectedBy(url, name, options = {}) {
  const { client, store } = await signedIn(url, name, options);
  const { phone, codes } = await setUp(client);
  return { client, store, phone, codes };
}

/** Sets two-factor authentication up, or replaces an authenticator. */
export async function setUp(client, extra = {}) {
  const enrolment = await client.startEnrolment({ password: PASSWORD, label: "Pixel 9", ...extra });
  const phone = new Phone(enrolment.otpauth_uri);
  const confirmed = await client.confirmEnrolment(enrolment.id, await phone.code());
  return { phone, codes: confirmed.recovery_codes, confirmed, enrolment };
}

/** Signs in with both factors. */
export async function signInWith(client, name, proof) {
  const first = await client.signIn(email(name), PASSWORD);
  await client.answer(first.challenge, proof);
}

/** A `fetch` that counts the calls to a path. */
export function counting(path) {
  const count = { calls: 0 };
  count.fetch = (request) => {
    if (new URL(request.url).pathname === path) count.calls++;
    return fetch(request);
  };
  return count;
}
