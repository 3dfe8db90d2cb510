//! The service as a black box, over HTTP, on both engines. A test reads as a claim about a person.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod account;
mod announcements;
mod associations;
mod devices;
mod disable;
mod enrolment;
mod hold;
mod http;
mod idempotency;
mod login;
mod mails;
mod operations;
mod page;
mod partner;
mod partner_consent;
mod partner_events;
mod partner_provision;
mod partner_token;
mod passkeys;
mod policy;
mod portal;
mod portal_subjects;
mod proofs;
mod recovery_codes;
mod reminders;
mod sent_codes;
mod sessions;
mod story;
#[path = "support.rs"]
mod support_desk;
mod undo;
mod verify;
mod watch;
mod webhooks;
