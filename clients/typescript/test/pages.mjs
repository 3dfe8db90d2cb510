// The snippets of a page in Markdown.

/** The code blocks of a language, in order. */
export function snippets(text, language) {
  const block = new RegExp("^```" + language + "\\n(.*?)^```$", "gms");
  return [...text.matchAll(block)].map(([, code]) => code);
}

/** Several snippets as one program: a module has its imports once, and first. */
export function program(parts) {
  const lines = parts.join("\n").split("\n");
  const imports = lines.filter((line) => line.startsWith("import "));
  return [...new Set(imports), ...lines.filter((line) => !line.startsWith("import "))].join("\n");
}
