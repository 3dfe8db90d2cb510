// Waiting, a service that cannot, and no network: the page says what is the case, and lets nothing be done twice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PASSWORD, email } from "../../clients/typescript/test/service.mjs";
import { start } from "./browser.mjs";
import { hasFocus } from "./keys.mjs";
import { button, heading, link, see, signIn } from "./steps.mjs";

const { url, open } = await start({ persons: ["alice", "bob", "carol", "dave"] });
const SLOW = 600;
const small = { viewport: { width: 320, height: 480 } };

/** Answers to this path are late; how many questions there were is counted. */
async function slow(page, path) {
  const asked = { times: 0 };
  await page.route(`${url}${path}`, async (route) => {
    asked.times++;
    await sleep(SLOW);
    await route.continue();
  });
  return asked;
}

test("a form waits visibly, and is sent once however often it is pressed", async () => {
  const { page, faults } = await open();
  const asked = await slow(page, "/auth/login");
  await page.getByLabel("E-mail", { exact: true }).fill(email("alice"));
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  const submit = page.locator("button[type=submit]");
  await submit.click();
  await submit.click({ force: true });
  await page.getByLabel("Password", { exact: true }).press("Enter");
  assert.equal(await submit.textContent(), "One moment…");
  assert.equal(await submit.getAttribute("aria-disabled"), "true");
  await see(page.getByRole("status").filter({ hasText: "One moment…" }));
  await see(heading(page, "Account Security"));
  assert.equal(asked.times, 1);

  // A view that is late says so, and a button without a form does too.
  const views = await slow(page, "/account/security/sessions");
  await link(page, "Sessions").click();
  await see(page.getByText("Loading…"));
  await see(heading(page, "Sessions"));
  assert.equal(views.times, 1);
  const leaving = await slow(page, "/auth/logout");
  const out = page.getByRole("banner").getByRole("button");
  await out.click();
  assert.equal(await out.textContent(), "One moment…");
  await out.click({ force: true });
  await see(page.getByText("You are signed out."));
  assert.equal(leaving.times, 1);
  assert.deepEqual(faults, []);
});

test("a button without a form waits visibly too", async () => {
  const there = await open();
  await signIn(there.page, "bob");
  const { page, faults } = await open();
  await signIn(page, "bob");
  await link(page, "Sessions").click();
  const end = page.getByRole("main").getByRole("button").last();
  const asked = await slow(page, "/account/security/sessions/end-others");
  await end.click();
  await end.click({ force: true });
  assert.match(await end.textContent(), /^One moment…/);
  await see(page.getByRole("status").filter({ hasText: "1 other session was ended." }));
  assert.equal(asked.times, 1);
  assert.deepEqual(faults, []);
});

/** What the service says when it is shed or cannot know; the page's own texts are what is tried here. */
const unavailable = (code) => ({
  status: 503,
  headers: { "Content-Type": "application/problem+json", "Retry-After": "1" },
  body: JSON.stringify({ type: `/problems/${code}`, title: "-", status: 503, detail: "-", code, request_id: "r", retry_after: 1 }),
});

test("too busy: nothing was changed, the words are on the screen, and the same form can be sent again", async () => {
  const { page, faults } = await open(small);
  await signIn(page, "carol");
  await page.evaluate(() => (location.hash = "#/set-up"));
  await see(heading(page, "Set up two-factor authentication"));
  await page.getByLabel("Account password").fill(PASSWORD);
  for (const [code, words] of [["overloaded", "There is too much to do right now."], ["unavailable", "The service cannot tell right now."]]) {
    await page.route(`${url}/account/security/2fa/totp`, (route) => route.fulfill(unavailable(code)), { times: 1 });
    await button(page, "Continue").click();
    const alert = page.getByRole("alert").filter({ hasText: `${words} Nothing was changed. Try again in a moment.` });
    await see(alert);
    assert.ok(await isOnScreen(alert), "the words are where the customer looks");
    assert.equal(await page.getByLabel("Account password").inputValue(), PASSWORD, "nothing has to be typed again");
  }
  await button(page, "Continue").click();
  await see(heading(page, "Connect your authenticator app"));
  assert.deepEqual(faults, []);
});

test("a gateway that answers instead of the service: nobody knows, and the page says so", async () => {
  const { page, faults } = await open();
  await signIn(page, "dave");
  await page.evaluate(() => (location.hash = "#/set-up"));
  await see(heading(page, "Set up two-factor authentication"));
  await page.getByLabel("Account password").fill(PASSWORD);
  await page.route(`${url}/account/security/2fa/totp`, (route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" }));
  await button(page, "Continue").click();
  await see(page.getByRole("alert").filter({ hasText: "It is not known whether the change was made." }));
  await see(button(page, "Look at the status"));
  assert.deepEqual(faults, []);
});

test("offline: a view says so and can be tried again, and so can the sign-in", async () => {
  const { page, context, faults } = await open(small);
  await see(heading(page, "Sign in"));
  await page.getByLabel("E-mail", { exact: true }).fill(email("dave"));
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await context.setOffline(true);
  await button(page, "Sign in").click();
  const alert = page.getByRole("alert").filter({ hasText: "The service could not be reached. Check your connection and try again." });
  await see(alert);
  assert.ok(await isOnScreen(alert));
  await context.setOffline(false);
  await button(page, "Sign in").click();
  await see(heading(page, "Account Security"));

  await context.setOffline(true);
  await link(page, "Sessions").click();
  await see(heading(page, "This page could not be loaded"));
  assert.ok(await hasFocus(heading(page, "This page could not be loaded")));
  await see(alert);
  await context.setOffline(false);
  await button(page, "Try again").click();
  await see(heading(page, "Sessions"));
  assert.deepEqual(faults, []);
});

/** Up to a pixel that rounding takes. */
const isOnScreen = (locator) => locator.evaluate((one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return top > -1 && bottom < innerHeight + 1;
});
