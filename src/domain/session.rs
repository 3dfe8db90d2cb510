//! A sign-in and what descends from it.

use super::{
    assurance::Assurance,
    id::{AccountId, ChallengeId, SessionId},
};
use jiff::Timestamp;

/// A session: alive until it is ended, or idle for too long, or too old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id; the `sid` of its tokens.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// When it began.
    pub created_at: Timestamp,
    /// When its tokens were last issued.
    pub last_seen_at: Timestamp,
    /// When it ends unless its refresh token is used before.
    pub idle_until: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
    /// The address that it began from.
    pub ip: String,
    /// The user agent that it began with.
    pub user_agent: String,
    /// What its owner has proved.
    pub assurance: Assurance,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
    /// Whether it is the portal's: it began at the portal's own issuer, which hands out its tokens.
    pub is_portals: bool,
}

impl Session {
    /// Whether its tokens are still good at `now`.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.idle_until && now < self.expires_at
    }
}

/// A sign-in whose password was right and whose second factor is awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Its id.
    pub id: ChallengeId,
    /// Whose sign-in it is.
    pub account: AccountId,
    /// The account's epoch when the password was proved; another one kills the challenge.
    pub epoch: i64,
    /// When it dies.
    pub expires_at: Timestamp,
}
