// What the first load costs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "./browser.mjs";
import { heading, see } from "./steps.mjs";

const { open, url } = await start({ persons: [] });
const MOST_BYTES = 60_000;
const PAINT_GOAL = 200;

test(`the first load takes at most ${MOST_BYTES} bytes`, async (t) => {
  const bytes = new Map();
  const prepare = async (page) => {
    const wire = await page.context().newCDPSession(page);
    await wire.send("Network.enable");
    const addresses = new Map();
    wire.on("Network.requestWillBeSent", ({ requestId, request }) => addresses.set(requestId, request.url));
    // Headers included, and the body as it travels.
    wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => bytes.set(addresses.get(requestId), encodedDataLength));
  };
  const { page, faults } = await open({ prepare });
  await see(heading(page, "Sign in"));
  // What the first view asks for after it is drawn belongs to it.
  await page.waitForLoadState("networkidle");
  const all = [...bytes.values()].reduce((sum, one) => sum + one, 0);
  const paints = await page.evaluate(() =>
    performance.getEntriesByType("paint").map(({ name, startTime }) => [name, Math.round(startTime)]));
  t.diagnostic(`${all} bytes in ${bytes.size} answers`);
  for (const [address, size] of [...bytes].sort(([, a], [, b]) => b - a)) t.diagnostic(`${size} ${address.replace(url, "")}`);
  // A busy machine paints late: the time is told, not asserted.
  for (const [name, time] of paints) t.diagnostic(`${name} after ${time} ms (goal: ${PAINT_GOAL} ms)`);
  assert.ok(bytes.has(`${url}/web/main.js`), "the page was counted");
  assert.ok(all <= MOST_BYTES, `${all} bytes`);
  assert.deepEqual(faults, []);
});
