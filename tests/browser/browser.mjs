// A real browser, and a page of it at a service of the test's own.

import { after } from "node:test";
import { chromium } from "playwright-core";
import { startService } from "../../clients/typescript/test/service.mjs";

const WIDE = { width: 1280, height: 800 };
const ARGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];

/** Longer than the client tries a call again by itself. */
const PATIENCE = 20_000;

/** What the customer is told to turn to. */
export const SUPPORT = { email: "help@example.test", phone: "+1 555 0100" };

/**
 * Starts browser and service for the tests of one file, and ends them after it. `host` is the name of this machine that
 * the page is opened at.
 */
export async function start({ persons, settings = {}, host = "127.0.0.1" }) {
  const support = { TWOFOLD_SUPPORT_EMAIL: SUPPORT.email, TWOFOLD_SUPPORT_PHONE: SUPPORT.phone };
  const service = await startService({ persons, settings: { ...support, ...settings } });
  after(() => service.stop());
  const url = service.url.replace("127.0.0.1", host);
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  // The arguments name the headless mode; the library would add another.
  const browser = await chromium.launch({ executablePath, args: ARGS, ignoreDefaultArgs: ["--headless", "--headless=old"] });
  after(() => browser.close());
  return { url, keys: service.keys, operate: service.operate, open: (options) => open(browser, url, options) };
}

/**
 * A browser profile that nobody has used yet, at the first page or at the view that `at` names, of this service or of
 * what else is at `of`; what else is given is of the profile. `faults` holds what its scripts failed at.
 */
async function open(browser, url, { prepare, of = url, at = "", ...profile } = {}) {
  const context = await browser.newContext({ viewport: WIDE, locale: "en-GB", reducedMotion: "reduce", ...profile });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // A refusal is logged by the browser as an error of the network; a broken policy or script is another matter.
    if (message.type() === "error" && !/^Failed to load resource/.test(message.text())) faults.push(message.text());
  });
  await prepare?.(page);
  await page.goto(`${of}/${at}`);
  return { context, page, faults };
}
