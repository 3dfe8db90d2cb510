// axe-core on the view that is shown: light and dark, at the width of a small phone and of a desk.

import axe from "axe-core";

const SIZES = [{ width: 320, height: 640 }, { width: 1280, height: 800 }];
const SCHEMES = ["light", "dark"];

/** Is given to a page before it loads: its policy admits no script of another origin, nor one in the document. */
export const bringAxe = (page) => page.addInitScript({ content: axe.source });

/** Every violation on the view, in every size and scheme, and whether it has to be scrolled sideways. */
export async function violations(page, view) {
  const found = [];
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      const where = `${view}, ${size.width} px, ${colorScheme}`;
      found.push(...(await inspect(page)).map((violation) => `${where}: ${violation}`));
    }
    // WCAG 2.2, 1.4.10: text flows anew instead of running out of the screen.
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > size.width) found.push(`${view}, ${size.width} px: the document is ${width} px wide`);
  }
  return found;
}

/** Every violation on the view as it is shown now. */
export function inspect(page) {
  return page.evaluate(async () => {
    const { violations, passes } = await window.axe.run(document, { resultTypes: ["violations"] });
    if (passes.length === 0) throw new Error("axe-core has inspected nothing");
    return violations.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
  });
}
