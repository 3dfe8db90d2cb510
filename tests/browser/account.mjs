// Accounts that have come some way before a test begins, by the client that the page itself uses.

import { MemoryStore, Twofold } from "../../web/client.js";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { Phone } from "./phone.mjs";

export async function signedIn(url, name) {
  const client = new Twofold({ baseUrl: url, store: new MemoryStore() });
  await client.signIn(email(name), PASSWORD);
  return client;
}

/** Somebody whose account is protected by this phone and these recovery codes. */
export async function protectedAccount(url, name) {
  const client = await signedIn(url, name);
  const enrolment = await client.startEnrolment({ password: PASSWORD, label: "Pixel 9" });
  const phone = new Phone(enrolment.otpauth_uri);
  const { recovery_codes: codes, status } = await client.confirmEnrolment(enrolment.id, await phone.code());
  return { client, phone, codes: [...codes], id: status.methods[0].id };
}

/** One more authenticator of the same account. */
export async function addPhone(client, label) {
  const enrolment = await client.startEnrolment({ password: PASSWORD, label });
  const phone = new Phone(enrolment.otpauth_uri);
  const { status } = await client.confirmEnrolment(enrolment.id, await phone.code());
  return { phone, id: status.methods.find((method) => method.label === label).id };
}
