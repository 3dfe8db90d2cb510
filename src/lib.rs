//! Twofold manages two-factor authentication for customer portals.
//!
//! Seven rooms, to be read in this order. Arrows point down only: a room uses those below it.
//!
//! | Room | Owns |
//! |---|---|
//! | [`domain`] | the nouns, pure: accounts, methods, codes, the rules of the ledger, refusals |
//! | [`crypto`] | keys: sealing, hashing, signing, passwords, randomness |
//! | [`store`] | rows: the two engines, and one file an aggregate |
//! | [`actions`] | the verbs: one use case a file, such as [`actions::two_factor::disable`] |
//! | [`http`] | requests and responses: routes, callers, problems, the document |
//! | [`worker`] | what happens beside the requests |
//! | [`cli`] | the commands, over [`config`] |
//!
//! Beside them, [`spans`] tells a collector of traces what a request did, where the feature `otlp` is built in.
//!
//! To see the whole at once, follow one request: `POST /account/security/2fa/disable` is one line in
//! `http/routes.rs`, a handler in `http/two_factor.rs`, the story in `actions/two_factor/disable.rs`, the
//! proofs in `actions/reverify.rs`, and compare and set in `store/`.

#![deny(clippy::allow_attributes)]

pub mod actions;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod spans;
pub mod store;
pub mod worker;
