// The tokens of the session, and where they are kept.

import type { components } from "./schema.js";

/** A pair of tokens as the service sends it. */
export type Tokens = components["schemas"]["Tokens"];

/** A pair of tokens as it is kept. */
export interface StoredTokens {
  /** Proves the session to the service for some minutes. */
  access_token: string;
  /** Is traded for the next pair, once. */
  refresh_token: string;
  /** When the access token ends, in milliseconds since 1970, by the clock of this machine. */
  expires_at: number;
  /** What the owner has proved: `aal1` a password, `aal2` a second factor too. */
  acr: string;
  /** How (RFC 8176): `pwd`, `otp`, `mfa`, and `rc` for a recovery code. */
  amr: string[];
}

/** Keeps the tokens. Who can read it can act as the owner: memory, or the keychain of a phone. */
export interface TokenStore {
  /** The tokens, or null while nobody is signed in. */
  load(): StoredTokens | null;
  /** Replaces the tokens; null forgets them. */
  save(tokens: StoredTokens | null): void;
}

/** Keeps the token of a remembered device, which stands for the second factor beside the password. It outlives sessions. */
export interface DeviceStore {
  /** The token, or null where the device is not remembered. */
  load(): string | null;
  /** Replaces the token. */
  save(token: string): void;
}

/** Keeps the tokens until the page is left: no other page, and no later visitor, can read them. */
export class MemoryStore implements TokenStore {
  #tokens: StoredTokens | null = null;

  /** The tokens, or null while nobody is signed in. */
  load(): StoredTokens | null {
    return this.#tokens;
  }

  /** Replaces the tokens; null forgets them. */
  save(tokens: StoredTokens | null): void {
    this.#tokens = tokens;
  }
}

/** Turns the life of the access token into a moment, so that no clock but ours is asked. */
export function stored(tokens: Tokens): StoredTokens {
  const { access_token, refresh_token, expires_in, acr, amr } = tokens;
  return { access_token, refresh_token, expires_at: Date.now() + expires_in * 1000, acr, amr };
}
