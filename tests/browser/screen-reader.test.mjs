// What a screen reader is told: Chromium's own accessibility tree.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { addPhone, protectedAccount } from "./account.mjs";
import { start } from "./browser.mjs";
import { beginSetUp, button, enterPassword, enterRecoveryCode, heading, recoveryCodes, see, signIn, signInWithRecoveryCode } from "./steps.mjs";

const { url, open } = await start({ persons: ["alice", "bob", "carol"] });
const CONTROLS = ["button", "link", "textbox", "checkbox", "radio", "combobox"];

/** The nodes that are not ignored, in reading order: role, name, description and properties. */
async function tree(page) {
  const wire = await page.context().newCDPSession(page);
  const { nodes } = await wire.send("Accessibility.getFullAXTree");
  await wire.detach();
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const inOrder = (node) => [node, ...(node.childIds ?? []).flatMap((id) => (byId.has(id) ? inOrder(byId.get(id)) : []))];
  return inOrder(nodes[0]).filter((node) => !node.ignored).map((node) => ({
    role: node.role.value,
    name: node.name?.value ?? "",
    description: node.description?.value ?? "",
    ...Object.fromEntries((node.properties ?? []).map(({ name, value }) => [name, value.value])),
  }));
}

/** Every view: one first heading, none left out below it, landmarks, and a name for all that can be used. */
async function assertReadable(page, title) {
  await see(heading(page, title));
  const nodes = await tree(page);
  const levels = nodes.filter(({ role }) => role === "heading").map(({ level }) => level);
  assert.equal(levels.filter((level) => level === 1).length, 1, `${title}: one h1`);
  assert.equal(levels[0], 1, `${title}: the h1 comes first`);
  for (const [index, level] of levels.entries()) assert.ok(index === 0 || level <= levels[index - 1] + 1, `${title}: headings ${levels}`);
  for (const { role, name } of nodes) if (CONTROLS.includes(role)) assert.notEqual(name.trim(), "", `${title}: a ${role} without a name`);
  for (const role of ["banner", "main"]) assert.equal(nodes.filter((node) => node.role === role).length, 1, `${title}: ${role}`);
  // A list of names is of use only where two controls of one name do the same, as two links to one view.
  const places = new Map();
  for (const { role, name, url: to = Symbol(name) } of nodes.filter(({ role }) => role === "link" || role === "button")) {
    assert.ok((places.get(`${role} ${name}`) ?? to) === to, `${title}: two that do different things are a ${role} “${name}”`);
    places.set(`${role} ${name}`, to);
  }
  assert.equal(await page.title(), title === "Account Security" ? title : `${title} – Account Security`);
}

const field = async (page, name) => (await tree(page)).find((node) => node.role === "textbox" && node.name === name);
const snapshot = (page) => page.getByRole("main").ariaSnapshot();

test("the first view, as it is read", async () => {
  const { page, faults } = await open();
  await assertReadable(page, "Sign in");
  assert.equal(await snapshot(page), [
    "- main:",
    '  - heading "Sign in" [level=1]',
    '  - form "Sign in":',
    "    - text: E-mail",
    '    - textbox "E-mail"',
    "    - text: Password",
    '    - textbox "Password"',
    '    - button "Show Password"',
    '    - button "Sign in"',
    "    - status",
    "  - paragraph: \"Can’t get any further? Our support team will help you:\"",
    "  - list:",
    "    - listitem:",
    '      - link "help@example.test":',
    '        - /url: mailto:help@example.test',
    "    - listitem:",
    '      - link "+1 555 0100":',
    '        - /url: tel:+15550100',
  ].join("\n"));
  assert.deepEqual(faults, []);
});

test("an error is announced, and is part of what its field is described by", async () => {
  const { page, faults } = await open();
  await see(heading(page, "Sign in"));
  for (const name of ["E-mail", "Password"]) assert.deepEqual(await described(page, name), ["false", ""]);
  await button(page, "Sign in").click();
  assert.deepEqual(await described(page, "E-mail"), ["true", "Enter your e-mail address."]);
  assert.deepEqual(await described(page, "Password"), ["true", "Enter your password."]);
  const alerts = page.getByRole("alert").filter({ hasText: /./ });
  assert.deepEqual(await alerts.allTextContents(), ["Enter your e-mail address.", "Enter your password."]);
  for (const name of ["E-mail", "Password"]) assert.equal((await field(page, name)).required, true);

  await enterPassword(page, "alice", "wrong horse battery");
  await see(page.getByText("The e-mail address or the password is not right."));
  assert.deepEqual(await described(page, "E-mail"), ["false", ""]);
  assert.deepEqual(await described(page, "Password"), ["true", "The e-mail address or the password is not right."]);
  assert.deepEqual(await alerts.allTextContents(), ["The e-mail address or the password is not right."]);
  assert.deepEqual(faults, []);
});

async function described(page, name) {
  const { invalid, description } = await field(page, name);
  return [String(invalid), description];
}

test("setting up, step by step", async () => {
  const { page, faults } = await open();
  await signIn(page, "alice");
  await assertReadable(page, "Account Security");
  await page.evaluate(() => (location.hash = "#/set-up"));
  await assertReadable(page, "Set up two-factor authentication");
  const label = await field(page, "Name of this authenticator");
  assert.match(label.description, /You may leave it empty/);
  await page.goBack();
  const phone = await beginSetUp(page);
  await assertReadable(page, "Connect your authenticator app");
  assert.match((await field(page, "Code that the app shows")).description, /^Six digits/);
  const picture = (await tree(page)).find(({ role }) => role === "image");
  assert.match(picture.name, /If you cannot scan it, open the link or type the key below/);

  await page.getByLabel("Code that the app shows").fill(phone.wrongCode());
  await button(page, "Confirm").click();
  await see(page.getByText(/^That was not right/).first());
  const code = await field(page, "Code that the app shows");
  assert.equal(String(code.invalid), "true");
  assert.match(code.description, /^Six digits.*That was not right/);
  await page.getByLabel("Code that the app shows").fill(await phone.code());
  await button(page, "Confirm").click();
  assert.equal((await recoveryCodes(page)).length, 10);
  await assertReadable(page, "Save your recovery codes");
  await button(page, "Continue").click();
  const saved = (await tree(page)).find(({ role }) => role === "checkbox");
  assert.deepEqual([String(saved.invalid), saved.description], ["true", "Save the codes first, then say so here."]);
  await page.getByLabel(saved.name).check();
  await button(page, "Continue").click();
  await see(page.getByRole("status").filter({ hasText: "Two-factor authentication is on." }));
  assert.deepEqual(faults, []);
});

test("managing, the log, the sessions and disabling", async () => {
  const { client, codes, id } = await protectedAccount(url, "bob");
  await addPhone(client, "iPad");
  const { page, faults } = await open();
  await enterPassword(page, "bob");
  await assertReadable(page, "Confirm that it is you");
  await enterRecoveryCode(page, codes[0]);
  await assertReadable(page, "Account Security");
  const views = [
    ["#/manage", "Manage two-factor authentication"], ["#/manage/add", "Add another authenticator"], [`#/manage/move/${id}`, "Move to a new phone"],
    [`#/manage/rename/${id}`, "Rename “Pixel 9”"], [`#/manage/remove/${id}`, "Remove “Pixel 9”"], ["#/manage/recovery-codes", "Make new recovery codes"],
    ["#/log", "Security log"], ["#/sessions", "Sessions"], ["#/password", "Change password"], ["#/manage/disable", "Disable 2FA"],
  ];
  for (const [hash, title] of views) {
    await page.evaluate((to) => (location.hash = to), hash);
    await assertReadable(page, title);
  }
  const reasons = (await tree(page)).filter(({ role }) => role === "radio");
  assert.equal(reasons.length, 5);
  assert.match(await snapshot(page), /- group "Why do you want to switch it off\? \(optional\)":/);
  await page.getByLabel("I have a new phone").check();
  const offer = page.locator("[aria-live=polite]").filter({ hasText: "You do not have to switch it off for that." });
  await see(offer.getByRole("link"));
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, "Disable 2FA").click();
  await assertReadable(page, "Two-factor authentication is off");
  assert.deepEqual(faults, []);
});

test("what a customer asked for is told to him as a status", async () => {
  const { codes, id } = await protectedAccount(url, "carol");
  const { page, faults } = await open({ at: `#/manage/rename/${id}` });
  await signInWithRecoveryCode(page, "carol", codes[0]);
  await see(heading(page, "Rename “Pixel 9”"));
  await page.getByLabel("Name of this authenticator").fill("");
  await button(page, "Save name").click();
  assert.equal((await field(page, "Name of this authenticator")).description.endsWith("Enter a name."), true);
  await page.getByLabel("Name of this authenticator").fill("Phone of " + email("carol"));
  await button(page, "Save name").click();
  await see(page.getByRole("status").filter({ hasText: "The name was changed." }));
  assert.deepEqual(faults, []);
});
