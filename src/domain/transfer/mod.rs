//! Accounts on their way from one system to another: what a row of an export says, whoever wrote it.
//!
//! | File | Reads |
//! |---|---|
//! | [`rows`] | our own shape, as CSV and as JSON lines; it writes it, too |
//! | [`django`] | `dumpdata` of Django with django-allauth |
//! | [`keycloak`] | the export of a realm of Keycloak |
//!
//! Each is a function of bytes. What it says of a bad row never repeats what the row holds: it may be a secret.

pub mod django;
pub mod keycloak;
pub mod rows;

use super::{
    account::{Email, Locale, Subject},
    secret::Secret,
    totp::TotpSecret,
};
use data_encoding::BASE32_NOPAD;
use serde_json::value::RawValue;
use std::{fmt, str::FromStr};

/// Who wrote an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Our own shape: CSV, or JSON lines where the first character is a brace.
    #[default]
    Twofold,
    /// Django with django-allauth.
    DjangoAllauth,
    /// Keycloak.
    Keycloak,
}

/// An account as an export has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The address that it signs in with.
    pub email: Email,
    /// The hash of its password, of whatever kind: a bcrypt hash, or one that begins with the name of another kind
    /// and a dollar sign.
    pub password_hash: Option<Secret<String>>,
    /// The language that its owner reads.
    pub locale: Locale,
    /// Its name at the portal's own identity provider.
    pub subject: Option<Subject>,
    /// The secret of its authenticator: SHA-1, six digits, 30 seconds.
    pub totp_secret: Option<TotpSecret>,
    /// Whether it may not be used.
    pub is_suspended: bool,
    /// Whether the operator's list says that it must have two-factor authentication.
    pub is_required: bool,
    /// A second factor that it has and that cannot be taken over, where it has no other.
    pub lost_factor: Option<&'static str>,
}

/// Where a row begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its first line, from 1.
    pub line: u64,
    /// Its number, from 1, in a document whose lines need not be its rows.
    pub nth: Option<usize>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it begins.
    pub place: Place,
    /// What it says.
    pub entry: Result<Entry, Bad>,
}

/// Rows as they are read.
pub type Rows<'a> = Box<dyn Iterator<Item = Row> + 'a>;

/// Why a row, or a whole export, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// A header that is none.
    #[error("the header must name `email`, and may name {}, each once", rows::OTHER_MEMBERS)]
    Header,
    /// A document of another shape.
    #[error("this is not {0}")]
    Document(&'static str),
    /// A row that does not fit the header.
    #[error("it has {has} fields, and the header {wants}")]
    Fields {
        /// How many it has.
        has: usize,
        /// How many it should have.
        wants: usize,
    },
    /// Bytes that are no text.
    #[error("it is not UTF-8")]
    Text,
    /// A line that is no JSON.
    #[error("it is not JSON")]
    Json,
    /// An object of another shape.
    #[error("it must be an object with `email`, maybe {}, of the right types, and nothing else", rows::OTHER_MEMBERS)]
    Members,
    /// An entry of another shape.
    #[error("it does not have the members that {0} writes")]
    Foreign(&'static str),
    /// No address.
    #[error("it has no e-mail address of at most 254 bytes")]
    Email,
    /// A language that is not spoken here.
    #[error("the languages are en, ms and zh-Hans")]
    Locale,
    /// A subject that is none.
    #[error("the subject must have 1 to 255 printable ASCII characters")]
    Subject,
    /// A secret that is none.
    #[error("the TOTP secret is not base 32 (RFC 4648)")]
    Secret,
    /// A secret that is too short or too long.
    #[error("the TOTP secret does not have 10 to 64 bytes")]
    SecretLength,
    /// Neither yes nor no.
    #[error("`{0}` must be true or false")]
    YesOrNo(&'static str),
    /// A second factor of nobody's.
    #[error("it belongs to no user of this export")]
    Ownerless,
}

/// Reads an export.
///
/// # Errors
/// When nothing of it can be read; a row that cannot is among the rows.
pub fn read(source: Source, bytes: &[u8]) -> Result<Rows<'_>, Bad> {
    // Some editors begin a text with a byte order mark.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match source {
        Source::Twofold => rows::read(bytes),
        Source::DjangoAllauth => django::read(bytes),
        Source::Keycloak => keycloak::read(bytes),
    }
}

/// Reads a secret as people and programs write it: base 32 in either case, with padding and blanks or without.
fn totp_secret(text: &str) -> Result<TotpSecret, Bad> {
    let symbols: String = text.trim().trim_end_matches('=').split_whitespace().collect();
    let symbols = Secret::new(symbols.to_ascii_uppercase());
    let bytes = BASE32_NOPAD.decode(symbols.expose().as_bytes()).map_err(|_| Bad::Secret)?;
    TotpSecret::of_any_maker(bytes).ok_or(Bad::SecretLength)
}

/// What is empty is not there.
fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn subject(text: &str) -> Result<Option<Subject>, Bad> {
    filled(text).map(|text| Subject::parse(text, "")).transpose().map_err(|_| Bad::Subject)
}

fn password_hash(text: &str) -> Option<Secret<String>> {
    filled(text).map(|hash| Secret::new(hash.to_owned()))
}

fn email(text: &str) -> Result<Email, Bad> {
    Email::parse(text, "").map_err(|_| Bad::Email)
}

/// The entries of a document, with the places where they begin.
struct Entries<'a> {
    text: &'a str,
    entries: std::vec::IntoIter<&'a RawValue>,
    nth: usize,
    lines: Lines,
}

/// Counts lines on the way through a text.
struct Lines {
    /// How far they are counted, and in which line that is.
    counted: (usize, u64),
}

impl Lines {
    fn new() -> Self {
        Self { counted: (0, 1) }
    }

    /// The line that `at` lies in; from call to call it only moves on.
    fn at(&mut self, text: &[u8], at: usize) -> u64 {
        let (from, line) = self.counted;
        let between = text.get(from..at).unwrap_or_default();
        let line = line + between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted = (at.max(from), line);
        line
    }
}

impl<'a> Entries<'a> {
    /// `entries` must be parts of `text`, in its order.
    fn new(text: &'a str, entries: Vec<&'a RawValue>) -> Self {
        Self { text, entries: entries.into_iter(), nth: 0, lines: Lines::new() }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Place, &'a RawValue);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        self.nth += 1;
        let at = (entry.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let line = self.lines.at(self.text.as_bytes(), at);
        Some((Place { line, nth: Some(self.nth) }, entry))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        self.nth.map_or(Ok(()), |nth| write!(f, ", entry {nth}"))
    }
}

impl Source {
    const ALL: [Self; 3] = [Self::Twofold, Self::DjangoAllauth, Self::Keycloak];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Twofold => "twofold",
            Self::DjangoAllauth => "django-allauth",
            Self::Keycloak => "keycloak",
        }
    }
}

impl FromStr for Source {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|source| source.name() == text);
        found.ok_or_else(|| format!("exports of twofold, django-allauth and keycloak are read, not of {text:?}"))
    }
}
