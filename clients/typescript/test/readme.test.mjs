// The examples of the README, run as they stand but for the address.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { program, snippets } from "./pages.mjs";
import { startService } from "./service.mjs";

const file = new URL("../dist/readme-example.mjs", import.meta.url);
let service;
before(async () => (service = await startService()));
after(async () => {
  await service.stop();
  await rm(file, { force: true });
});

test("the examples of the README run", async () => {
  const readCode = `
    import { Phone } from "../test/phone.mjs";
    const readCode = ({ otpauth_uri }) => new Phone(otpauth_uri).code();`.replace(/^ +/gm, "");
  const examples = snippets(await readFile(new URL("../README.md", import.meta.url), "utf8"), "js");
  assert.equal(examples.length, 3);
  const code = program([readCode, ...examples]).replaceAll("http://127.0.0.1:8080", service.url);
  await writeFile(file, code);
  const { stdout } = await promisify(execFile)(process.execPath, [file.pathname]);
  const [state, uri, codes, message, refused] = stdout.trim().split("\n");
  assert.equal(state, "false true");
  assert.match(uri, /^otpauth:\/\/totp\//);
  assert.match(codes, /^10 codes/);
  assert.match(message, /no longer protected/);
  // Switched off already: the state is looked at before the password.
  assert.match(refused, /^409 two-factor-not-enabled/);
});
