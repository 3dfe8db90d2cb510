// The network is lost in the middle of a confirmation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD } from "../../clients/typescript/test/service.mjs";
import { bringAxe, violations } from "./axe.mjs";
import { start } from "./browser.mjs";
import { APP_CODE, acknowledge, beginSetUp, button, heading, link, recoveryCodes, see, signIn } from "./steps.mjs";

const { open } = await start({ persons: ["alice", "bob"] });
const CONFIRM = /\/confirm$/;
const NOT_KNOWN = "No answer came. It is not known whether the change was made. Look at the status before you try again.";

/** With the app's next code: the first may be one that ends while an answer is waited for. */
async function beginLasting(page) {
  const phone = await beginSetUp(page);
  await page.getByLabel("Code that the app shows").fill(await phone.code());
  return phone;
}

test("the question never arrived: nothing was changed, and the second try does it", async () => {
  const { page, context, faults } = await open();
  await signIn(page, "alice");
  await beginLasting(page);
  await context.setOffline(true);
  await button(page, "Confirm").click();
  await see(page.getByText(NOT_KNOWN));
  await button(page, "Look at the status").click();
  await see(page.getByText("The service still cannot be reached. Check your connection."));

  await context.setOffline(false);
  await button(page, "Look at the status").click();
  await see(page.getByText("Two-factor authentication is off."));
  await button(page, "Try again").click();
  assert.equal((await recoveryCodes(page)).length, 10);
  await acknowledge(page);
  assert.deepEqual(faults, []);
});

test("the answer was lost: the change was made, and the customer is told so and gets codes", async () => {
  const { page, faults } = await open({ prepare: bringAxe });
  await signIn(page, "bob");
  const phone = await beginLasting(page);
  const answers = [];
  await page.route(CONFIRM, async (route) => {
    answers.push((await route.fetch()).status());
    await route.abort("connectionreset");
  });
  await button(page, "Confirm").click();
  await see(page.getByText(NOT_KNOWN));
  assert.equal(answers[0], 200, "the service did what was asked");
  await button(page, "Look at the status").click();
  await see(page.getByText("Two-factor authentication is on, with: Pixel 9. 10 recovery codes are left."));
  assert.deepEqual(await violations(page, "no answer came"), []);

  await page.unroute(CONFIRM);
  await button(page, "Try again").click();
  await see(heading(page, "Manage two-factor authentication"));
  await see(page.getByRole("heading", { name: "Pixel 9" }));
  await see(page.getByRole("status").filter({ hasText: "This authenticator was confirmed already." }));
  // Nobody has seen the codes that are in force: the customer has to hear that.
  assert.match(await page.getByRole("status").allTextContents().then((texts) => texts.join(" ")), /recovery codes/);

  await link(page, "Make new recovery codes").click();
  await see(heading(page, "Make new recovery codes"));
  await page.getByLabel("Account password").fill(PASSWORD);
  const code = page.getByLabel(APP_CODE);
  if (await code.isVisible()) await code.fill(await phone.code());
  await button(page, "Make new recovery codes").click();
  assert.equal((await recoveryCodes(page)).length, 10);
  assert.deepEqual(faults, []);
});
