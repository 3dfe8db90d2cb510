// How a call is made: with a token, again when the token is refused, again when the answer was lost, and again after
// a step-up.

import { type Answer, bodyOf, codeOf, persist, succeeded } from "./answer.js";
import type { Session } from "./session.js";
import type { Tokens } from "./tokens.js";

/** What a call sends beside its own body. */
export type Init = { headers: Record<string, string>; signal: AbortSignal };

/** One try of a call. */
export type Attempt<T> = (init: Init) => Promise<Answer<T>>;

/** How a call may be tried. */
export interface Manner {
  /** Whether it takes effect once however often it is sent: a read, or a change with an Idempotency-Key. */
  repeats: boolean;
  /** Whether it changes something and takes an Idempotency-Key. */
  keyed: boolean;
  /** Whether the tokens are other ones after it. */
  changesTokens: boolean;
}

export const READ: Manner = { repeats: true, keyed: false, changesTokens: false };
export const POST: Manner = { repeats: true, keyed: true, changesTokens: false };
export const POST_FOR_TOKENS: Manner = { repeats: true, keyed: true, changesTokens: true };
// Sent twice, it says the same (RFC 9110 §9.2.2).
export const PUT: Manner = { repeats: true, keyed: false, changesTokens: false };
// PATCH and DELETE take no key: sent twice, the second answer would speak of the first one's effect.
export const CHANGE: Manner = { repeats: false, keyed: false, changesTokens: false };

/** Makes calls. */
export class Calls {
  constructor(
    private readonly session: Session,
    private readonly init: () => Init,
    private readonly stepUp: (demand: { maxAge: number }) => Promise<boolean>,
  ) {}

  /** Makes a call that brings no tokens. */
  async make<T>(attempt: Attempt<T>, manner: Manner): Promise<T> {
    return bodyOf(await this.#assured(attempt, manner));
  }

  /** Makes a call that brings tokens, keeps them, and gives the rest. */
  async makeForTokens<T extends { tokens: Tokens | null }>(attempt: Attempt<T>): Promise<Omit<T, "tokens">> {
    const { tokens: _, ...rest } = bodyOf(await this.#assured(attempt, POST_FOR_TOKENS));
    return rest;
  }

  async #assured<T>(attempt: Attempt<T>, manner: Manner): Promise<Answer<T>> {
    // Drawn once a call: that is what makes the service recognise the second try.
    const key = manner.keyed ? randomKey() : undefined;
    const first = await this.#tried(attempt, manner, key);
    if (codeOf(first) !== "insufficient-user-authentication") return first;
    const demand = { maxAge: maxAge(first.response) };
    return (await this.stepUp(demand)) ? this.#tried(attempt, manner, key) : first;
  }

  #tried<T>(attempt: Attempt<T>, manner: Manner, key: string | undefined): Promise<Answer<T>> {
    const run = () => persist(() => this.#authorized(attempt, manner, key), manner.repeats ? undefined : []);
    if (!manner.changesTokens) return run();
    return this.session.changing(async () => {
      const answer = await run();
      await this.#adopt(answer);
      return answer;
    });
  }

  async #authorized<T>(attempt: Attempt<T>, manner: Manner, key: string | undefined): Promise<Answer<T>> {
    const token = await this.session.accessToken(manner.changesTokens);
    const answer = await attempt(this.#with(token, key));
    if (token === undefined || codeOf(answer) !== "invalid-token") return answer;
    const fresh = await this.session.renew(token, manner.changesTokens);
    return fresh === undefined ? answer : attempt(this.#with(fresh, key));
  }

  // A replay tells no secret: it has no tokens, or is already-completed. Then a pair that we never saw is the current
  // one, and ours is accepted for seconds only.
  async #adopt(answer: Answer<unknown>): Promise<void> {
    const tokens = succeeded(answer) ? tokensIn(answer.data) : undefined;
    if (tokens) this.session.replace(tokens);
    else if (tokens === null || codeOf(answer) === "already-completed") await this.session.catchUp();
  }

  #with(token: string | undefined, key: string | undefined): Init {
    const init = this.init();
    if (token !== undefined) init.headers["Authorization"] = `Bearer ${token}`;
    if (key !== undefined) init.headers["Idempotency-Key"] = key;
    return init;
  }
}

// Undefined where the answer is not of a kind that brings tokens; null in a replay.
function tokensIn(data: unknown): Tokens | null | undefined {
  if (typeof data !== "object" || data === null || !("tokens" in data)) return undefined;
  return isTokens(data.tokens) ? data.tokens : null;
}

function isTokens(value: unknown): value is Tokens {
  return typeof value === "object" && value !== null && "access_token" in value && "refresh_token" in value;
}

// RFC 9470 §3. Without one, only a proof made now is sure to be fresh enough.
function maxAge(response: Response): number {
  const found = /max_age="?(\d+)/.exec(response.headers.get("WWW-Authenticate") ?? "");
  return Number(found?.[1] ?? 0);
}

// Not randomUUID: browsers have that only on https.
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
