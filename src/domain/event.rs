//! What happened to an account, as its owner, its support and its auditors read it.

use super::{
    agent::{Agent, Cause},
    id::{AccountId, ClientId, EventId, SessionId},
    refusal::Fault,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{net::IpAddr, str::FromStr};

/// The kinds of event. The first group moves the account's version, the second does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// An enrolment was started; one that was pending is superseded by it.
    #[serde(rename = "enrollment.started")]
    EnrollmentStarted,
    /// A pending enrolment was cancelled by its owner.
    #[serde(rename = "enrollment.cancelled")]
    EnrollmentCancelled,
    /// A pending enrolment died of wrong codes.
    #[serde(rename = "enrollment.failed")]
    EnrollmentFailed,
    /// The first method was confirmed: two-factor authentication is on.
    #[serde(rename = "two_factor.enabled")]
    TwoFactorEnabled,
    /// It was switched off by its owner.
    #[serde(rename = "two_factor.disabled")]
    TwoFactorDisabled,
    /// The owner took a disable back, by the link in the mail about it, and set a new password.
    #[serde(rename = "two_factor.restored")]
    TwoFactorRestored,
    /// One authenticator took the place of another.
    #[serde(rename = "two_factor.replaced")]
    TwoFactorReplaced,
    /// Another method was confirmed.
    #[serde(rename = "method.added")]
    MethodAdded,
    /// One of several methods was removed.
    #[serde(rename = "method.removed")]
    MethodRemoved,
    /// A method got another label.
    #[serde(rename = "method.renamed")]
    MethodRenamed,
    /// The owner was reminded that it is off.
    #[serde(rename = "two_factor.reminded")]
    TwoFactorReminded,
    /// A new set of recovery codes replaced the old one.
    #[serde(rename = "recovery_codes.regenerated")]
    RecoveryCodesRegenerated,
    /// A recovery code was used up.
    #[serde(rename = "recovery_code.used")]
    RecoveryCodeUsed,
    /// Support switched two-factor authentication off.
    #[serde(rename = "two_factor.reset_by_support")]
    TwoFactorResetBySupport,
    /// The operator switched two-factor authentication off, on the command line.
    #[serde(rename = "two_factor.reset_by_operator")]
    TwoFactorResetByOperator,
    /// The account came from elsewhere, maybe with an authenticator.
    #[serde(rename = "account.imported")]
    AccountImported,
    /// The account was added by a partner, or its language or subject changed.
    #[serde(rename = "account.provisioned")]
    AccountProvisioned,
    /// The account's address was changed by a partner.
    #[serde(rename = "email.changed")]
    EmailChanged,
    /// The operator suspended the account: nobody signs in to it, and its sessions ended.
    #[serde(rename = "account.suspended")]
    AccountSuspended,
    /// The operator ended a suspension.
    #[serde(rename = "account.resumed")]
    AccountResumed,
    /// The operator deleted the account.
    #[serde(rename = "account.deleted")]
    AccountDeleted,
    /// Guesses that locked the account's owner out were forgotten.
    #[serde(rename = "account.unlocked")]
    AccountUnlocked,
    /// The account's tokens carry one more scope.
    #[serde(rename = "scope.granted")]
    ScopeGranted,
    /// The account's tokens carry a scope no more.
    #[serde(rename = "scope.revoked")]
    ScopeRevoked,
    /// A sign-in succeeded.
    #[serde(rename = "login.succeeded")]
    LoginSucceeded,
    /// The password was right and the second factor was not.
    #[serde(rename = "login.second_factor_failed")]
    LoginSecondFactorFailed,
    /// A proof inside a session was wrong.
    #[serde(rename = "reauthentication.failed")]
    ReauthenticationFailed,
    /// Sessions were ended.
    #[serde(rename = "session.revoked")]
    SessionRevoked,
    /// The password was changed.
    #[serde(rename = "password.changed")]
    PasswordChanged,
    /// Support issued a bypass code.
    #[serde(rename = "bypass_code.issued")]
    BypassCodeIssued,
    /// A bypass code was used up.
    #[serde(rename = "bypass_code.used")]
    BypassCodeUsed,
    /// The operator put the account on the list of those who must have two-factor authentication.
    #[serde(rename = "two_factor.required")]
    TwoFactorRequired,
    /// The operator took the account off that list.
    #[serde(rename = "two_factor.released")]
    TwoFactorReleased,
    /// A device is remembered: sign-ins from it are not asked for the second factor.
    #[serde(rename = "device.remembered")]
    DeviceRemembered,
    /// Devices were forgotten by their owner.
    #[serde(rename = "device.revoked")]
    DeviceRevoked,
    /// A device was forgotten, since a token of it came that was replaced before, beside the right password.
    #[serde(rename = "device.token_reused")]
    DeviceTokenReused,
    /// A passkey said to have made no more signatures than before: somebody may have a copy of it.
    #[serde(rename = "passkey.counter_went_back")]
    PasskeyCounterWentBack,
    /// A partner may see the account from now on.
    #[serde(rename = "partner.allowed")]
    PartnerAllowed,
    /// A partner may see the account no more.
    #[serde(rename = "partner.refused")]
    PartnerRefused,
    /// The owner proved the second factor to a partner.
    #[serde(rename = "partner.verified")]
    PartnerVerified,
}

/// The two hash chains of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Changes of second factors: the sequence number is the account's version.
    State,
    /// Everything else that is worth a record.
    Activity,
}

impl Stream {
    /// The name it is stored under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Activity => "activity",
        }
    }
}

impl EventKind {
    /// The chain that records it.
    pub fn stream(self) -> Stream {
        match self {
            Self::LoginSucceeded
            | Self::TwoFactorReminded
            | Self::LoginSecondFactorFailed
            | Self::ReauthenticationFailed
            | Self::SessionRevoked
            | Self::PasswordChanged
            | Self::BypassCodeIssued
            | Self::BypassCodeUsed
            | Self::TwoFactorRequired
            | Self::TwoFactorReleased
            | Self::DeviceRemembered
            | Self::DeviceRevoked
            | Self::DeviceTokenReused
            | Self::PasskeyCounterWentBack
            | Self::PartnerAllowed
            | Self::PartnerRefused
            | Self::PartnerVerified
            | Self::AccountProvisioned
            | Self::EmailChanged
            | Self::AccountSuspended
            | Self::AccountResumed
            | Self::AccountDeleted
            | Self::AccountUnlocked
            | Self::ScopeGranted
            | Self::ScopeRevoked => Stream::Activity,
            _ => Stream::State,
        }
    }

    /// Those that partners are told of: of what decides whether a second factor is asked for, and whether the account
    /// may be trusted.
    pub const FOR_PARTNERS: [Self; 15] = [
        Self::TwoFactorEnabled,
        Self::TwoFactorDisabled,
        Self::TwoFactorRestored,
        Self::TwoFactorReplaced,
        Self::TwoFactorResetBySupport,
        Self::TwoFactorResetByOperator,
        Self::MethodAdded,
        Self::MethodRemoved,
        Self::RecoveryCodeUsed,
        Self::BypassCodeUsed,
        Self::AccountSuspended,
        Self::AccountResumed,
        Self::AccountDeleted,
        Self::PartnerAllowed,
        Self::PartnerRefused,
    ];

    /// Whether partners are told.
    pub fn is_for_partners(self) -> bool {
        Self::FOR_PARTNERS.contains(&self)
    }

    /// Whether it is told to the one partner that it names: that it sees the account, or sees it no more.
    pub fn is_of_consent(self) -> bool {
        matches!(self, Self::PartnerAllowed | Self::PartnerRefused)
    }

    /// Whether a link in the mail about it takes it back.
    pub fn can_be_undone(self) -> bool {
        matches!(self, Self::TwoFactorDisabled | Self::TwoFactorResetBySupport | Self::TwoFactorResetByOperator)
    }

    /// Whether mails about it may wait, so that a flood of it is told in few of them. Never of what lowers the
    /// protection of an account, or changes what its owner signs in with: whoever did that could hide it in a flood.
    pub fn may_wait(self) -> bool {
        matches!(
            self,
            Self::LoginSucceeded
                | Self::LoginSecondFactorFailed
                | Self::ReauthenticationFailed
                | Self::SessionRevoked
                | Self::MethodRenamed
                | Self::RecoveryCodesRegenerated
                | Self::PartnerAllowed
                | Self::PartnerRefused
        )
    }

    /// The name that it is stored and told under.
    ///
    /// # Errors
    /// `unreadable`, which never happens: every kind serialises to a string.
    pub fn name(self) -> Result<String, Fault> {
        let name = serde_json::to_value(self).ok().and_then(|value| value.as_str().map(str::to_owned));
        name.ok_or_else(|| Fault::Unreadable(format!("event kind {self:?}")))
    }
}

impl FromStr for EventKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        serde_json::from_value(Value::String(text.to_owned())).map_err(|_| format!("no kind of event: {text}"))
    }
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The account's owner, or who holds the owner's credentials.
    Owner,
    /// Somebody of support, by their own account.
    Support(AccountId),
    /// A partner, by its client.
    Partner(ClientId),
    /// The service itself, or its operator on the command line.
    System,
}

impl Actor {
    /// The word of the contract.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Support(_) => "support",
            Self::Partner(_) => "partner",
            Self::System => "system",
        }
    }

    /// Who it was, where it is neither the owner nor the service.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::Support(agent) => Some(agent.to_string()),
            Self::Partner(client) => Some(client.to_string()),
            Self::Owner | Self::System => None,
        }
    }
}

/// Where a request came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The id that ties answer, log line and audit row together.
    pub request_id: String,
    /// The client's address, as far as trusted proxies tell it.
    pub ip: IpAddr,
    /// The client's `User-Agent`, cut to a sensible length.
    pub user_agent: String,
}

/// Something to record.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// In which session.
    pub session: Option<SessionId>,
    /// By whom.
    pub actor: Actor,
    /// What else is worth knowing; never a secret.
    pub details: Map<String, Value>,
}

impl Event {
    /// An event of the owner's.
    pub fn of_owner(kind: EventKind, session: Option<SessionId>) -> Self {
        Self { kind, session, actor: Actor::Owner, details: Map::new() }
    }

    /// An event of support's, with why it acted. It is in no session of the owner's.
    pub fn of_support(kind: EventKind, agent: &Agent, cause: &Cause) -> Self {
        let actor = Actor::Support(agent.account());
        let event = Self { kind, session: None, actor, details: Map::new() };
        event.with("reason", cause.reason.as_str()).with("ticket", cause.ticket.as_str())
    }

    /// An event of a partner's. It is in no session of the owner's.
    pub fn of_partner(kind: EventKind, client: ClientId) -> Self {
        Self { kind, session: None, actor: Actor::Partner(client), details: Map::new() }
    }

    /// An event of the service's own, or of its operator.
    pub fn of_system(kind: EventKind) -> Self {
        Self { kind, session: None, actor: Actor::System, details: Map::new() }
    }

    /// Whether anybody else is told: the owner, of what an owner would want to have done themselves, and partners too,
    /// see [`EventKind::is_for_partners`]. Not of a user base that moves in, which is no news to anybody and a flood to
    /// those who are told.
    pub fn is_announced(&self) -> bool {
        match self.kind {
            // What an owner ended is known to its owner; these were ended by what looks like somebody else.
            EventKind::SessionRevoked => self.has_reason(&["refresh-token-reused", "too-many-failures"]),
            // Another subject, by which somebody else may sign in; the rest is the portal's daily work.
            EventKind::AccountProvisioned => self.details.contains_key("sessions"),
            EventKind::LoginSucceeded => self.details.contains_key("new_network"),
            EventKind::TwoFactorRequired => self.details.get("in_force") == Some(&Value::Bool(true)),
            // Whoever remembers or forgets a device has just signed in, which is told where it is news.
            EventKind::DeviceRemembered
            | EventKind::DeviceRevoked
            | EventKind::TwoFactorReleased
            | EventKind::PartnerVerified
            | EventKind::EnrollmentStarted
            | EventKind::EnrollmentCancelled
            | EventKind::EnrollmentFailed
            | EventKind::AccountImported => false,
            _ => true,
        }
    }

    fn has_reason(&self, reasons: &[&str]) -> bool {
        self.details.get("reason").and_then(Value::as_str).is_some_and(|reason| reasons.contains(&reason))
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// An event as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its id.
    pub id: EventId,
    /// Its place among the account's events, in the order in which they happened.
    pub ordinal: i64,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// In which session.
    pub session: Option<SessionId>,
    /// The kind of actor.
    pub actor_kind: String,
    /// The actor's id, where it is not the owner.
    pub actor_id: Option<String>,
    /// The client's address.
    pub ip: String,
    /// The client's user agent.
    pub user_agent: String,
    /// The request that did it.
    pub request_id: String,
    /// What else is worth knowing.
    pub details: Map<String, Value>,
}
