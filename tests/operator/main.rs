//! What the operator does with accounts, and what its owners see of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

#[path = "../support/mod.rs"]
mod support;

mod clients;
mod commands;
mod deletion;
mod foreign;
mod standing;
mod transfer;

use serde_json::Value;
use std::process::Output;
use support::installation::Installation;
use twofold::{actions::operator::Whom, domain::account::Email};

/// An account by its address.
fn whom(email: &str) -> Whom {
    Whom::Email(Email::parse(email, "").unwrap())
}

/// One installation on each engine that is there.
fn installations() -> impl Iterator<Item = Installation> {
    [Some(None), support::fresh_database().map(Some)].into_iter().flatten().map(Installation::ready)
}

/// What a command answered as JSON.
fn object(output: &Output) -> Value {
    let stdout = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{}", said(output)))
}

/// What a command said beside its answer.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
