// Who else sees the account, and what its owner has to say about that.

import assert from "node:assert/strict";
import { test } from "node:test";
import { email } from "../../clients/typescript/test/service.mjs";
import { signedIn } from "./account.mjs";
import { bringAxe, violations } from "./axe.mjs";
import { start } from "./browser.mjs";
import { hasFocus } from "./keys.mjs";
import { button, heading, link, see, signIn } from "./steps.mjs";

const { url, open, operate } = await start({ persons: ["alice", "bob", "carol"] });
const told = (page, hasText) => page.getByRole("status").filter({ hasText });
const partner = (page, name) => page.getByRole("main").getByRole("listitem").filter({ has: page.getByRole("heading", { level: 2, name }) });

const add = (name, ...more) => operate("client", "add", "--name", name, "--scope", "2fa:read webhooks:manage", ...more);
const ids = async (client) => (await client.partners()).partners.map(({ id }) => id);

async function visiting(name) {
  const { page, faults } = await open({ prepare: bringAxe });
  await signIn(page, name);
  await link(page, "See partners").click();
  await see(heading(page, "Partners"));
  return { page, faults };
}

test("nobody sees the account of whoever has allowed nobody", async () => {
  const { page, faults } = await visiting("bob");
  await see(page.getByText("No partner sees your account."));
  assert.deepEqual(await violations(page, "Partners, none"), []);
  assert.deepEqual(faults, []);
});

test("an owner takes a partner's permission back, and gives it again", async () => {
  const acme = await add("Acme <b>Brokers</b>");
  await operate("account", "allow-partner", email("alice"), acme.id);
  const { page, faults } = await visiting("alice");
  const client = await signedIn(url, "alice");
  const entry = partner(page, "Acme <b>Brokers</b>");
  await see(entry.getByText("see whether two-factor authentication is on"));
  await see(entry.getByText("be told at once when your protection changes"));
  await see(entry.getByText("Whoever runs this service"));
  assert.deepEqual(await violations(page, "Partners"), []);

  await button(page, "Take the permission back Acme <b>Brokers</b>").click();
  await see(told(page, "“Acme <b>Brokers</b>” does not see your account any more."));
  assert.deepEqual(await ids(client), []);
  assert.ok(await hasFocus(heading(page, "Partners")), "the button is another one now, and the focus is not lost with it");
  await see(entry.getByText("No longer", { exact: true }));
  assert.deepEqual(await violations(page, "Partners, one shut out"), []);

  await button(page, "Allow it again Acme <b>Brokers</b>").click();
  await see(told(page, "“Acme <b>Brokers</b>” may see your account again."));
  assert.deepEqual(await ids(client), [acme.id]);

  await button(page, "Take the permission back Acme <b>Brokers</b>").click();
  await see(told(page, "does not see your account any more"));
  await page.reload();
  await see(page.getByText("No partner sees your account."));
  assert.deepEqual(faults, []);
});

test("what is not the owner's to decide has no button, and what changed meanwhile is shown as it is", async () => {
  const acme = await add("Acme");
  await operate("account", "allow-partner", email("carol"), acme.id);
  await add("Portal", "--all-accounts");
  const { page, faults } = await visiting("carol");
  const portal = partner(page, "Portal");
  await see(portal.getByText("This cannot be taken back here."));
  assert.equal(await portal.getByRole("button").count(), 0);
  await (await signedIn(url, "carol")).refusePartner(acme.id);
  await button(page, "Take the permission back Acme").click();
  await see(told(page, "This is not there any more. This is how it stands now."));
  assert.equal(await partner(page, "Acme").count(), 0);
  assert.deepEqual(faults, []);
});
