//! Anchors: where the chains of the audit ended at some moment. Kept outside the database, they show what
//! was cut off a chain's end, which the chain itself cannot.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The end of one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Whose chain.
    pub account: String,
    /// Which of the account's two.
    pub stream: String,
    /// The number of its last row.
    pub seq: i64,
    /// That row's hash, in hexadecimal.
    pub hash: String,
}

/// The chains that had grown since the anchor before, as one line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Its number, without gaps from 1.
    pub n: i64,
    /// Up to when: what had grown by then is in it or in one before it, but for rows that came late.
    pub at: Timestamp,
    /// The hash of the anchor before; empty for the first.
    pub before: String,
    /// The ends of the chains.
    pub heads: Vec<Head>,
    /// The audit key that it was hashed with.
    pub key_id: String,
    /// Its own hash, over all of the above.
    pub hash: String,
}
