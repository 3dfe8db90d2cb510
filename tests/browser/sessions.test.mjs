// Sessions that are ended, and the log of what happened.

import assert from "node:assert/strict";
import { test } from "node:test";
import { signedIn } from "./account.mjs";
import { start } from "./browser.mjs";
import { hasFocus } from "./keys.mjs";
import { button, heading, link, see, signIn } from "./steps.mjs";

const { url, open } = await start({ persons: ["alice", "bob", "carol"] });

const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

test("another session is ended, and who sat there is told so and may go on after a sign-in", async () => {
  const here = await open();
  await signIn(here.page, "alice");
  const there = await open({ userAgent: PHONE });
  await signIn(there.page, "alice");
  await there.page.getByRole("navigation").getByRole("link", { name: "Security log" }).click();
  await see(heading(there.page, "Security log"));

  await here.page.getByRole("navigation").getByRole("link", { name: "Sessions" }).click();
  const own = here.page.getByRole("listitem").filter({ hasText: "This session" });
  assert.equal(await own.getByRole("button").count(), 0, "the own session is ended by signing out");
  await here.page.getByRole("button", { name: /^End session Safari · iPhone/ }).click();
  await see(here.page.getByRole("status").filter({ hasText: "The session was ended." }));
  assert.equal(await here.page.getByRole("button", { name: /^End session/ }).count(), 0);
  assert.equal(await button(here.page, "End all other sessions").count(), 0);
  assert.ok(await hasFocus(heading(here.page, "Sessions")), "the button is gone, and the focus is not lost with it");

  await link(there.page, "Sessions").click();
  await see(there.page.getByRole("status").filter({ hasText: "Your session has ended. Please sign in again." }));
  await see(heading(there.page, "Sign in"));
  await there.page.getByLabel("E-mail", { exact: true }).fill("alice@example.test");
  await there.page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await button(there.page, "Sign in").click();
  await see(heading(there.page, "Sessions"));
  assert.deepEqual([...here.faults, ...there.faults], []);
});

test("all other sessions are ended at once", async () => {
  const others = [await signedIn(url, "bob"), await signedIn(url, "bob")];
  const { page, faults } = await open({ at: "#/sessions" });
  await page.getByLabel("E-mail", { exact: true }).fill("bob@example.test");
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await button(page, "Sign in").click();
  await see(heading(page, "Sessions"));
  await button(page, "End all other sessions").click();
  await see(page.getByRole("status").filter({ hasText: "2 other sessions were ended." }));
  for (const other of others) await assert.rejects(other.status(), { code: "invalid-token" });
  assert.deepEqual(faults, []);
});

test("the log shows older entries on request, each once, and goes on reading there", async () => {
  // 45 entries and the sign-in of the page itself: three pages.
  let client;
  for (let count = 0; count < 45; count++) client = await signedIn(url, "carol");
  const { page, faults } = await open();
  await signIn(page, "carol");
  await page.getByRole("navigation").getByRole("link", { name: "Security log" }).click();
  await see(heading(page, "Security log"));
  const entries = page.getByRole("main").getByRole("list").getByRole("listitem");
  const more = button(page, "Show older entries");
  assert.equal(await entries.count(), 20);
  for (const [before, after] of [[20, 40], [40, 46]]) {
    await more.click();
    await see(entries.nth(after - 1));
    assert.equal(await entries.count(), after);
    assert.ok(await hasFocus(entries.nth(before)), "reading goes on with the first new entry");
  }
  assert.equal(await more.count(), 0);
  await see(page.getByText("There are no older entries."));
  const times = await entries.locator("time").evaluateAll((all) => all.map((one) => Date.parse(one.dateTime)));
  assert.deepEqual(times, times.toSorted((a, b) => b - a), "newest first");
  const all = (await client.events({ limit: 100 })).events;
  assert.deepEqual(times, all.map(({ at }) => Date.parse(at)), "each once");
  assert.deepEqual(faults, []);
});
