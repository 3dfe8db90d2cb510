// What is refused: a wrong password, and codes that are wrong again and again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bringAxe, violations } from "./axe.mjs";
import { SUPPORT, start } from "./browser.mjs";
import { APP_CODE, button, enterPassword, heading, see, setUp, signIn, signOut } from "./steps.mjs";

const { open } = await start({ persons: ["alice", "bob"] });

test("a wrong password says which of the two it is not, and empties the password alone", async () => {
  const { page, faults } = await open();
  await enterPassword(page, "alice", "wrong horse battery");
  await see(page.getByText("The e-mail address or the password is not right."));
  const password = page.getByLabel("Password", { exact: true });
  assert.equal(await password.inputValue(), "");
  assert.equal(await password.getAttribute("aria-invalid"), "true");
  assert.equal(await page.getByLabel("E-mail", { exact: true }).inputValue(), "alice@example.test");
  await signIn(page, "alice");
  assert.deepEqual(faults, []);
});

test("wrong codes lock the customer out, and he reads for how long and who helps", async () => {
  const { page, faults } = await open({ prepare: bringAxe });
  await signIn(page, "bob");
  const { phone } = await setUp(page);
  await signOut(page);

  const refusals = [];
  page.on("response", (response) => response.request().method() === "POST" && refusals.push(response.status()));
  for (let tries = 0; !refusals.includes(429); tries++) {
    assert.ok(tries < 20, `never locked out: ${refusals}`);
    await tryWrongCode(page, phone);
  }
  const alert = page.getByRole("alert").filter({ hasText: "Too many attempts" });
  await see(alert);
  assert.match(await alert.textContent(), /nothing is checked for \d+ (second|minute|hour)s?, until \d/);
  await see(alert.getByText(/^\d+ (second|minute|hour)s? left$/));
  await see(alert.getByText(/support team will help you/));
  await see(alert.getByRole("link", { name: SUPPORT.email }));
  await see(alert.getByRole("link", { name: SUPPORT.phone }));
  assert.deepEqual(await violations(page, "locked out"), []);
  assert.deepEqual(faults, []);
});

/** A challenge ends after some wrong codes: then the password comes first again. */
async function tryWrongCode(page, phone) {
  const question = heading(page, "Confirm that it is you");
  const tooMany = page.getByText(/^Too many attempts/);
  if (!(await question.isVisible())) {
    await enterPassword(page, "bob");
    await see(question.or(tooMany));
    if (await tooMany.isVisible()) return;
  }
  await page.getByLabel(APP_CODE).fill(phone.wrongCode());
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  await button(page, "Sign in").click();
  await answered;
  // The form is emptied of what it said before it asks, so this is the new answer.
  await see(page.getByText(/^(That was not right|Too many attempts|This sign-in has ended)/).first());
}
