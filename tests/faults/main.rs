//! The service under faults: real processes, a real database, and whatever can happen to both. Customers write
//! down what they were told; one oracle holds it against what is there afterwards.
//!
//! The short form is part of `cargo test`; `TWOFOLD_TEST_FAULTS=long` asks for the long one, whose numbers
//! are in `docs/security.md`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

#[path = "../support/mod.rs"]
mod support;

mod clock;
mod cluster;
mod crash;
mod customer;
mod deliveries;
mod issuer;
mod line;
mod network;
mod oracle;
mod proxy;
mod server;
mod storage;
mod town;

/// How often: `short` in `cargo test`, `long` when the long form is asked for.
fn times(short: u32, long: u32) -> u32 {
    if std::env::var("TWOFOLD_TEST_FAULTS").as_deref() == Ok("long") { long } else { short }
}
