//! The service as a black box, over HTTP, on both engines. A test reads as a claim about a person.

#[path = "../support/mod.rs"]
mod support;

mod account;
mod disable;
mod enrolment;
mod http;
mod idempotency;
mod login;
mod operations;
mod proofs;
mod recovery_codes;
mod sessions;
mod story;
mod verify;
