// The page of the sandbox: what an integrator does there, and no violation that axe-core knows.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { PASSWORD, startSandbox } from "../../clients/typescript/test/service.mjs";
import { bringAxe, violations } from "./axe.mjs";
import { start } from "./browser.mjs";
import { button, see } from "./steps.mjs";

const sandbox = await startSandbox();
after(() => sandbox.stop());
const { open } = await start({ persons: [] });

const ask = async (address, body, token) => {
  const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(address, body && { method: "POST", headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${address}: ${answer.status}`);
  return answer.json();
};

/** Bob signs in and switches it off: a mail to him, and a webhook to the partner. */
async function switchOff() {
  const bob = (await ask(`${sandbox.url}/sandbox`)).accounts.find(({ email }) => email.startsWith("bob"));
  const { challenge } = await ask(`${sandbox.service}/auth/login`, { email: bob.email, password: bob.password });
  const { tokens } = await ask(`${sandbox.service}/auth/login/second-factor`, { challenge, code: bob.totp.code });
  await ask(`${sandbox.service}/account/security/2fa/disable`, { password: bob.password }, tokens.access_token);
}

test("an integrator looks at accounts, mails and webhooks, and moves the clock", async () => {
  const { page, faults } = await open({ prepare: bringAxe, of: sandbox.url });
  await see(page.getByRole("rowheader", { name: "bob@example.test" }));
  await see(page.getByText(PASSWORD).first());
  await see(page.getByText("Nothing was sent yet."));
  assert.deepEqual(await violations(page, "sandbox, nothing sent"), []);
  await switchOff();
  await see(page.getByRole("heading", { level: 3, name: "Two-factor authentication was switched off" }));
  await see(page.getByRole("heading", { level: 3, name: "Webhook two_factor.disabled" }));
  await see(page.getByText("The signature is right."));
  assert.deepEqual(await violations(page, "sandbox, a mail and a webhook"), []);
  await button(page, "8 days later").click();
  await see(page.getByRole("status").filter({ hasText: "It is 8 days later." }));
  await see(page.getByRole("heading", { level: 3, name: "Two-factor authentication is still off" }));
  await button(page, "Empty the list").click();
  await see(page.getByText("Nothing was sent yet."));
  assert.deepEqual(faults, []);
});
