//! The nouns. Pure: no I/O, no clock, no randomness; every function here can be read and tested alone.

pub mod account;
pub mod agent;
pub mod anchor;
pub mod announcement;
pub mod assurance;
pub mod binding;
pub mod client;
pub mod delivery;
pub mod egress;
pub mod event;
pub mod guesses;
pub mod id;
pub mod idempotency;
pub mod lockout;
pub mod method;
pub mod password;
pub mod policy;
pub mod recovery_code;
pub mod refusal;
pub mod replica;
pub mod secret;
pub mod session;
pub mod totp;
pub mod transfer;
pub mod webhook;
