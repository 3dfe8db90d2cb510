//! The account's two-factor authentication against a model of it. Clients who share one session do whatever
//! comes to their minds, together; afterwards a checker looks for a serial order of the model that explains
//! every single answer.
//!
//! `TWOFOLD_TEST_ROUNDS` asks for more rounds, and `TWOFOLD_TEST_SEED` for the same choices again.
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

on_both_engines!(a_serial_order_explains_every_answer, walk::settings);
async fn a_serial_order_explains_every_answer(app: &TestApp) {
    let rounds = std::env::var("TWOFOLD_TEST_ROUNDS").map_or(SHORT, |text| text.parse().unwrap());
    let table = walk::walk(app, dice::seed(), rounds).await;
    println!("{table}");
    table.has(&[("state", "off")]);
}
