//! A second factor of an account, whatever its kind. What belongs to one kind stays with that kind.

use super::{
    id::{AccountId, MethodId, SessionId},
    refusal::{Refusal, Rule},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const LABEL_MAX_CHARS: usize = 64;

/// The kinds of second factor, the strongest first: what cannot be phished, what cannot be intercepted on its way, what
/// can, and what depends on a mailbox that a password alone may open (NIST 800-63B §5.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A passkey or a security key (WebAuthn).
    Passkey,
    /// An authenticator app (RFC 6238).
    Totp,
    /// A code sent to a phone number.
    Sms,
    /// A code sent to an e-mail address.
    Email,
}

/// Where a method is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Enrolment was started and not confirmed.
    Pending,
    /// It protects the account.
    Active,
    /// It was active once.
    Removed,
    /// Its enrolment ended without a confirm: superseded, cancelled, or worn out.
    Abandoned,
}

/// What the owner calls a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(String);

/// A second factor of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its id, from the start of the enrolment on.
    pub id: MethodId,
    /// Whose it is.
    pub account: AccountId,
    /// What it is.
    pub kind: Kind,
    /// Where it is in its life.
    pub state: State,
    /// What its owner calls it.
    pub label: Label,
    /// When it was confirmed, or while pending, when its enrolment was started.
    pub created_at: Timestamp,
    /// When it last proved the second factor.
    pub last_used_at: Option<Timestamp>,
    /// When its enrolment ends unconfirmed.
    pub expires_at: Timestamp,
    /// The method that its confirm takes out of service.
    pub replaces: Option<MethodId>,
    /// The session that started the enrolment; only that one may confirm.
    pub session: SessionId,
}

impl Kind {
    /// Whether its codes are sent. An account has one such method of each kind at most: whoever asks for a code must know
    /// where it goes.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Sms | Self::Email)
    }
}

impl Method {
    /// Whether it waits for its confirm at `now`.
    pub fn is_pending(&self, now: Timestamp) -> bool {
        self.state == State::Pending && now < self.expires_at
    }
}

impl Label {
    /// A label of 1 to 64 characters, trimmed, without control characters.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` otherwise.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        let text = text.trim();
        let fits = (1..=LABEL_MAX_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned())).ok_or_else(|| Rule::Label.at(pointer))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind {
    /// All of them, the strongest first.
    pub const ALL: [Self; 4] = [Self::Passkey, Self::Totp, Self::Sms, Self::Email];

    /// The name it is stored and told under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    /// What a method of this kind is called when its owner says nothing.
    pub fn label(self) -> Label {
        let text = match self {
            Self::Passkey => "Passkey",
            Self::Totp => "Authenticator app",
            Self::Sms => "Text message",
            Self::Email => "E-mail",
        };
        Label(text.to_owned())
    }
}

impl State {
    const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Removed, Self::Abandoned];

    /// The name it is stored under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Removed => "removed",
            Self::Abandoned => "abandoned",
        }
    }
}

impl FromStr for State {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn a_label_is_counted_in_characters() {
        assert!(Label::parse(&"é".repeat(64), "/label").is_ok());
        assert!(Label::parse(&"é".repeat(65), "/label").is_err());
        assert!(Label::parse("  ", "/label").is_err());
        assert!(Label::parse("a\u{1b}[0m", "/label").is_err());
        assert_eq!(Label::parse(" Pixel 9 ", "/label").unwrap().as_str(), "Pixel 9");
    }
}
