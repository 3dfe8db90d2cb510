//! Webhooks that are really sent, to receivers of every manner on this machine.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "receivers live in real time")]

#[path = "../support/mod.rs"]
mod support;

mod delivery;
mod manners;
mod receiver;
mod signatures;
mod stand;
