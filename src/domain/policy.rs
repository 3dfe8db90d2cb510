//! The rules of an installation that decisions depend on.

use super::{account::Account, guesses::Limits, method::Kind, refusal::Refusal};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many methods an account may have.
pub const MAX_METHODS: usize = 5;
/// How many challenges an account may have open; one more kills the oldest.
pub const MAX_CHALLENGES: usize = 5;
/// How many devices an account may have remembered; one more takes the place of that which was not used for longest.
pub const MAX_DEVICES: usize = 10;
/// Seconds that the predecessor of a device's token is no sign of theft (two tabs, a lost answer).
pub const DEVICE_GRACE: i64 = 30;
/// What an owner can do where two-factor authentication must stay on.
pub const ALTERNATIVES: &[&str] = &["replace", "add", "regenerate_recovery_codes"];
/// Seconds that the predecessor of a refresh token is still accepted (two tabs, a lost answer).
pub const REFRESH_GRACE: i64 = 30;

/// Of whom two-factor authentication is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// Of nobody.
    None,
    /// Of the accounts that the operator has on a list.
    Listed,
    /// Of everybody.
    All,
}

/// Every number and name that an operator may set and a decision reads. Durations are in seconds.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The issuer that authenticator apps show.
    pub product_name: String,
    /// The kinds of method that can be set up, the strongest first. A method of another kind that is in service goes on
    /// working.
    pub kinds: Vec<Kind>,
    /// How old a proof of the second factor may be for a change.
    pub step_up_max_age: u32,
    /// How old an agent's proof of the second factor may be for support to act.
    pub support_max_age: u32,
    /// Life of a bypass code.
    pub bypass_code_ttl: u32,
    /// Life of a code that is sent.
    pub sent_code_ttl: u32,
    /// Steps that a code may be early or late.
    pub totp_window: u32,
    /// Life of an access token.
    pub access_token_ttl: u32,
    /// Life of a refresh token that is not used.
    pub session_idle: u32,
    /// Life of a session.
    pub session_max: u32,
    /// Life of a sign-in challenge.
    pub challenge_ttl: u32,
    /// Of whom two-factor authentication is required.
    pub required: Required,
    /// For how long an account of which it is required may do without.
    pub required_grace: u32,
    /// Whether an owner may switch it off at all.
    pub disable_allowed: bool,
    /// When, after a method was set up, its owner is asked whether it still works; 0 means never.
    pub checkup_after: u32,
    /// How long after a check-up that was passed the owner is asked again; 0 means never.
    pub checkup_every: u32,
    /// For how long a device is remembered; 0 means that none is.
    pub device_ttl: u32,
    /// Life of an unconfirmed enrolment.
    pub enrollment_ttl: u32,
    /// When, after a disable, the owner is reminded.
    pub reminder_after: u32,
    /// How long after the first reminder the owner is reminded again; 0 means never.
    pub reminder_again: u32,
    /// For how long a disable can be taken back; 0 means never.
    pub undo_for: u32,
    /// For how long, after the protection was lowered, others are asked to hold back; 0 means never.
    pub restricted_for: u32,
    /// For how long the secret of a webhook that was exchanged signs too.
    pub webhook_overlap: u32,
    /// Days that events are kept; 0 means for ever.
    pub events_kept: u32,
    /// Requests of one network on `/auth/*` a minute; 0 means no limit.
    pub auth_per_minute: u32,
    /// Requests of one network on `/auth/*` at once.
    pub auth_burst: u32,
    /// The ledger's numbers.
    pub limits: Limits,
    /// Whom a locked-out owner turns to.
    pub support: Support,
}

impl Policy {
    /// Until when others are asked to hold back what cannot be undone, when an account's protection is lowered now;
    /// `None` where an operator wants no hold.
    pub fn hold(&self, now: Timestamp) -> Option<Timestamp> {
        later(now, self.restricted_for)
    }

    /// Until when a disable of now can be taken back; `None` where an operator wants no undo.
    pub fn undo_until(&self, now: Timestamp) -> Option<Timestamp> {
        later(now, self.undo_for)
    }

    /// Until when a device is remembered that the second factor is proved on now; `None` where none is remembered.
    pub fn devices_until(&self, now: Timestamp) -> Option<Timestamp> {
        later(now, self.device_ttl)
    }

    /// Whether two-factor authentication is required of an account.
    pub fn requires(&self, account: &Account) -> bool {
        match self.required {
            Required::None => false,
            Required::Listed => account.listed_at.is_some(),
            Required::All => true,
        }
    }

    /// Until when an account that meets the requirement since `since` may do without two-factor authentication.
    pub fn grace_until(&self, since: Timestamp) -> Timestamp {
        later(since, self.required_grace).unwrap_or(since)
    }

    /// Whether an account must be set up before its owner can do anything else: it is required of it, it is off, and
    /// the time is over.
    pub fn must_set_up(&self, account: &Account, now: Timestamp) -> bool {
        let is_over = account.required_since.is_some_and(|since| self.grace_until(since) <= now);
        is_over && self.requires(account) && !account.is_enabled()
    }

    /// Whether the owner of an account may not switch it off.
    pub fn forbids_disable(&self, account: &Account) -> bool {
        !self.disable_allowed || self.requires(account)
    }

    /// # Errors
    /// `forbidden-by-policy` where the owner of an account may not switch it off.
    pub fn require_disable_allowed(&self, account: &Account) -> Result<(), Refusal> {
        let refusal = Refusal::ForbiddenByPolicy { alternatives: ALTERNATIVES };
        if self.forbids_disable(account) { Err(refusal) } else { Ok(()) }
    }

    /// When the owner is asked whether a method still works: some time after the newest one was set up, or after one
    /// passed a check-up since then.
    pub fn checkup_due(&self, newest: Timestamp, checked: Option<Timestamp>) -> Option<Timestamp> {
        match checked.filter(|checked| *checked > newest) {
            Some(checked) => later(checked, self.checkup_every),
            None => later(newest, self.checkup_after),
        }
    }

    /// Events from before this moment are dropped; none when they are kept for ever.
    pub fn events_horizon(&self, now: Timestamp) -> Option<Timestamp> {
        let age = SignedDuration::from_hours(24 * i64::from(self.events_kept));
        (self.events_kept > 0).then(|| now.checked_sub(age).unwrap_or(Timestamp::MIN))
    }
}

/// So many seconds from now; `None` when there are none.
fn later(now: Timestamp, seconds: u32) -> Option<Timestamp> {
    let length = SignedDuration::from_secs(seconds.into());
    (seconds > 0).then(|| now.checked_add(length).unwrap_or(Timestamp::MAX))
}

/// Whom a locked-out owner turns to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Support {
    /// An e-mail address.
    pub email: Option<String>,
    /// A telephone number.
    pub phone: Option<String>,
    /// A page.
    pub url: Option<String>,
}
