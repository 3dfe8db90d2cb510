// A security key of Chromium's own making, and what a page does with it.

import { createServer } from "node:http";
import { once } from "node:events";
import { after } from "node:test";

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Settings of a service whose page is at a port of this machine, under the name that passkeys take. */
export const settingsAt = (port) => ({
  TWOFOLD_LISTEN: `127.0.0.1:${port}`,
  TWOFOLD_WEBAUTHN_RP_ID: "localhost",
  TWOFOLD_WEBAUTHN_ORIGINS: `http://localhost:${port}`,
});

/** A page of somebody else's, at another port of the same machine. */
export async function strangersPage() {
  const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end("<title>?</title>"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  return `http://localhost:${server.address().port}/`;
}

/** A security key, plugged in at a page. */
export class Key {
  static async pluggedIn(page) {
    const session = await page.context().newCDPSession(page);
    await session.send("WebAuthn.enable");
    const options = {
      protocol: "ctap2", transport: "usb", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    };
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", { options });
    return Object.assign(new Key(), { page, session, authenticatorId });
  }

  /** What the page makes by the options of the service. */
  create(options) {
    return this.page.evaluate(async (json) => {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json);
      return (await navigator.credentials.create({ publicKey })).toJSON();
    }, options);
  }

  /** What the page has signed. */
  get(options) {
    return this.page.evaluate(async (json) => {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
      return (await navigator.credentials.get({ publicKey })).toJSON();
    }, options);
  }

  /** Plugs a copy in elsewhere, which has made so many signatures. */
  async copyTo(other, signCount) {
    const { authenticatorId, session } = this;
    const { credentials } = await session.send("WebAuthn.getCredentials", { authenticatorId });
    for (const credential of credentials) {
      await other.session.send("WebAuthn.addCredential", {
        authenticatorId: other.authenticatorId, credential: { ...credential, signCount },
      });
    }
  }
}

/** Calls of the page's own, with the token that it has. */
export class Calls {
  constructor(page) {
    this.page = page;
  }

  async post(path, body) {
    const headers = { "Content-Type": "application/json", ...(this.token && { Authorization: `Bearer ${this.token}` }) };
    const answer = await this.page.evaluate(async ([path, init]) => {
      const response = await fetch(path, init);
      return { status: response.status, body: await response.json() };
    }, [path, { method: "POST", headers, body: JSON.stringify(body) }]);
    const tokens = answer.body.tokens ?? (answer.body.access_token && answer.body);
    if (tokens) this.token = tokens.access_token;
    return answer;
  }
}
