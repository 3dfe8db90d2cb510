//! What owners may and must do about their second factors, as settings.

use super::{Config, Misconfigured, list};
use crate::domain::{
    method::Kind,
    policy::{Policy, Required},
};

/// What owners may and must do about their second factors. Durations are in seconds.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct PolicyConfig {
    /// The kinds of method that can be set up where they are configured, separated by commas in the environment. A method
    /// of another kind that is in service goes on working.
    #[config(env = "TWOFOLD_METHODS", parse_env = kinds, default = ["passkey", "totp", "sms", "email"])]
    pub methods: Vec<Kind>,

    /// Of whom two-factor authentication is required: `none`, `listed` (see `twofold account require`), or `all`. They cannot
    /// switch it off, and can do nothing but set it up once their time to do so is over.
    #[config(env = "TWOFOLD_REQUIRED", default = "none")]
    pub required: Required,

    /// How much time that is, from the first sign-in of an account since then on. It has it once.
    #[config(env = "TWOFOLD_REQUIRED_GRACE", default = 1209600)]
    pub required_grace: u32,

    /// Whether an owner of whom it is not required may switch two-factor authentication off. Support and the operator may.
    #[config(env = "TWOFOLD_DISABLE_ALLOWED", default = true)]
    pub disable_allowed: bool,

    /// When, after a method was set up, its owner is to be asked whether it still works; 0 means never.
    #[config(env = "TWOFOLD_CHECKUP_AFTER", default = 2419200)]
    pub checkup_after: u32,

    /// How long after it proved to work the owner is to be asked again; 0 means never.
    #[config(env = "TWOFOLD_CHECKUP_EVERY", default = 31536000)]
    pub checkup_every: u32,

    /// Whether an owner may have a device remembered, so that the next sign-ins from it ask for the password alone.
    #[config(env = "TWOFOLD_REMEMBER_DEVICES", default = true)]
    pub remember_devices: bool,

    /// For how long a device is remembered after the second factor was proved on it; 0 means that none is.
    #[config(env = "TWOFOLD_DEVICE_TTL", default = 2592000)]
    pub device_ttl: u32,
}

impl PolicyConfig {
    /// For how long a device is remembered; 0 where none is.
    pub fn device_ttl(&self) -> u32 {
        if self.remember_devices { self.device_ttl } else { 0 }
    }
}

/// Kinds of method, as the environment names them.
fn kinds(text: &str) -> Result<Vec<Kind>, Misconfigured> {
    list(text).map_err(|()| Misconfigured(format!("TWOFOLD_METHODS names kinds of method, not {text:?}")))
}

impl Config {
    /// The rules that decisions depend on.
    pub fn policy(&self) -> Policy {
        Policy {
            product_name: self.product_name.clone(),
            kinds: self.kinds(),
            step_up_max_age: self.step_up_max_age,
            support_max_age: self.support_max_age,
            bypass_code_ttl: self.bypass_code_ttl,
            sent_code_ttl: self.sent_code_ttl,
            totp_window: self.totp_window,
            access_token_ttl: self.access_token_ttl,
            session_idle: self.session_idle,
            session_max: self.session_max,
            challenge_ttl: self.challenge_ttl,
            required: self.policy.required,
            required_grace: self.policy.required_grace,
            disable_allowed: self.policy.disable_allowed,
            checkup_after: self.policy.checkup_after,
            checkup_every: self.policy.checkup_every,
            device_ttl: self.policy.device_ttl(),
            enrollment_ttl: self.enrollment_ttl,
            reminder_after: self.reminder_after,
            reminder_again: self.reminder_again,
            undo_for: self.undo_for,
            restricted_for: self.restricted_for,
            webhook_overlap: self.webhooks.overlap,
            events_kept: self.events_kept_days,
            auth_per_minute: self.auth_per_minute,
            auth_burst: self.auth_burst,
            support: self.support.policy(),
            limits: self.limits.policy(),
        }
    }

    /// The kinds of method that can be set up, the strongest first: those that are configured, as far as the policy
    /// allows them.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let is_configured = |kind: &Kind| match kind {
            Kind::Passkey => self.webauthn.rp_id.is_some(),
            Kind::Totp => true,
            Kind::Sms | Kind::Email => self.sent_kinds().contains(kind),
        };
        let offered = |kind: &Kind| is_configured(kind) && self.policy.methods.contains(kind);
        Kind::ALL.into_iter().filter(offered).collect()
    }

    /// The kinds of method whose codes are sent, the strongest first: those that there is something to send by.
    pub fn sent_kinds(&self) -> Vec<Kind> {
        let kinds = [(Kind::Sms, self.sms.gateway.is_some()), (Kind::Email, self.mail.url.is_some())];
        kinds.into_iter().filter(|(_, is_sent)| *is_sent).map(|(kind, _)| kind).collect()
    }
}
