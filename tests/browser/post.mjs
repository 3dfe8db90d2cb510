// Where codes go that the service sends: a mail server, and a gateway for text messages (Kannel's `sendsms`).

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { text } from "node:stream/consumers";

const SERVER = new URL("../mail/server.py", import.meta.url).pathname;
const CODE = /\b\d{8}\b/;

/** What was sent to somebody, the newest last. */
class Box {
  #sent = [];

  put(to, said) {
    this.#sent.push({ to, code: CODE.exec(said)?.[0] });
  }

  /** The newest code for an address, once `count` have come. */
  async code(to, count = 1) {
    for (let tries = 0; tries < 300; tries++) {
      const codes = this.#sent.filter((one) => one.to === to && one.code);
      if (codes.length >= count) return codes.at(-1).code;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error(`no code came to ${to}, but ${JSON.stringify(this.#sent)}`);
  }
}

/** A mail server of the tests' own, by the Python of the system, and the settings that lead to it. */
export async function openPost() {
  const server = spawn("/usr/bin/python3", [SERVER, "0", "clear", "take"], { stdio: ["ignore", "pipe", "inherit"] });
  after(() => server.kill());
  const box = new Box();
  const lines = createInterface({ input: server.stdout });
  const port = new Promise((ready) => lines.on("line", (line) => {
    const told = JSON.parse(line);
    if (told.step === "ready") ready(told.port);
    if (told.step === "message") box.put(told.to[0], told.text);
  }));
  const url = `smtp://localhost:${await port}?tls=none`;
  return { box, settings: { TWOFOLD_MAIL_URL: url, TWOFOLD_MAIL_FROM: "security@example.test", TWOFOLD_PUBLIC_URL: "http://localhost" } };
}

/** A gateway of the tests' own, and the settings that lead to it. */
export async function openGateway() {
  const box = new Box();
  const server = createServer(async (request, response) => {
    box.put(request.headers["x-kannel-to"], await text(request));
    response.writeHead(202).end("0: Accepted for delivery");
  }).listen(0, "127.0.0.1");
  after(() => server.close());
  await once(server, "listening");
  const settings = {
    TWOFOLD_SMS_GATEWAY: "kannel",
    TWOFOLD_SMS_URL: `http://127.0.0.1:${server.address().port}/cgi-bin/sendsms`,
    TWOFOLD_SMS_USER: "twofold",
    TWOFOLD_SMS_PASSWORD: "a password of the gateway's",
    TWOFOLD_SMS_FROM: "Twofold",
  };
  return { box, settings };
}
