// What a call throws. A problem is an answer; a network error is the lack of one: a caller must tell them apart,
// because only after the second it does not know what happened.

import type { components } from "./schema.js";

/** The body of a problem (RFC 9457). Some kinds have members of their own. */
export type Problem = components["schemas"]["Problem"];

/** A member of the request that breaks a rule. */
export type FieldError = components["schemas"]["FieldError"];

/** The service refused a call, or could not carry it out. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  /** The HTTP status. */
  readonly status: number;
  /** The kind of problem, for a program: `invalid-credential`, `too-many-attempts`, … */
  readonly code: string;
  /** What kind of problem it is, for a person, in the client's language. */
  readonly title: string;
  /** What to do about it, for a person, in the client's language. */
  readonly detail: string;
  /** What support asks for. */
  readonly requestId: string;
  /** Seconds until another try is worth it. */
  readonly retryAfter: number | undefined;
  /** Guesses that are left, where the call carried one proof alone. */
  readonly attemptsRemaining: number | undefined;
  /** Which members break which rule. */
  readonly errors: FieldError[];
  /** The whole body. */
  readonly problem: Problem;

  /** Reads a problem from an answer that is not a success. */
  constructor(response: Response, body: unknown) {
    const problem = isProblem(body) ? body : foreign(response);
    super(`${problem.status} ${problem.code}: ${problem.detail || problem.title}`);
    this.status = response.status;
    this.code = problem.code;
    this.title = problem.title;
    this.detail = problem.detail;
    this.requestId = problem.request_id;
    this.retryAfter = problem.retry_after ?? seconds(response.headers.get("Retry-After"));
    this.attemptsRemaining = problem.attempts_remaining;
    this.errors = problem.errors ?? [];
    this.problem = problem;
  }
}

/** No answer came, also after further tries: whether the call took effect is not known. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";

  /** `cause` is what `fetch` threw. */
  constructor(cause: unknown) {
    super("No answer came from the service", { cause });
  }
}

/** Whether a body is a problem of the service, and not the page of a gateway in between. */
export function isProblem(body: unknown): body is Problem {
  return (
    typeof body === "object" && body !== null &&
    "code" in body && typeof body.code === "string" &&
    "title" in body && typeof body.title === "string"
  );
}

// A gateway's answer has no code; one that the service never uses keeps `switch (error.code)` honest.
function foreign(response: Response): Problem {
  return {
    type: "about:blank",
    title: response.statusText || `HTTP ${response.status}`,
    status: response.status,
    detail: "",
    code: "unexpected-answer",
    request_id: response.headers.get("X-Request-Id") ?? "",
  };
}

// Retry-After may also be a date (RFC 9110 §10.2.3): the service never sends one.
function seconds(value: string | null): number | undefined {
  return value !== null && /^\d+$/.test(value) ? Number(value) : undefined;
}
