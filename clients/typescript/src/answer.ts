// An answer of the service, and how long a call is tried for one.

import { NetworkError, ProblemError, isProblem } from "./problem.js";

/** What `openapi-fetch` gives: a body that the document describes, or a problem. */
export type Answer<T> = Success<T> | { data?: never; error: unknown; response: Response };
type Success<T> = { data: T; error?: never; response: Response };

/** Whether the call was carried out. */
export function succeeded<T>(answer: Answer<T>): answer is Success<T> {
  return answer.response.ok;
}

/** The code of the problem; undefined for a success and for what a gateway says. */
export function codeOf(answer: Answer<unknown>): string | undefined {
  return !succeeded(answer) && isProblem(answer.error) ? answer.error.code : undefined;
}

/** The body, or the problem as an error. */
export function bodyOf<T>(answer: Answer<T>): T {
  if (succeeded(answer)) return answer.data;
  throw new ProblemError(answer.response, answer.error);
}

/** Tries once. Whatever `fetch` throws means that no whole answer came. */
export async function once<T>(attempt: () => Promise<Answer<T>>): Promise<Answer<T>> {
  return persist(attempt, []);
}

// Long enough for a restart of one replica, short enough for a person who waits.
const PAUSES = [250, 1000, 3000];
const LONGEST_PAUSE = 10_000;

/**
 * Tries until the outcome is known, or until the pauses are used up. Only for calls that take effect once however often
 * they are sent.
 */
export async function persist<T>(attempt: () => Promise<Answer<T>>, pauses = PAUSES): Promise<Answer<T>> {
  let lost: unknown;
  for (let tries = 0; ; tries++) {
    const pause = pauses[tries];
    try {
      const answer = await attempt();
      if (!isUndecided(answer, lost !== undefined)) return answer;
      if (pause === undefined && lost === undefined) return answer;
      if (pause !== undefined) await sleep(Math.max(pause, retryAfter(answer)));
    } catch (cause) {
      // A refresh on the way has been tried as often as is safe: see Session.
      if (cause instanceof NetworkError) throw cause;
      if (cause instanceof ProblemError) throw lost === undefined ? cause : new NetworkError(lost);
      lost = cause ?? "no reason given";
      if (pause !== undefined) await sleep(pause);
    }
    if (pause === undefined) throw new NetworkError(lost);
  }
}

// After a lost answer a 503 says nothing about the try before it.
function isUndecided(answer: Answer<unknown>, lost: boolean): boolean {
  const status = answer.response.status;
  const code = codeOf(answer);
  if (code === undefined) return status >= 500;
  return code === "outcome-unknown" || code === "request-in-progress" || (lost && status === 503);
}

function retryAfter(answer: Answer<unknown>): number {
  const seconds = succeeded(answer) ? undefined : new ProblemError(answer.response, answer.error).retryAfter;
  return Math.min((seconds ?? 0) * 1000, LONGEST_PAUSE);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, milliseconds));
}
