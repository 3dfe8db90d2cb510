// What went wrong, in words for the customer: what happened, and what to do now.

import { NetworkError, ProblemError } from "./client.js";
import { el } from "./dom.js";
import { clockText, duration, hasText, t } from "./language.js";
import { passkeyTrouble } from "./passkey.js";
import { anyContact, contact } from "./support.js";

/** Problems that say: what you see is not how it stands any more. */
const STALE = new Set([
  "version-mismatch", "two-factor-not-enabled", "two-factor-already-enabled", "last-method", "too-many-methods",
  "already-confirmed", "already-completed", "not-found", "enrolment-expired", "idempotency-key-reused",
]);

export function isStale(error) {
  return error instanceof ProblemError && STALE.has(error.code);
}

/** The sentence for stale problems, and that what is shown now is the truth. */
export function staleText(app, error) {
  const { message } = explain(app, error);
  return error.code === "enrolment-expired" ? message : `${message} ${t("reloaded")}`;
}

/** No answer, or one of a gateway in between that does not know what became of the question either. */
export function isUnknown(error) {
  if (error instanceof NetworkError) return true;
  if (!(error instanceof ProblemError)) return false;
  return error.code === "outcome-unknown" || (error.code === "unexpected-answer" && error.status >= 500);
}

/** `message`, nodes that follow it, and sentences for single fields by name. */
export function explain(app, error, { hasCode = false, isChange = true } = {}) {
  if (isUnknown(error)) return plain(t(isChange ? "network" : "network.read"));
  const trouble = passkeyTrouble(error);
  if (trouble) return plain(t(trouble));
  if (!(error instanceof ProblemError)) {
    // A fault of this page: its console gets it, and it holds no input of the customer.
    console.error(error);
    return plain(t("fault"));
  }
  if (error.code === "too-many-attempts") return tooMany(app, error);
  if (error.code === "invalid-credential") return wrong(error, hasCode);
  if (error.code === "code-out-of-window") return plain(clockIsOff(error.problem.skew_seconds));
  if (error.code === "validation-failed") return invalid(error);
  const own = `problem.${error.code}`;
  if (hasText(own)) return plain(t(own));
  return { ...plain(`${error.title}. ${error.detail}`), more: [reference(error)] };
}

function plain(message) {
  return { message, more: [], fields: {} };
}

function reference(error) {
  return el("p", { class: "small" }, t("reference"), " ", el("code", null, error.requestId));
}

function wrong(error, hasCode) {
  const left = error.attemptsRemaining;
  const sentence = hasCode ? t("wrong.either") : t("wrong.password");
  return plain(left === undefined ? sentence : `${sentence} ${t("attempts-left", left)}`);
}

function clockIsOff(skew) {
  const words = duration(Math.abs(skew));
  return skew > 0 ? t("clock.ahead", words) : t("clock.behind", words);
}

function invalid(error) {
  const fields = Object.fromEntries(error.errors.map(({ pointer, detail }) => [pointer.slice(1), detail]));
  return { message: t("check-fields"), more: [], fields };
}

/** How long, said once, and counted down for the eye: a screen reader would be read to each second. */
function tooMany(app, error) {
  const seconds = error.retryAfter ?? 1;
  const until = Date.now() + seconds * 1000;
  const left = el("p", { class: "countdown", "aria-hidden": "true" });
  countDown(left, until);
  const place = el("div");
  if (seconds > 5) anyContact(app).then((support) => place.replaceChildren(contact(support) ?? ""));
  const message = t("too-many", duration(seconds), clockText(until));
  return { message, more: [left, place], fields: {} };
}

function countDown(node, until) {
  let wasShown = false;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    node.textContent = left > 0 ? t("wait", duration(left)) : t("wait.over");
    wasShown ||= node.isConnected;
    if (left > 0 && (node.isConnected || !wasShown)) setTimeout(tick, 1000);
  };
  tick();
}
