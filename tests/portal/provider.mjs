// The portal's identity provider: a certified OpenID provider on loopback, and a browser on foot that signs in at it.

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

export const AUDIENCE = "https://portal.test/security";
/** What the provider says where it asked for a second factor itself. */
export const SECOND_FACTOR = "urn:portal:mfa";
const CLIENT = "spa";
const REDIRECT = "http://127.0.0.1:1/callback";

/** Starts a provider. `rotate` gives it other keys, and forgets the old ones. */
export async function startProvider() {
  let answer;
  const server = createServer((request, response) => answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const rotate = () => {
    answer = provider(issuer, newKey()).callback();
  };
  rotate();
  return { issuer, rotate, signIn: (name, options) => signIn(issuer, name, options), stop: () => server.close() };
}

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: randomBytes(8).toString("hex") };
}

function provider(issuer, key) {
  return new Provider(issuer, {
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    clients: [{
      client_id: CLIENT,
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: [REDIRECT],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    }],
    scopes: ["openid", "mfa"],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: "mfa", audience: AUDIENCE, accessTokenFormat: "jwt", accessTokenTTL: 300 }),
      },
    },
    // What RFC 9068 §2.2.1 lists, from the session that the provider has.
    extraTokenClaims: (context, token) => ({
      auth_time: context.oidc.entities.AuthorizationCode.authTime,
      ...(token.scope?.includes("mfa") && { acr: SECOND_FACTOR }),
    }),
  });
}

/** Signs in with the authorization code flow and PKCE; gives the access token. */
async function signIn(issuer, name, { scope = "openid" } = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const browser = newBrowser();
  const question = new URLSearchParams({
    client_id: CLIENT,
    redirect_uri: REDIRECT,
    response_type: "code",
    scope,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  let at = await browser(`${issuer}/auth?${question}`);
  for (const form of [{ prompt: "login", login: name, password: "at the portal" }, { prompt: "consent" }]) {
    if (at.startsWith(REDIRECT)) break;
    at = await browser(await browser(at, form));
  }
  const code = new URL(at).searchParams.get("code");
  if (!code) throw new Error(`no code: ${at}`);
  const grant = { grant_type: "authorization_code", client_id: CLIENT, redirect_uri: REDIRECT, code, code_verifier: verifier };
  const answer = await fetch(`${issuer}/token`, { method: "POST", body: new URLSearchParams(grant) });
  const tokens = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(tokens));
  return tokens.access_token;
}

/** Asks for a page or sends a form, with the cookies so far; gives the address that the answer leads to. */
function newBrowser() {
  const cookies = new Map();
  return async (address, form) => {
    const answer = await fetch(address, {
      method: form ? "POST" : "GET",
      body: form && new URLSearchParams(form),
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      redirect: "manual",
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      cookies.set(name, value);
    }
    const to = answer.headers.get("location");
    if (!to) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
    return new URL(to, address).href;
  };
}
