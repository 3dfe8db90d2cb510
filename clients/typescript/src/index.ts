/**
 * Two-factor authentication of a Twofold service, without a user interface.
 *
 * @packageDocumentation
 */
export { Twofold } from "./twofold.js";
export type { Demand, Kind, Options, Proof, Proofs, SignIn, Start } from "./twofold.js";
export { NetworkError, ProblemError } from "./problem.js";
export type { FieldError, Problem } from "./problem.js";
export { MemoryStore } from "./tokens.js";
export type { DeviceStore, StoredTokens, TokenStore } from "./tokens.js";
export type { components, paths } from "./schema.js";
