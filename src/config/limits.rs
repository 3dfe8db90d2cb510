//! The budgets of guesses, as settings.

use super::Misconfigured;
use crate::domain::guesses::{Limits, Policy};

/// The budgets of guesses: `free` wrong guesses within `window` seconds, then `delay_first` doubling up
/// to `delay_max`; `cap_day` and `cap_month` are hard; with
/// `ends_at` wrong guesses the session, challenge, enrolment or bypass code itself ends.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct LimitsConfig {
    /// A code before the second factor was proved, by account.
    #[config(default = { "free": 5, "window": 86400, "delay_first": 30, "delay_max": 3600, "cap_day": 20, "cap_month": 60, "ends_at": 0 })]
    pub code: Policy,
    /// A code in a session that is `aal2`, by session.
    #[config(default = { "free": 5, "window": 2592000, "delay_first": 30, "delay_max": 900, "cap_day": 0, "cap_month": 0, "ends_at": 12 })]
    pub session_code: Policy,
    /// A recovery code, by account.
    #[config(default = { "free": 5, "window": 86400, "delay_first": 60, "delay_max": 3600, "cap_day": 20, "cap_month": 0, "ends_at": 0 })]
    pub recovery_code: Policy,
    /// A bypass code of support's, by the code.
    #[config(default = { "free": 5, "window": 2592000, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 5 })]
    pub bypass_code: Policy,
    /// A password at sign-in, by e-mail address, or by e-mail address and known network.
    #[config(default = { "free": 10, "window": 900, "delay_first": 1, "delay_max": 900, "cap_day": 0, "cap_month": 0, "ends_at": 0 })]
    pub login: Policy,
    /// A password inside one session.
    #[config(default = { "free": 5, "window": 2592000, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 5 })]
    pub reauth_session: Policy,
    /// A password inside all sessions of an account.
    #[config(default = { "free": 10, "window": 3600, "delay_first": 900, "delay_max": 86400, "cap_day": 0, "cap_month": 0, "ends_at": 0 })]
    pub reauth_account: Policy,
    /// A code at confirm, by enrolment.
    #[config(default = { "free": 5, "window": 2592000, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 5 })]
    pub confirm: Policy,
    /// A second factor on one challenge.
    #[config(default = { "free": 5, "window": 2592000, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 5 })]
    pub challenge: Policy,
    /// Starts of enrolments, by account.
    #[config(default = { "free": 5, "window": 3600, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 0 })]
    pub enroll_start: Policy,
    /// Resets, bypass codes and unlocks, by the agent of support.
    #[config(default = { "free": 10, "window": 3600, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 0 })]
    pub support_action: Policy,
    /// Codes that are sent by mail or SMS, by account.
    #[config(default = { "free": 5, "window": 900, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 0 })]
    pub code_send: Policy,
    /// Codes that are sent, by the address or number that they go to, whoever asks.
    #[config(default = { "free": 5, "window": 900, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 0 })]
    pub code_send_address: Policy,
    /// SMS, by account.
    #[config(default = { "free": 10, "window": 3600, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 0 })]
    pub sms: Policy,
    /// SMS, by the first digits of the number: the country code and three more.
    #[config(default = { "free": 60, "window": 3600, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 0 })]
    pub sms_range: Policy,
    /// All SMS: what somebody who earns by them can cost at most.
    #[config(default = { "free": 300, "window": 3600, "delay_first": 0, "delay_max": 0, "cap_day": 0, "cap_month": 0, "ends_at": 0 })]
    pub sms_installation: Policy,
}

impl LimitsConfig {
    /// The budgets in force.
    pub fn policy(&self) -> Limits {
        Limits {
            code: Policy { caps_lock: true, ..self.code },
            session_code: self.session_code,
            recovery_code: self.recovery_code,
            bypass_code: self.bypass_code,
            login: self.login,
            reauth_session: self.reauth_session,
            reauth_account: self.reauth_account,
            confirm: self.confirm,
            challenge: self.challenge,
            enroll_start: self.enroll_start,
            support_action: self.support_action,
            code_send: self.code_send,
            code_send_address: self.code_send_address,
            sms: self.sms,
            sms_range: self.sms_range,
            sms_installation: self.sms_installation,
        }
    }

    /// # Errors
    /// When a budget would count nothing, and so let every guess be evaluated.
    pub fn check(&self) -> Result<(), Misconfigured> {
        let budgets = [
            ("code", self.code),
            ("session_code", self.session_code),
            ("recovery_code", self.recovery_code),
            ("bypass_code", self.bypass_code),
            ("login", self.login),
            ("reauth_session", self.reauth_session),
            ("reauth_account", self.reauth_account),
            ("confirm", self.confirm),
            ("challenge", self.challenge),
            ("enroll_start", self.enroll_start),
            ("support_action", self.support_action),
            ("code_send", self.code_send),
            ("code_send_address", self.code_send_address),
            ("sms", self.sms),
            ("sms_range", self.sms_range),
            ("sms_installation", self.sms_installation),
        ];
        let is_fit = |budget: &Policy| budget.free > 0 && budget.window > 0 && budget.delay_max >= budget.delay_first;
        match budgets.iter().find(|(_, budget)| !is_fit(budget)) {
            Some((name, _)) => Err(Misconfigured(format!(
                "limits.{name} needs free and window above 0, and delay_max not below delay_first"
            ))),
            None => Ok(()),
        }
    }
}
