//! The account's two-factor authentication against a model of it. Clients who share one session do whatever
//! comes to their minds, together; afterwards a checker looks for a serial order of the model that explains
//! every single answer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod checker;
mod ledger;
mod machine;
mod moves;
mod verdicts;
