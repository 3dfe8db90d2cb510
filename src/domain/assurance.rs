//! How well a session's owner has authenticated, in the terms of NIST SP 800-63B, RFC 9068 and RFC 8176.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The authentication context class (`acr`, RFC 9068 §2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Acr {
    /// A password alone.
    Aal1,
    /// A password and a second factor.
    Aal2,
}

/// An authentication method (`amr`, RFC 8176 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Amr {
    /// Password.
    Pwd,
    /// Proof of possession of a key that stays in one device.
    Hwk,
    /// Proof of possession of a key that is copied between devices.
    Swk,
    /// Somebody was there and touched it.
    User,
    /// One-time password.
    Otp,
    /// A code sent to a phone number.
    Sms,
    /// Recovery code, or bypass code in its place (ours; RFC 8176 has no value for it).
    Rc,
    /// More than one factor.
    Mfa,
}

/// What proved the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// A passkey or a security key.
    Passkey {
        /// Whether its key stays in one device.
        stays: bool,
    },
    /// A code of an authenticator app.
    Totp,
    /// A code sent to a phone number.
    Sms,
    /// A code sent to an e-mail address.
    Email,
    /// A recovery code.
    RecoveryCode,
    /// A bypass code of support's.
    BypassCode,
}

/// What a session's owner has proved, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assurance {
    /// The class reached.
    pub acr: Acr,
    /// How it was reached.
    pub amr: Vec<Amr>,
    /// The moment of the last proof (`auth_time`).
    pub auth_time: Timestamp,
}

impl Factor {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Passkey { stays: true },
        Self::Passkey { stays: false },
        Self::Totp,
        Self::Sms,
        Self::Email,
        Self::RecoveryCode,
        Self::BypassCode,
    ];

    /// Whether a method of the account proved it, and not a code for the day when there is none.
    pub fn is_method(self) -> bool {
        !matches!(self, Self::RecoveryCode | Self::BypassCode)
    }
}

impl Assurance {
    /// What a password proves.
    pub fn password(at: Timestamp) -> Self {
        Self { acr: Acr::Aal1, amr: vec![Amr::Pwd], auth_time: at }
    }

    /// What a password and then `factor` prove.
    pub fn second_factor(factor: Factor, at: Timestamp) -> Self {
        let methods: &[Amr] = match factor {
            Factor::Passkey { stays: true } => &[Amr::Hwk, Amr::User],
            Factor::Passkey { stays: false } => &[Amr::Swk, Amr::User],
            Factor::Totp | Factor::Email => &[Amr::Otp],
            Factor::Sms => &[Amr::Sms],
            Factor::RecoveryCode | Factor::BypassCode => &[Amr::Rc],
        };
        Self { acr: Acr::Aal2, amr: [&[Amr::Pwd], methods, &[Amr::Mfa]].concat(), auth_time: at }
    }

    /// What the portal's own issuer vouches for: more than one factor, by means of its own.
    pub fn vouched(at: Timestamp) -> Self {
        Self { acr: Acr::Aal2, amr: vec![Amr::Mfa], auth_time: at }
    }

    /// Whether it is one that we state: what is said to be proved goes with how it is said to be.
    pub fn is_ours(&self) -> bool {
        let at = self.auth_time;
        *self == Self::password(at) || Factor::ALL.iter().any(|factor| *self == Self::second_factor(*factor, at))
    }

    /// When the second factor stops being fresh; `None` where none was proved. `max_age` in seconds.
    pub fn fresh_until(&self, max_age: u32) -> Option<Timestamp> {
        let until = self.auth_time.checked_add(jiff::SignedDuration::from_secs(i64::from(max_age)));
        until.ok().filter(|_| self.acr == Acr::Aal2)
    }

    /// Whether a second factor was proved no longer than `max_age` seconds before `now`.
    pub fn is_fresh(&self, now: Timestamp, max_age: u32) -> bool {
        self.fresh_until(max_age).is_some_and(|until| now <= until)
    }

    /// The `amr` values as one text, for storage.
    pub fn amr_text(&self) -> String {
        self.amr.iter().map(Amr::to_string).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Acr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        })
    }
}

/// From JSON it is a text and nothing else, where an enum would be read from `{"name": null}` too.
impl TryFrom<String> for Acr {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map_err(|()| "no such value")
    }
}

impl FromStr for Acr {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Aal1, Self::Aal2].into_iter().find(|acr| acr.to_string() == text).ok_or(())
    }
}

impl fmt::Display for Amr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pwd => "pwd",
            Self::Hwk => "hwk",
            Self::Swk => "swk",
            Self::User => "user",
            Self::Otp => "otp",
            Self::Sms => "sms",
            Self::Rc => "rc",
            Self::Mfa => "mfa",
        })
    }
}

/// From JSON it is a text and nothing else, where an enum would be read from `{"name": null}` too.
impl TryFrom<String> for Amr {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map_err(|()| "no such value")
    }
}

impl FromStr for Amr {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        const ALL: [Amr; 8] = [Amr::Pwd, Amr::Hwk, Amr::Swk, Amr::User, Amr::Otp, Amr::Sms, Amr::Rc, Amr::Mfa];
        ALL.into_iter().find(|amr| amr.to_string() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_second_factor_is_ever_fresh() {
        let at = Timestamp::from_second(1_000_000).unwrap();
        let later = |seconds: i64| Timestamp::from_second(1_000_000 + seconds).unwrap();
        assert!(!Assurance::password(at).is_fresh(at, 600));
        let assured = Assurance::second_factor(Factor::RecoveryCode, at);
        assert!(assured.is_fresh(later(600), 600));
        assert!(!assured.is_fresh(later(601), 600));
        assert_eq!(assured.amr_text(), "pwd rc mfa");
    }
}
