// The session of one person: a valid access token whenever one is needed, and never two refreshes at once.
//
// A refresh token is good once. The service accepts its direct predecessor once more for 30 seconds; any other reuse
// ends the session. So there is one refresh at a time, it is tried twice at most, and it waits for calls whose own
// answer brings tokens.

import { type Answer, persist, succeeded } from "./answer.js";
import { ProblemError } from "./problem.js";
import { type StoredTokens, type TokenStore, type Tokens, stored } from "./tokens.js";

// An access token that ends while it is on its way would cost a second round.
const MARGIN = 10_000;
const ONE_MORE_TRY = [250];

/** Asks the service for the next pair. */
export type Refresh = (refreshToken: string) => Promise<Answer<Tokens>>;

/** Owns the tokens. */
export class Session {
  #renewal: Promise<string | undefined> | undefined;
  readonly #changes = new Set<Promise<unknown>>();

  constructor(
    private readonly store: TokenStore,
    private readonly refresh: Refresh,
    private readonly onSignedOut: () => void,
  ) {}

  /** Whether there are tokens. Whether they are still accepted is known only to the service. */
  get isOpen(): boolean {
    return this.store.load() !== null;
  }

  /** Keeps a new pair. */
  replace(tokens: Tokens): void {
    this.store.save(stored(tokens));
  }

  /** Forgets the tokens. */
  close(): void {
    this.store.save(null);
  }

  /** An access token that lives long enough for a call; undefined while nobody is signed in. */
  async accessToken(changes: boolean): Promise<string | undefined> {
    if (this.#renewal !== undefined) return this.#renewal;
    const held = this.store.load();
    if (held === null) return undefined;
    return held.expires_at - MARGIN > Date.now() ? held.access_token : this.renew(held.access_token, changes);
  }

  /**
   * An access token other than the one that was refused; undefined when the session is over. `changes` is for calls
   * inside `changing`: they would wait for themselves.
   */
  async renew(refused: string, changes: boolean): Promise<string | undefined> {
    if (!changes) await Promise.allSettled(this.#changes);
    const held = this.store.load();
    if (held === null || held.access_token !== refused) return held?.access_token;
    this.#renewal ??= this.#trade(held).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  /** Runs a call whose answer replaces the tokens: a refresh beside it would leave us with the pair that lost. */
  async changing<T>(call: () => Promise<T>): Promise<T> {
    const running = call();
    this.#changes.add(running);
    try {
      return await running;
    } finally {
      this.#changes.delete(running);
    }
  }

  /** Refreshes after an answer that brought no tokens though there are new ones; the call itself has succeeded. */
  async catchUp(): Promise<void> {
    const held = this.store.load();
    if (held === null) return;
    try {
      await this.renew(held.access_token, true);
    } catch {
      // The next call notices: its token is refused, and it refreshes.
    }
  }

  async #trade(held: StoredTokens): Promise<string | undefined> {
    const answer = await persist(() => this.refresh(held.refresh_token), ONE_MORE_TRY);
    const now = this.store.load();
    if (now === null) return undefined;
    // Another tab was faster, and what it got is newer than what we asked with.
    if (!succeeded(answer) && now.refresh_token !== held.refresh_token) return now.access_token;
    if (succeeded(answer)) {
      this.replace(answer.data);
      return answer.data.access_token;
    }
    if (![400, 401].includes(answer.response.status)) throw new ProblemError(answer.response, answer.error);
    this.close();
    this.onSignedOut();
    return undefined;
  }
}

