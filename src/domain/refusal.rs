//! Why a request gets no: refusals are answers, faults are breakdowns.
//!
//! A [`Refusal`] is a decision of ours and is final: what was written on the way (a spent attempt, say)
//! is committed with it. A [`Fault`] means that we could not know: everything is rolled back and the
//! caller is told 503, never "2FA is off".

use jiff::Timestamp;

/// A decision against the request. Each has one problem in the HTTP catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bearer or refresh token is not, or no longer, good: RFC 6750 §3.1.
    InvalidToken,
    /// The same of a token of a partner's client, which is not refreshed.
    InvalidClientToken,
    /// The operation wants a fresher or stronger authentication: RFC 9470 §3.
    InsufficientUserAuthentication {
        /// How old a proof of the second factor may be, in seconds.
        max_age: u32,
    },
    /// A wrong password, a wrong or used code, an unknown or used recovery code: one answer for all.
    InvalidCredential {
        /// Guesses left, where one proof was sent alone.
        attempts_remaining: Option<u32>,
    },
    /// An authenticator could not be read, so nobody can say that the guess was wrong; it is counted, for it
    /// was tried against the others. Told like a fault.
    FactorUnreadable,
    /// The guess was not evaluated, because its budget is spent.
    TooManyAttempts(Limit),
    /// Nothing to do, since two-factor authentication is off.
    TwoFactorNotEnabled,
    /// The policy forbids it for this account.
    ForbiddenByPolicy {
        /// What the owner can do instead.
        alternatives: &'static [&'static str],
    },
    /// The policy requires two-factor authentication of this account, and the time to set it up is over: nothing else
    /// is possible before that.
    TwoFactorSetupRequired,
    /// The last method is removed by disabling, not by removing.
    LastMethod,
    /// Methods of this kind cannot be set up here.
    MethodNotOffered,
    /// The account has no method of this kind, or none that has to be asked.
    MethodNotAvailable,
    /// The account has as many methods as it may have.
    TooManyMethods,
    /// The client has as many webhooks as it may have.
    TooManyWebhooks,
    /// The webhook is disabled, so nothing is sent to it.
    WebhookDisabled,
    /// The enrolment was confirmed before.
    AlreadyConfirmed,
    /// The enrolment is expired, superseded, cancelled or worn out.
    EnrolmentExpired,
    /// The sign-in challenge is unknown, used, dead or worn out.
    ChallengeExpired,
    /// The link of a mail is unknown, used, void or too old.
    LinkExpired,
    /// Some of what came after the cursor is not kept any more.
    CursorExpired,
    /// At confirm only: the code is right for another moment, so the phone's clock is wrong.
    CodeOutOfWindow {
        /// How many seconds the phone's clock is ahead; negative when it is behind.
        skew_seconds: i64,
        /// Our time.
        server_time: Timestamp,
    },
    /// The caller's account lacks the scope for it, or the account is not one that the caller may change.
    NotPermitted,
    /// The caller's token lacks the scope that the operation takes: RFC 6750 §3.1.
    InsufficientScope {
        /// The scope.
        scope: &'static str,
    },
    /// No such thing, or not the caller's.
    NotFound,
    /// `If-Match` names another version: RFC 9110 §13.1.1.
    VersionMismatch,
    /// The idempotency key was used with another body.
    IdempotencyKeyReused,
    /// A request with this idempotency key still runs.
    RequestInProgress,
    /// The request was carried out before, and its answer held a secret that is not shown twice.
    AlreadyCompleted,
    /// A member has the right type and a wrong value.
    ValidationFailed(Vec<Violation>),
}

/// Which budget is spent, in the words of draft-ietf-httpapi-ratelimit-headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The policy's name, such as `code`.
    pub policy: &'static str,
    /// Attempts within the window.
    pub quota: u32,
    /// The window, in seconds.
    pub window: u32,
    /// Seconds until another attempt is evaluated.
    pub retry_after: u32,
}

/// One member of a body that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) of the member.
    pub pointer: &'static str,
    /// The rule that it breaks.
    pub rule: Rule,
}

/// The rules a member can break; each has a sentence in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A password of 1 to 71 bytes without NUL.
    Password,
    /// A new password of 8 to 71 bytes without NUL.
    NewPassword,
    /// Six digits.
    Code,
    /// Eight digits.
    SentCode,
    /// Twenty-four Crockford base-32 characters.
    RecoveryCode,
    /// The number of a mobile telephone with its country code, see [`super::phone::PhoneNumber`].
    Phone,
    /// A label of 1 to 64 characters without control characters.
    Label,
    /// A kind of method that answers only when it is asked.
    AskedMethod,
    /// A kind of method that has codes.
    CodeMethod,
    /// An e-mail address of at most 254 bytes.
    Email,
    /// An identifier of ours.
    Id,
    /// One of the reasons for a disable.
    Reason,
    /// A ticket of 1 to 64 characters without control characters.
    Ticket,
    /// An address that no account has yet.
    FreeEmail,
    /// 1 to 255 printable ASCII characters.
    Subject,
    /// A subject that no account has yet.
    FreeSubject,
    /// A bcrypt hash `$2a$`, `$2b$` or `$2y$` of cost 4 to 14.
    PasswordHash,
    /// One of the languages.
    Locale,
    /// A client's name of 1 to 100 characters without control characters.
    ClientName,
    /// An `https` address of a public host, see [`super::webhook::WebhookUrl`].
    WebhookUrl,
    /// One kind of event at least, each one that partners are told of.
    WebhookKinds,
    /// A description of 1 to 200 characters without control characters.
    WebhookDescription,
    /// A remark of 1 to 500 characters without control characters.
    Remark,
}

impl Rule {
    /// A violation of this rule at `pointer`, as the whole refusal.
    pub fn at(self, pointer: &'static str) -> Refusal {
        Refusal::ValidationFailed(vec![Violation { pointer, rule: self }])
    }
}

/// A breakdown: the service cannot know, and says so with 503.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The database (or another thing we stand on) does not answer as it should.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// COMMIT was sent and its answer was lost: the change may or may not stand.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(String),
    /// Too much to do at once; nothing was tried.
    #[error("overloaded: {0}")]
    Overloaded(&'static str),
    /// A stored secret does not open, or a stored row makes no sense: an alarm, never an absence.
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// Another writer was faster; the engine tries the closure again.
    #[error("contended: {0}")]
    Contended(String),
}

/// Why an action stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// By decision: the bookkeeping of the refusal is committed.
    Refused(Refusal),
    /// By breakdown: everything is rolled back.
    Failed(Fault),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}
