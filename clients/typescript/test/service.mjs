// A Twofold service of the test's own: the real binary, a fresh SQLite file, a free port, and the persons asked for.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

const here = new URL(".", import.meta.url).pathname;
const binary = resolve(process.env.TWOFOLD_BIN ?? join(here, "../../../target/debug/twofold"));

/** The password of every person. */
export const PASSWORD = "correct horse battery";

/** The address of a person. */
export const email = (name) => `${name}@example.test`;

/**
 * Starts a service; `settings` are environment variables on top of what a test needs. The portal's own issuer may know
 * the persons by their names.
 */
export async function startService({ persons = ["alice"], areKnownToPortal = false, settings = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "twofold-client-"));
  const env = {
    PATH: process.env.PATH,
    TWOFOLD_DATABASE_URL: `sqlite://${folder}/twofold.db`,
    TWOFOLD_KEYS: join(folder, "keys.toml"),
    TWOFOLD_LISTEN: "127.0.0.1:0",
    TWOFOLD_OPS_LISTEN: "127.0.0.1:0",
    // Cheap hashes, and no limit for one address: all the tests come from one.
    TWOFOLD_INSECURE: "1",
    TWOFOLD_BCRYPT_COST: "4",
    TWOFOLD_AUTH_PER_MINUTE: "0",
    TWOFOLD_LOG: "warn",
    ...settings,
  };
  await run(["keys", "generate", "--out", env.TWOFOLD_KEYS], env, folder);
  await run(["migrate"], env, folder);
  for (const name of persons) {
    const subject = areKnownToPortal ? ["--subject", name] : [];
    await run(["account", "add", "--email", email(name), "--password-stdin", "--json", ...subject], env, folder, PASSWORD);
  }
  const server = spawn(binary, ["serve"], { env, cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await readyAddresses(server, 1);
  return {
    url,
    keys: env.TWOFOLD_KEYS,
    folder,
    /** What its programs find in their environment, and `twofold` among them. */
    env: { ...env, PATH: `${dirname(binary)}:${env.PATH}` },
    /** A command of the operator's: what it prints, which is JSON. */
    operate: async (...args) => JSON.parse(await run([...args, "--json"], env, folder)),
    async stop() {
      await ended(server);
      await rm(folder, { recursive: true });
    },
  };
}

/** Starts a sandbox: where its own page is, and where its service. */
export async function startSandbox() {
  const server = spawn(binary, ["demo", "--sandbox", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
  const [service, , url] = await readyAddresses(server, 3);
  return { service, url, stop: () => ended(server) };
}

async function ended(server) {
  const end = once(server, "exit");
  server.kill("SIGTERM");
  await end;
}

async function run(args, env, cwd, input = "") {
  const child = spawn(binary, args, { env, cwd, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(input);
  const [said, [status]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (status !== 0) throw new Error(`twofold ${args.join(" ")} ended with ${status}`);
  return said;
}

/** The first addresses that a program prints. */
async function readyAddresses(server, count) {
  const addresses = [];
  for await (const line of createInterface({ input: server.stdout })) {
    addresses.push(...(line.match(/http:\/\/[\d.:]+\d/g) ?? []));
    if (addresses.length >= count) {
      server.stdout.resume();
      return addresses;
    }
  }
  throw new Error("twofold ended before it was ready");
}
