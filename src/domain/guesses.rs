//! What can be guessed, and the numbers that each kind of guess is bound to. How they are applied is in
//! [`super::lockout`].

use serde::{Deserialize, Serialize};

/// What can be guessed, each with a policy of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A code before the second factor was proved, by account.
    Code,
    /// A code in a session that is `aal2`, by session.
    SessionCode,
    /// A recovery code, by account.
    RecoveryCode,
    /// A bypass code, by the code.
    BypassCode,
    /// A password at sign-in, by e-mail address, or by e-mail address and known network address.
    Login,
    /// A password inside a session, by session.
    ReauthSession,
    /// A password inside any session, by account.
    ReauthAccount,
    /// A code at confirm, by enrolment.
    Confirm,
    /// A code or recovery code at sign-in, by challenge.
    Challenge,
    /// Not a guess: starts of enrolments, by account.
    EnrollStart,
    /// Not a guess: resets, bypass codes and unlocks, by the agent of support.
    SupportAction,
    /// Not a guess: codes that are sent, by account.
    CodeSend,
    /// Not a guess: codes that are sent, by where they go, whoever asks for them.
    CodeSendAddress,
    /// Not a guess: SMS, by account.
    Sms,
    /// Not a guess: SMS, by the range of numbers that they go to.
    SmsRange,
    /// Not a guess: SMS of the whole installation.
    SmsInstallation,
}

impl Scope {
    /// Those that are no guesses, and only bound how often something is done.
    pub const QUOTAS: [Self; 7] = [
        Self::EnrollStart,
        Self::SupportAction,
        Self::CodeSend,
        Self::CodeSendAddress,
        Self::Sms,
        Self::SmsRange,
        Self::SmsInstallation,
    ];

    /// Whether it can be guessed.
    pub fn is_guess(self) -> bool {
        !Self::QUOTAS.contains(&self)
    }

    /// The name it is stored and published under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::SessionCode => "session-code",
            Self::RecoveryCode => "recovery-code",
            Self::BypassCode => "bypass-code",
            Self::Login => "login",
            Self::ReauthSession => "reauthentication-session",
            Self::ReauthAccount => "reauthentication",
            Self::Confirm => "confirm",
            Self::Challenge => "challenge",
            Self::EnrollStart => "enrollment-start",
            Self::SupportAction => "support-action",
            Self::CodeSend => "code-send",
            Self::CodeSendAddress => "code-send-address",
            Self::Sms => "sms",
            Self::SmsRange => "sms-range",
            Self::SmsInstallation => "sms-installation",
        }
    }
}

/// One bucket's name: what is guessed, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketId {
    /// What is guessed.
    pub scope: Scope,
    /// Whose: an id, or a keyed hash.
    pub key: String,
}

impl BucketId {
    /// The bucket of `scope` that belongs to `key`.
    pub fn new(scope: Scope, key: impl ToString) -> Self {
        Self { scope, key: key.to_string() }
    }
}

/// The numbers of one scope. Zero means: no such rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Wrong guesses within the window that cost nothing but the guess.
    pub free: u32,
    /// The window, in seconds.
    pub window: u32,
    /// Seconds to wait after the last free guess; doubled by each further one.
    pub delay_first: u32,
    /// The longest wait, in seconds.
    pub delay_max: u32,
    /// Wrong guesses in 24 hours after which none is evaluated.
    pub cap_day: u32,
    /// Wrong guesses in 30 days after which none is evaluated.
    pub cap_month: u32,
    /// Whether reaching a cap locks the bucket until it is opened, instead of until time has passed. Not
    /// a setting: codes are so, and nothing else.
    #[serde(skip_deserializing)]
    pub caps_lock: bool,
    /// Wrong guesses that end the thing guessed at: the session, the challenge, the enrolment, the bypass code.
    pub ends_at: u32,
}

/// The policies in force, as `/.well-known/two-factor-policy` publishes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// A code before the second factor was proved.
    pub code: Policy,
    /// A code in a session that is `aal2`.
    pub session_code: Policy,
    /// A recovery code.
    pub recovery_code: Policy,
    /// A bypass code.
    pub bypass_code: Policy,
    /// A password at sign-in.
    pub login: Policy,
    /// A password inside one session.
    pub reauth_session: Policy,
    /// A password inside all sessions of an account.
    pub reauth_account: Policy,
    /// A code at confirm.
    pub confirm: Policy,
    /// A second factor on one challenge.
    pub challenge: Policy,
    /// Starts of enrolments.
    pub enroll_start: Policy,
    /// Resets and bypass codes of one agent of support.
    pub support_action: Policy,
    /// Codes that are sent for one account.
    pub code_send: Policy,
    /// Codes that are sent to one address or number.
    pub code_send_address: Policy,
    /// SMS for one account.
    pub sms: Policy,
    /// SMS to one range of numbers. Whoever earns by SMS is not told how many are sent.
    #[serde(skip)]
    pub sms_range: Policy,
    /// All SMS. Nor how many there are in all.
    #[serde(skip)]
    pub sms_installation: Policy,
}

impl Limits {
    /// The policy of one scope.
    pub fn of(&self, scope: Scope) -> &Policy {
        match scope {
            Scope::Code => &self.code,
            Scope::SessionCode => &self.session_code,
            Scope::RecoveryCode => &self.recovery_code,
            Scope::BypassCode => &self.bypass_code,
            Scope::Login => &self.login,
            Scope::ReauthSession => &self.reauth_session,
            Scope::ReauthAccount => &self.reauth_account,
            Scope::Confirm => &self.confirm,
            Scope::Challenge => &self.challenge,
            Scope::EnrollStart => &self.enroll_start,
            Scope::SupportAction => &self.support_action,
            Scope::CodeSend => &self.code_send,
            Scope::CodeSendAddress => &self.code_send_address,
            Scope::Sms => &self.sms,
            Scope::SmsRange => &self.sms_range,
            Scope::SmsInstallation => &self.sms_installation,
        }
    }
}
