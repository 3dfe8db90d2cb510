// A Twofold service of the test's own: the real binary, a fresh SQLite file, a free port, and the persons asked for.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

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
  const url = await readyAddress(server);
  return {
    url,
    keys: env.TWOFOLD_KEYS,
    async stop() {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function run(args, env, cwd, input = "") {
  const child = spawn(binary, args, { env, cwd, stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end(input);
  const [status] = await once(child, "exit");
  if (status !== 0) throw new Error(`twofold ${args.join(" ")} ended with ${status}`);
}

async function readyAddress(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const address = /http:\/\/[\d.:]+/.exec(line);
    if (address) {
      server.stdout.resume();
      return address[0];
    }
  }
  throw new Error("twofold serve ended before it was ready");
}
