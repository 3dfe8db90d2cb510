// Recovery codes: taken along in three ways, made anew, and used.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { protectedAccount } from "./account.mjs";
import { start } from "./browser.mjs";
import { acknowledge, button, enterPassword, enterRecoveryCode, heading, link, recoveryCodes, see, signInWithRecoveryCode } from "./steps.mjs";

const { url, open } = await start({ persons: ["alice", "bob", "carol"] });
const TITLE = "Make new recovery codes";

/** Somebody who looks at ten new codes; `old` are those before, of which one was used to sign in. */
async function newCodes(name, options = {}) {
  const { codes: old } = await protectedAccount(url, name);
  const { page, context, faults } = await open({ at: "#/manage/recovery-codes", ...options });
  await signInWithRecoveryCode(page, name, old[0]);
  await see(heading(page, TITLE));
  await page.getByLabel("Account password").fill(PASSWORD);
  await button(page, TITLE).click();
  return { page, context, faults, old, codes: await recoveryCodes(page) };
}

test("codes are copied, downloaded and printed", async () => {
  const count = (page) => page.addInitScript(() => {
    window.printed = 0;
    window.print = () => window.printed++;
  });
  const permissions = ["clipboard-read", "clipboard-write"];
  const { page, faults, codes } = await newCodes("alice", { permissions, prepare: count });
  await button(page, "Copy codes").click();
  await see(page.getByRole("status").filter({ hasText: "Copied." }));
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), codes.join("\n"));

  const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Download as text").click()]);
  assert.equal(download.suggestedFilename(), "recovery-codes.txt");
  const lines = (await readFile(await download.path(), "utf8")).split("\r\n");
  assert.deepEqual(lines, [`Recovery codes for ${email("alice")}`, "", ...codes, "", "Each code works once.", ""]);

  await button(page, "Print").click();
  assert.equal(await page.evaluate(() => window.printed), 1);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.getByText(codes[9]).isVisible(), true, "on paper are the codes");
  assert.equal(await page.getByText(`Recovery codes for ${email("alice")}`).isVisible(), true, "and whose they are");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const paper = await page.getByRole("list", { name: "Recovery codes" }).evaluate((one) => getComputedStyle(one).backgroundColor);
  assert.equal(paper, "rgb(255, 255, 255)", "paper is white, whatever the screen is");
  for (const shown of [page.getByRole("button"), page.getByRole("navigation"), page.getByRole("checkbox")]) {
    assert.equal(await shown.count(), 0, "and nothing to press");
  }
  assert.deepEqual(faults, []);
});

test("where the clipboard is refused the customer is told how to go on", async () => {
  const refuse = (page) => page.addInitScript(() => {
    navigator.clipboard.writeText = () => Promise.reject(new DOMException("refused", "NotAllowedError"));
  });
  const { page, faults } = await newCodes("bob", { prepare: refuse });
  await button(page, "Copy codes").click();
  await see(page.getByRole("status").filter({ hasText: "Copying is not possible here." }));
  assert.deepEqual(faults, []);
});

test("new codes take the place of the old ones, and each works once, however it is written", async () => {
  const { page, faults, old, codes } = await newCodes("carol");
  await see(page.getByText("The recovery codes that you had before do not work any more."));
  await acknowledge(page);
  await see(page.getByRole("status").filter({ hasText: "Your new recovery codes are in force." }));
  await see(page.getByText("10 of 10 recovery codes are left."));
  await button(page, "Sign out").click();

  await enterPassword(page, "carol");
  await enterRecoveryCode(page, old[1]);
  const refused = page.getByText(/^That was not right/).first();
  await see(refused);
  const again = async (code) => {
    await page.getByLabel("Recovery code", { exact: true }).fill(code);
    await button(page, "Sign in").click();
  };
  await again(codes[0].toLowerCase().replaceAll("-", " "));
  await see(heading(page, "Account Security"));
  await link(page, "Manage two-factor authentication").click();
  await see(page.getByText("9 of 10 recovery codes are left."));

  await button(page, "Sign out").click();
  await enterPassword(page, "carol");
  await enterRecoveryCode(page, codes[0]);
  await see(refused);
  await again(codes[1]);
  await see(heading(page, "Account Security"));
  assert.deepEqual(faults, []);
});
