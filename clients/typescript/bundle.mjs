// Makes web/client.js, the client as one file for a page without a build step; with --check, says whether it is that.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL(".", import.meta.url));
const target = fileURLToPath(new URL("../../web/client.js", import.meta.url));

// Its licence goes wherever its code goes.
const licence = await readFile(new URL("node_modules/openapi-fetch/LICENSE", import.meta.url), "utf8");

const { outputFiles } = await build({
  absWorkingDir: folder,
  entryPoints: ["src/index.ts"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  platform: "browser",
  legalComments: "none",
  charset: "utf8",
  write: false,
  banner: {
    js: "// The client of clients/typescript as one file. Made by `npm run bundle` there; do not edit it here.\n" +
      `/* It contains openapi-fetch:\n\n${licence.trim()}\n*/`,
  },
});
const made = outputFiles[0].text;

if (!process.argv.includes("--check")) {
  await writeFile(target, made);
} else if ((await readFile(target, "utf8").catch(() => "")) !== made) {
  console.error("web/client.js is not what the sources give: run `npm run bundle` in clients/typescript");
  process.exitCode = 1;
}
