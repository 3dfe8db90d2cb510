// The snippets of docs/integrate.md, run as they stand but for the address. What a person or a phone would do is done
// by a few lines in front of them.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { program, snippets } from "./pages.mjs";
import { signedIn } from "./persons.mjs";
import { startService } from "./service.mjs";

const PAGE = "../../../docs/integrate.md";
const run = promisify(execFile);
const file = new URL("../dist/integrate-example.mjs", import.meta.url);
const page = await readFile(new URL(PAGE, import.meta.url), "utf8");
// By its title: other parts come and go.
const part = (title) => page.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
const [application, mobile] = [part("A single-page application"), part("A mobile app")];
const [tooling, partner] = [part("Back-end tooling"), part("A partner's program")];

let service;
before(async () => (service = await startService()));
after(async () => {
  await service.stop();
  await rm(file, { force: true });
});

const here = (code) => code.replaceAll("http://127.0.0.1:8080", service.url);

// Beside the compiled client, because that is where its name and jose are found.
async function runModule(parts, env = {}) {
  await writeFile(file, here(program(parts)));
  const { stdout } = await run(process.execPath, [file.pathname], { env: { ...process.env, ...env } });
  return stdout.trim().split("\n");
}

test("the snippets for a single-page application run", async () => {
  const owner = `
import { Phone } from "../test/phone.mjs";
let phone;
const showQrCode = ({ otpauth_uri }) => { phone = new Phone(otpauth_uri); };
const askForCode = async () => phone.code();`;
  const lines = await runModule([owner, ...snippets(application, "js")]);
  assert.ok(lines.includes("setup asks for password"), lines.join("\n"));
  assert.ok(lines.includes("disable is off: two-factor-not-enabled"));
  assert.ok(lines.some((line) => line.startsWith("validation-failed [ '/code' ]")));
  assert.ok(lines.includes("10 recovery codes"));
  assert.match(lines.at(-1), /no longer protected/);
});

test("the snippets for a mobile app run", async () => {
  const phone = `
import { Phone } from "../test/phone.mjs";
const openLink = (uri) => new Phone(uri);`;
  const off = `await app.disable({ password: "correct horse battery" });`;
  const lines = await runModule([phone, ...snippets(mobile, "js"), off]);
  assert.deepEqual(lines, ["refreshed true", "[ 'New phone' ]"]);
});

test("a back-end checks a token as the page says", async () => {
  const { store } = await signedIn(service.url, "alice");
  const [line] = await runModule(snippets(tooling, "js"), { ACCESS_TOKEN: store.load().access_token });
  assert.match(line, /^[0-9a-f-]{36} aal1 \d+$/);
  const forged = store.load().access_token.replace(/.{8}$/, "AAAAAAAA");
  await assert.rejects(runModule(snippets(tooling, "js"), { ACCESS_TOKEN: forged }), /JWSSignatureVerificationFailed/);
});

const missing = ["curl", "jq", "oathtool"].filter((tool) => !isInstalled(tool));
test("the shell snippets run", { skip: missing.length > 0 && `not installed: ${missing}` }, async () => {
  const script = ["set -euo pipefail", ...snippets(tooling, "sh"), "echo A PARTNER", ...snippets(partner, "sh")].join("\n");
  const place = { cwd: service.folder, env: { ...process.env, ...service.env } };
  const all = (await run("bash", ["-c", here(script)], place)).stdout.trim().split("\n");
  const lines = all.slice(0, all.indexOf("A PARTNER"));
  assert.deepEqual(lines.slice(1, 3), ["EdDSA", "43200"]);
  assert.ok(lines.includes("10"));
  const refused = lines.indexOf("403");
  assert.equal(lines[refused + 1], "invalid-credential");
  assert.match(lines.at(-1), /no longer protected/);
  const told = all.slice(lines.length + 1).join("\n");
  assert.match(told, /^(.*\n)*false\naal1\n\d{4}-.*Z\ntwo-factor-not-enabled\n/);
  assert.match(told, /two_factor\.disabled\t[0-9a-f-]{36}\tfalse/);
  assert.match(told, /\ncreated$/);
});

function isInstalled(tool) {
  try {
    execFileSync("sh", ["-c", `command -v ${tool}`]);
    return true;
  } catch {
    return false;
  }
}
