//! A portal account, as far as its security goes.

use super::{
    id::AccountId,
    refusal::{Refusal, Rule},
};
use jiff::Timestamp;
use std::{fmt, str::FromStr};

const EMAIL_MAX_BYTES: usize = 254;
const SUBJECT_MAX_BYTES: usize = 255;
const REMARK_MAX_CHARS: usize = 500;

/// An account and the counters that order its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its address, and the name it signs in with.
    pub email: Email,
    /// The bcrypt hash of its password.
    pub password_hash: String,
    /// When the password was last set.
    pub password_changed_at: Timestamp,
    /// The language its owner reads.
    pub locale: Locale,
    /// Scopes that its tokens carry, separated by spaces.
    pub scope: String,
    /// Moves with every change of the account's second factors: the `ETag` of its status.
    pub version: i64,
    /// Counts the events that are no such change: sign-ins, failed proofs, ended sessions.
    pub activity: i64,
    /// Moves when older access tokens must die.
    pub epoch: i64,
    /// Since when two-factor authentication is on; `None` while it is off.
    pub enabled_at: Option<Timestamp>,
    /// When it was last switched off.
    pub disabled_at: Option<Timestamp>,
    /// When the owner is to be reminded that it is off.
    pub reminder_at: Option<Timestamp>,
    /// Its name at the portal's own identity provider.
    pub subject: Option<Subject>,
    /// When the epoch last moved: tokens of the portal's own issuer must be younger.
    pub tokens_valid_after: Timestamp,
    /// Since when its operator has suspended it; `None` while it may be used.
    pub suspended_at: Option<Timestamp>,
    /// Until when others should hold back what cannot be undone: [`Account::restriction`] says whether it is past.
    pub restricted_until: Option<Timestamp>,
    /// Since when it waits for support to look after it, since its owner took a disable back.
    pub flagged_at: Option<Timestamp>,
    /// When the owner was last reminded that it is off, since it was switched off.
    pub reminded_at: Option<Timestamp>,
    /// Since when its operator has it on the list of those who must have two-factor authentication.
    pub listed_at: Option<Timestamp>,
    /// When it first met the requirement of two-factor authentication: set once, and never moved.
    pub required_since: Option<Timestamp>,
    /// When a method last passed a check-up.
    pub checked_at: Option<Timestamp>,
    /// Since when nobody with its present subject has proved a factor of ours; `None` where that is not asked for.
    pub subject_unproven_since: Option<Timestamp>,
}

impl Account {
    /// Whether two-factor authentication is on.
    pub fn is_enabled(&self) -> bool {
        self.enabled_at.is_some()
    }

    /// Whether it carries this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split_whitespace().any(|own| own == scope)
    }

    /// Whether its operator has suspended it: nobody signs in to it, and no token speaks for it.
    pub fn is_suspended(&self) -> bool {
        self.suspended_at.is_some()
    }

    /// Until when others should hold back what cannot be undone, such as a payout; `None` when nothing is held.
    pub fn restriction(&self, now: Timestamp) -> Option<Timestamp> {
        self.restricted_until.filter(|until| *until > now)
    }

    /// Asks others to hold back until then. A hold that lasts longer stays.
    pub fn restrict(&mut self, until: Option<Timestamp>) {
        self.restricted_until = self.restricted_until.max(until);
    }

    /// Gives it another subject. Whoever has that may be somebody else, and what the portal vouches for counts no more
    /// until they have proved a factor of ours.
    pub fn name_anew(&mut self, subject: Subject, now: Timestamp) {
        self.subject = Some(subject);
        self.subject_unproven_since = Some(now);
    }

    /// Whether a subject may be somebody else than whoever uses it now: it takes another's place, or comes when a
    /// second factor says already who the owner is.
    pub fn is_named_anew_by(&self, subject: &Subject) -> bool {
        match &self.subject {
            Some(own) => own != subject,
            None => self.is_enabled(),
        }
    }

    /// # Errors
    /// `two-factor-not-enabled` while it is off.
    pub fn require_enabled(&self) -> Result<(), Refusal> {
        self.is_enabled().then_some(()).ok_or(Refusal::TwoFactorNotEnabled)
    }
}

/// An e-mail address: trimmed, lower-cased, at most 254 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address. Its deliverability is the portal's business; here it is a name to sign in with.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when it has no `@` with text on both sides, is too long, or
    /// holds white space or control characters.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        let address = text.trim().to_lowercase();
        let has_two_sides = address.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        let is_plain = !address.chars().any(|c| c.is_control() || c.is_whitespace());
        let fits = has_two_sides && is_plain && address.len() <= EMAIL_MAX_BYTES;
        fits.then_some(Self(address)).ok_or_else(|| Rule::Email.at(pointer))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as whoever has it knows it again, and nobody else: `a•••@example.com`.
    pub fn masked(&self) -> String {
        let (name, host) = self.0.rsplit_once('@').unwrap_or_default();
        let first: String = name.chars().take(1).collect();
        format!("{first}•••@{host}")
    }
}

/// An account's name at the portal's own identity provider: `sub` of its tokens, 1 to 255 printable ASCII
/// characters, compared exactly (OpenID Connect Core 1.0 §2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl Subject {
    /// Reads a name.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when it is empty, too long, or holds anything but printable ASCII.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let fits = is_plain && (1..=SUBJECT_MAX_BYTES).contains(&text.len());
        fits.then(|| Self(text.to_owned())).ok_or_else(|| Rule::Subject.at(pointer))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why somebody with authority over an account does something to it, for the record: 1 to 500 characters,
/// trimmed, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark(String);

impl Remark {
    /// Reads a remark.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when it is empty, too long, or holds control characters.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        line(text, REMARK_MAX_CHARS).map(Self).ok_or_else(|| Rule::Remark.at(pointer))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line of text, trimmed, of 1 to `max_chars` characters.
pub(super) fn line(text: &str, max_chars: usize) -> Option<String> {
    let text = text.trim();
    let fits = (1..=max_chars).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// The languages that the service speaks (BCP 47).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Malay.
    Ms,
    /// Chinese in simplified script.
    ZhHans,
}

impl Locale {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::En, Self::Ms, Self::ZhHans];

    /// The language tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ms => "ms",
            Self::ZhHans => "zh-Hans",
        }
    }

    /// The locale that serves a language range (RFC 4647 §3.4, look-up); Chinese in traditional script is
    /// another language to its readers and is not served by the simplified one.
    pub fn serving(range: &str) -> Option<Self> {
        let range = range.to_ascii_lowercase();
        let mut subtags = range.split('-');
        match subtags.next() {
            Some("en") => Some(Self::En),
            Some("ms") => Some(Self::Ms),
            Some("zh") if !subtags.any(|tag| matches!(tag, "hant" | "tw" | "hk" | "mo")) => Some(Self::ZhHans),
            _ => None,
        }
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl FromStr for Locale {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|l| l.tag() == text)
            .ok_or_else(|| format!("the languages are en, ms and zh-Hans, not {text:?}"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use uuid::Uuid;

    /// One that nothing has happened to yet.
    pub fn account(id: u128, scope: &str) -> Account {
        Account {
            id: AccountId(Uuid::from_u128(id)),
            email: Email::parse("somebody@example.test", "").unwrap(),
            password_hash: String::new(),
            password_changed_at: Timestamp::UNIX_EPOCH,
            locale: Locale::En,
            scope: scope.to_owned(),
            version: 0,
            activity: 0,
            epoch: 0,
            enabled_at: None,
            disabled_at: None,
            reminder_at: None,
            subject: None,
            tokens_valid_after: Timestamp::UNIX_EPOCH,
            suspended_at: None,
            restricted_until: None,
            flagged_at: None,
            reminded_at: None,
            listed_at: None,
            required_since: None,
            checked_at: None,
            subject_unproven_since: None,
        }
    }

    #[test]
    fn a_masked_address_tells_its_owner_and_nobody_else() {
        for (address, masked) in [
            ("alice@example.test", "a•••@example.test"),
            ("a@example.test", "a•••@example.test"),
            ("王小明@example.test", "王•••@example.test"),
            ("\"a@b\"@example.test", "\"•••@example.test"),
        ] {
            assert_eq!(Email::parse(address, "").unwrap().masked(), masked);
        }
    }

    #[test]
    fn a_hold_never_gets_shorter() {
        let at = |second| Timestamp::from_second(second).ok();
        let mut account = account(1, "");
        let mut restrict = |until: Option<Timestamp>| {
            account.restrict(until);
            account.restriction(Timestamp::from_second(100).unwrap())
        };
        assert_eq!((restrict(None), restrict(at(100)), restrict(at(101))), (None, None, at(101)));
        assert_eq!((restrict(at(200)), restrict(at(150)), restrict(None)), (at(200), at(200), at(200)));
    }

    #[test]
    fn addresses_are_trimmed_and_lower_cased() {
        assert_eq!(Email::parse(" Alice@Example.TEST ", "/email").unwrap().as_str(), "alice@example.test");
        for text in ["", "alice", "@example.test", "alice@", "a b@example.test", &format!("{}@x", "a".repeat(260))] {
            assert!(Email::parse(text, "/email").is_err(), "{text}");
        }
    }

    #[test]
    fn subjects_are_compared_as_they_are() {
        assert_eq!(Subject::parse("f:7a|Bob", "/subject").unwrap().as_str(), "f:7a|Bob");
        for text in ["", "a\nb", "é", &"a".repeat(256)] {
            assert!(Subject::parse(text, "/subject").is_err(), "{text}");
        }
    }

    #[test]
    fn a_remark_is_one_line_of_text() {
        assert_eq!(Remark::parse(" lost phone, ticket 4711 ", "/reason").unwrap().as_str(), "lost phone, ticket 4711");
        for text in ["  ", "a\nb", "a\u{1b}[0m", &"a".repeat(501)] {
            assert!(Remark::parse(text, "/reason").is_err(), "{text:?}");
        }
    }

    #[test]
    fn language_ranges_find_the_language_they_mean() {
        assert_eq!(Locale::serving("zh-CN"), Some(Locale::ZhHans));
        assert_eq!(Locale::serving("zh-Hant-TW"), None);
        assert_eq!(Locale::serving("MS-my"), Some(Locale::Ms));
        assert_eq!(Locale::serving("fr"), None);
    }
}
