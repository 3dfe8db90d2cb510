//! A partner's program: what it may do, whose accounts it may see, and who said so.

use super::{
    account::{Email, line},
    id::ClientId,
    refusal::{Refusal, Rule},
};
use jiff::Timestamp;
use std::{fmt, str::FromStr};

const NAME_MAX_CHARS: usize = 100;

/// A client (RFC 6749 §2): a partner's program, which acts for itself and never as an account's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id: `client_id`, and the `sub` of its tokens.
    pub id: ClientId,
    /// Whose program it is; owners read it.
    pub name: ClientName,
    /// What it may do.
    pub scopes: ClientScopes,
    /// Whether it sees every account, without being asked for.
    pub sees_all: bool,
    /// Whom to write to about it.
    pub contact: Option<Email>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when its operator has disabled it; `None` while it may be used.
    pub disabled_at: Option<Timestamp>,
    /// Moves when older tokens of it must die.
    pub epoch: i64,
}

impl Client {
    /// Whether its operator has disabled it: its secret and its tokens are refused.
    pub fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }
}

/// The name of a client: 1 to 100 characters, trimmed, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName(String);

impl ClientName {
    /// Reads a name.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when it is empty, too long, or holds control characters.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        line(text, NAME_MAX_CHARS).map(Self).ok_or_else(|| Rule::ClientName.at(pointer))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One thing that a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientScope {
    /// See whether an account is protected.
    ReadTwoFactor,
    /// Ask an account's owner for a code, and have it judged.
    VerifyTwoFactor,
    /// Read what happens to accounts.
    ReadEvents,
    /// Keep webhooks.
    ManageWebhooks,
    /// Add and change accounts of the portal's user base.
    ProvisionAccounts,
}

impl ClientScope {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ReadTwoFactor, Self::VerifyTwoFactor, Self::ReadEvents, Self::ManageWebhooks, Self::ProvisionAccounts];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadTwoFactor => "2fa:read",
            Self::VerifyTwoFactor => "2fa:verify",
            Self::ReadEvents => "events:read",
            Self::ManageWebhooks => "webhooks:manage",
            Self::ProvisionAccounts => "accounts:provision",
        }
    }
}

/// What a client, or a token of it, may do: one scope at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientScopes(Vec<ClientScope>);

impl ClientScopes {
    /// Whether `scope` is among them.
    pub fn holds(&self, scope: ClientScope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether all of `others` are among them.
    pub fn hold_all(&self, others: &Self) -> bool {
        others.0.iter().all(|scope| self.holds(*scope))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = ClientScope> + '_ {
        self.0.iter().copied()
    }
}

/// Words with one space between them (RFC 6749 §3.3), each exactly as the contract has it; in whatever order.
impl FromStr for ClientScopes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let named = |word: &str| ClientScope::ALL.into_iter().find(|scope| scope.as_str() == word);
        let all = ClientScope::ALL.map(ClientScope::as_str).join(", ");
        let scopes = text.split(' ').map(|word| named(word).ok_or_else(|| format!("the scopes are {all}")));
        let mut scopes = scopes.collect::<Result<Vec<_>, _>>()?;
        scopes.sort();
        scopes.dedup();
        Ok(Self(scopes))
    }
}

impl fmt::Display for ClientScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "))
    }
}

/// Why a client gets no token: the error codes of RFC 6749 §5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A parameter is missing, stands twice, or the client shows itself in more than one way.
    InvalidRequest,
    /// The client is unknown or disabled, or the secret is not its own; nobody is told which.
    InvalidClient,
    /// Another grant than the one of clients.
    UnsupportedGrantType,
    /// The scope is none, or not the client's.
    InvalidScope,
}

impl Denied {
    /// The word of the standard.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }
}

/// Who let a client see an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grantor {
    /// The account's owner.
    Owner,
    /// The operator, on the command line.
    Operator,
    /// The client itself, when it added the account.
    Provisioning,
}

impl Grantor {
    const ALL: [Self; 3] = [Self::Owner, Self::Operator, Self::Provisioning];

    /// Whether the account's owner can take back what this one said. An account that the portal keeps is the portal's
    /// to see.
    pub fn yields_to_owner(self) -> bool {
        self != Self::Provisioning
    }

    /// The word that it is stored and told under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::Provisioning => "provisioning",
        }
    }
}

impl FromStr for Grantor {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|grantor| grantor.as_str() == text).ok_or(())
    }
}

/// That a client may see an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Since when.
    pub granted_at: Timestamp,
    /// Who said so.
    pub granted_by: Grantor,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_whole_words() {
        let scopes: ClientScopes = "events:read 2fa:read events:read".parse().unwrap();
        assert_eq!(scopes.to_string(), "2fa:read events:read");
        assert!(scopes.holds(ClientScope::ReadEvents) && !scopes.holds(ClientScope::VerifyTwoFactor));
        assert!(scopes.hold_all(&"2fa:read".parse().unwrap()) && !scopes.hold_all(&"2fa:verify".parse().unwrap()));
        for text in
            ["", " ", "2fa", "2fa:", "2fa:Read", "2fa:read,events:read", "2fa:read  events:read", "2fa:read ", "*"]
        {
            assert!(text.parse::<ClientScopes>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_one_line_of_text() {
        assert_eq!(ClientName::parse(" Acme Brokers ", "").unwrap().as_str(), "Acme Brokers");
        for text in ["", " ", "a\nb", "\u{1b}[0m", &"x".repeat(101)] {
            assert!(ClientName::parse(text, "").is_err(), "{text:?}");
        }
    }
}
