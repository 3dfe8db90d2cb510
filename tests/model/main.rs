//! The account's two-factor authentication against a model of it. Clients who share one session do whatever
//! comes to their minds, together; afterwards a checker looks for a serial order of the model that explains
//! every single answer.
//!
//! `TWOFOLD_TEST_ROUNDS` asks for more rounds, and `TWOFOLD_TEST_SEED` for the same dice again: round by round the
//! same pauses, clients and moods. What a client wishes for depends on the answers that it has had too, and so on
//! how requests met, which no seed repeats; a failure therefore prints the whole history of its round.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "the environment says how long to walk")]

#[path = "../support/mod.rs"]
mod support;

mod checker;
mod ledger;
mod machine;
mod moves;
mod table;
mod verdicts;
mod walk;
mod wire;
mod wishes;
mod world;

use support::{TestApp, dice};

/// Rounds of a walk, unless more are asked for; the long form takes 300.
const SHORT: u32 = 40;

/// What a walk must have seen: every state, every operation's success, every refusal but for those that take
/// more patience.
const IMPORTANT: [(&str, &str); 36] = [
    ("state", "off"),
    ("state", "pending"),
    ("state", "on"),
    ("state", "on, pending"),
    ("status", "done"),
    ("look", "done"),
    ("preview", "done"),
    ("start", "done"),
    ("start to replace", "done"),
    ("confirm", "done"),
    ("cancel", "done"),
    ("rename", "done"),
    ("remove", "done"),
    ("disable", "done"),
    ("regenerate", "done"),
    ("verify a code", "done"),
    ("verify a recovery code", "done"),
    ("status", "invalid-token"),
    ("confirm", "invalid-token"),
    ("disable", "invalid-token"),
    ("remove", "invalid-token"),
    ("confirm", "enrolment-expired"),
    ("confirm", "already-confirmed"),
    ("confirm", "invalid-credential"),
    ("confirm", "code-out-of-window"),
    ("disable", "two-factor-not-enabled"),
    ("remove", "last-method"),
    ("verify a code", "invalid-credential"),
    ("verify a recovery code", "invalid-credential"),
    ("start", "invalid-credential"),
    ("precondition", "met"),
    ("disable", "version-mismatch"),
    ("rename", "version-mismatch"),
    ("refused", "not-found"),
    ("refused", "insufficient-user-authentication"),
    ("refused", "too-many-attempts"),
];

on_both_engines!(a_serial_order_explains_every_answer, walk::settings);
async fn a_serial_order_explains_every_answer(app: &TestApp) {
    let rounds = std::env::var("TWOFOLD_TEST_ROUNDS").map_or(SHORT, |text| text.parse().unwrap());
    let table = walk::walk(app, dice::seed(), rounds, &IMPORTANT).await;
    println!("{table}");
    let lacking = table.lacks(&IMPORTANT);
    assert!(lacking.is_empty(), "the walk went in circles and never saw {lacking:?}\n{table}");
    assert!(table.is_concurrent(), "{table}");
}
