//! An announcement on its way to one receiver.
//!
//! ```text
//!   waiting ──claimed: due again after the lease──► in somebody's hands ──taken──► delivered
//!      ▲                                              │         │
//!      └──────────── refused, or nobody said so ──────┘         └── refused for the last time ──► dead
//! ```

use super::{announcement::Announcement, id::WebhookId, webhook::WebhookUrl};
use jiff::{SignedDuration, Timestamp};
use std::{fmt, str::FromStr};

/// Seconds between one attempt and the next, as Standard Webhooks has them; after the last one the delivery is dead.
const PAUSES: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// An attempt that nobody has settled after so many seconds is made again: whoever made it is gone.
pub const LEASE_SECONDS: i64 = 90;

/// Who receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The account's owner, by mail.
    Mail,
    /// A partner, at an address of theirs.
    Webhook(WebhookId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail => f.write_str("mail"),
            Self::Webhook(id) => id.fmt(f),
        }
    }
}

impl FromStr for Target {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mail" => Ok(Self::Mail),
            id => id.parse().map(Self::Webhook).map_err(|_| format!("no target: {id}")),
        }
    }
}

/// What has become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is to be made, for the first time or again.
    Waiting,
    /// The receiver has taken it.
    Delivered,
    /// It was given up; whoever receives may ask for it again.
    Dead,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// The word that it is stored as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

impl FromStr for State {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| format!("no state: {text}"))
    }
}

/// A delivery that is in our hands until its lease ends.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Who receives.
    pub target: Target,
    /// The announcement's number.
    pub position: i64,
    /// What is announced.
    pub announcement: Announcement,
    /// How often it happened, of which this one delivery tells.
    pub times: i64,
    /// Attempts, this one too.
    pub attempts: i64,
    /// When somebody else may make the next attempt.
    pub lease_until: Timestamp,
}

/// How an attempt came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver has it; its status, where the protocol has one.
    Taken(Option<u16>),
    /// It has not, or nobody can know.
    Failed {
        /// Its status, where it answered.
        status: Option<u16>,
        /// What happened, for whoever looks into the delivery log; never a secret.
        error: String,
    },
    /// It has not, and says when it wants to be asked again (RFC 9110 §10.2.3).
    Postponed {
        /// Its status.
        status: u16,
        /// After so many seconds, within bounds.
        seconds: u32,
    },
    /// There is nobody at this address any more, and it says so (410, RFC 9110 §15.5.11).
    Gone(WebhookUrl),
    /// It was not asked, for a reason of ours, which says nothing about it.
    Unsent(&'static str),
    /// It is no longer to be told.
    Withdrawn(&'static str),
}

/// When the attempt after `attempts` is due; none when there was enough of them. Receivers that failed together are
/// not asked together again: `jitter`, any number, puts an attempt off by up to a fifth.
pub fn next_attempt(attempts: i64, now: Timestamp, jitter: u64) -> Option<Timestamp> {
    let pause = *PAUSES.get(usize::try_from(attempts - 1).ok()?)?;
    let milliseconds = pause * 1000 + i64::try_from(jitter % 201).ok()? * pause;
    now.checked_add(SignedDuration::from_millis(milliseconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_grow_rarer_and_end() {
        let now = Timestamp::from_second(2_000_000_000).unwrap();
        let pause =
            |attempts, jitter| next_attempt(attempts, now, jitter).map(|at| at.as_millisecond() - now.as_millisecond());
        assert_eq!(pause(1, 0), Some(5_000));
        assert_eq!(pause(1, 200), Some(6_000));
        assert_eq!(pause(9, u64::MAX - 15), pause(9, (u64::MAX - 15) % 201));
        assert_eq!((pause(0, 0), pause(10, 0)), (None, None));
        let total: i64 = (1..=9).filter_map(|attempts| pause(attempts, 0)).sum();
        assert_eq!(total / 3_600_000, 75, "as Standard Webhooks has it");
    }

    #[test]
    fn a_target_is_read_as_it_was_written() {
        let webhook = Target::Webhook(WebhookId(uuid::Uuid::from_u128(7)));
        for target in [Target::Mail, webhook] {
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        assert!("sms".parse::<Target>().is_err());
    }
}
