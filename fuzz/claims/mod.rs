//! What must hold whatever bytes come from outside: one claim a parser, and nothing about how the bytes
//! are made. The fuzzer makes its own; `tests/corpora.rs` replays those that were kept.
//!
//! | Claims | About |
//! |---|---|
//! | [`parsers`] | functions that read or write text by themselves |
//! | [`requests`] | the whole service, over a connection |
#![allow(clippy::unwrap_used, clippy::panic, reason = "a claim fails by panicking")]

pub mod parsers;
pub mod requests;
pub mod service;

pub use parsers::{account_rows, otpauth, recovery_code, token, totp_code};
pub use requests::{accept_language, body, headers, idempotency_key};

/// A claim about any bytes.
pub type Claim = fn(&[u8]);

/// Every claim by the name of its fuzz target and corpus.
pub const ALL: [(&str, Claim); 9] = [
    ("accept_language", accept_language),
    ("account_rows", account_rows),
    ("body", body),
    ("headers", headers),
    ("idempotency_key", idempotency_key),
    ("otpauth", otpauth),
    ("recovery_code", recovery_code),
    ("token", token),
    ("totp_code", totp_code),
];
