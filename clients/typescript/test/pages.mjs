// The snippets of a page in Markdown, in order.

import { readFile } from "node:fs/promises";

/** The code blocks of a language. */
export async function snippets(page, language) {
  const text = await readFile(new URL(page, import.meta.url), "utf8");
  const block = new RegExp("^```" + language + "\\n(.*?)^```$", "gms");
  return [...text.matchAll(block)].map(([, code]) => code);
}

/** Several snippets as one program: a module has its imports once, and first. */
export function program(parts) {
  const lines = parts.join("\n").split("\n");
  const imports = lines.filter((line) => line.startsWith("import "));
  return [...new Set(imports), ...lines.filter((line) => !line.startsWith("import "))].join("\n");
}
