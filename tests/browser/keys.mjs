// A customer without a mouse: Tab, Enter, Space and Escape, and a look at where the focus is.

import assert from "node:assert/strict";

const MOST_STOPS = 40;

/** Goes on with Tab until the focus is on this element; every stop on the way has to show that it has the focus. */
export async function tabTo(page, locator) {
  let rounds = 0;
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(focus);
    // Behind the last element is the browser itself; then the document begins again.
    if (stop.isOutside && rounds++ === 0) continue;
    assert.ok(stop.isVisible, `the focus is on ${stop.name} and cannot be seen there`);
    if (await hasFocus(locator)) return;
  }
  assert.fail(`${locator} was not reached in ${MOST_STOPS} stops`);
}

export async function press(page, locator, key = "Enter") {
  await tabTo(page, locator);
  await page.keyboard.press(key);
}

export async function type(page, locator, text) {
  await tabTo(page, locator);
  await page.keyboard.type(text);
}

export const hasFocus = (locator) => locator.evaluate((one) => one === document.activeElement);

/** After a view has changed, reading and Tab go on from its heading. */
export async function assertFocusOn(locator) {
  await locator.waitFor();
  const page = locator.page();
  assert.ok(await hasFocus(locator), `the focus is on ${(await page.evaluate(focus)).name}, and not on ${locator}`);
}

/** Runs in the page. An outline that is drawn, on an element that is on the screen and not below another. */
function focus() {
  const one = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const top = document.elementFromPoint(x, y);
  const isOutlined = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  const isOnTop = top !== null && (one.contains(top) || top.contains(one));
  const words = one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent;
  return { isOutside: one === document.body, name: `${one.localName} “${words.trim().slice(0, 40)}”`, isVisible: one !== document.body && isOutlined && isOnTop };
}
