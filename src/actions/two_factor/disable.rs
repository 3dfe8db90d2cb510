//! Switching two-factor authentication off: the job that this service is for.
//!
//! The owner proves the password, and a second factor unless the token vouches for one. One write then
//! removes every method and recovery code, ends all other sessions, refuses all older tokens, and
//! records why. From then on the account signs in by password alone.

use crate::{
    actions::{
        Call, Cx, Outcome, entrance,
        issue::{self, Tokens},
        reverify::{self, Ask, Proofs},
    },
    domain::{
        account::Account,
        assurance::Assurance,
        event::{Event, EventKind},
        id::SessionId,
        method::Kind,
        refusal::{Fault, Refusal, Rule, Stop},
    },
    store::{Tx, accounts, methods, recovery_codes, sessions},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the owner sends.
#[derive(Clone, Debug)]
pub struct Disable {
    /// The proofs.
    pub proofs: Proofs,
    /// Why, for the record.
    pub reason: Option<Reason>,
}

/// Why an owner switches it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Another phone takes over.
    NewPhone,
    /// The phone is gone.
    LostPhone,
    /// Another method takes over.
    SwitchingMethod,
    /// It is not wanted any more.
    NotWanted,
    /// Something else.
    Other,
}

impl Reason {
    /// Reads a reason's name.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when it is none.
    pub fn parse(name: &str, pointer: &'static str) -> Result<Self, Refusal> {
        serde_json::from_value(name.into()).map_err(|_| Rule::Reason.at(pointer))
    }
}

/// It is off.
#[derive(Serialize, Deserialize)]
pub struct Disabled {
    /// The version that the account has now.
    pub version: i64,
    /// Since when.
    pub disabled_at: Timestamp,
    /// The kinds of method that protected the account, the strongest first.
    #[serde(default)]
    pub ended: Vec<Kind>,
    /// What went with it.
    pub revoked: Counts,
    /// When the owner is reminded that it is off.
    pub reminder_at: Timestamp,
    /// A fresh pair for the caller, whose older tokens are refused now.
    #[serde(skip)]
    pub tokens: Option<Tokens>,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Counts {
    /// Active methods.
    pub methods: usize,
    /// Unused recovery codes.
    pub recovery_codes: usize,
    /// Sessions other than the caller's.
    pub sessions: usize,
}

/// What a disable would do, and what it takes.
pub struct Preview {
    /// What would go with it.
    pub would_revoke: Counts,
    /// Until when the caller's token vouches for the second factor.
    pub fresh_until: Option<Timestamp>,
    /// Whether an authenticator app is among the methods.
    pub has_app: bool,
}

impl Outcome for Disabled {}

/// Switches two-factor authentication off.
///
/// # Errors
/// `two-factor-not-enabled`, `forbidden-by-policy`, and those of [`reverify`].
pub async fn disable(call: &Call, command: Disable) -> Result<Disabled, Stop> {
    let cx = call.cx.clone();
    let ask = Ask { action: "disable", proofs: command.proofs, quota: None, new_password: None };
    let proven = reverify::prove(call, ask, move |_, account| Ok(may(&cx, account)?)).await?;

    let cx = call.cx.clone();
    let (mut disabled, grant) = reverify::settle(call, proven, move |tx, mut change| {
        may(&cx, &change.account)?;
        let (id, session) = (change.account.id, Some(change.session.id));
        let kept_until = cx.policy.undo_until(cx.now);
        let methods = methods::remove_all(tx, id, cx.now, kept_until, &change.reverified, change.assured()?)?;
        let event = Event::of_owner(EventKind::TwoFactorDisabled, session)
            .with("reason", serde_json::to_value(command.reason).unwrap_or_default());
        let disabled = switch_off(tx, &cx, &mut change.account, methods, session, event)?;
        let grant = issue::renew(tx, &cx, &change.account, change.session, Assurance::password(cx.now))?;
        Ok((disabled, grant))
    })
    .await?;
    disabled.tokens = issue::fresh_tokens(&call.cx, grant)?;
    Ok(disabled)
}

/// That there is something to switch off, and that the policy lets the owner do it.
fn may(cx: &Cx, account: &Account) -> Result<(), Refusal> {
    account.require_enabled()?;
    cx.policy.require_disable_allowed(account)
}

/// What follows the removal of the methods, whoever had the authority for it: recovery codes go, sessions but
/// `spared` end, older tokens are refused, others are asked to hold back, and `event` records how many of each.
///
/// # Errors
/// `unavailable`; `contended` when another writer was faster.
pub(in crate::actions) fn switch_off(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &mut Account,
    methods: Vec<Kind>,
    spared: Option<SessionId>,
    event: Event,
) -> Result<Disabled, Fault> {
    let revoked = Counts {
        methods: methods.len(),
        recovery_codes: recovery_codes::delete_all(tx, account.id)?,
        sessions: sessions::end_others(tx, account.id, spared, cx.now)?,
    };
    let hold = cx.policy.hold(cx.now);
    let reminder_at = cx.in_seconds(cx.policy.reminder_after);
    let event = event
        .with("methods", revoked.methods)
        .with("recovery_codes", revoked.recovery_codes)
        .with("sessions", revoked.sessions);
    accounts::record(tx, account, &cx.origin, cx.now, &event, |account| {
        account.epoch += 1;
        account.enabled_at = None;
        account.disabled_at = Some(cx.now);
        account.reminder_at = Some(reminder_at);
        account.reminded_at = None;
        account.restrict(hold);
    })?;
    let ended = methods::distinct(methods);
    Ok(Disabled { version: account.version, disabled_at: cx.now, ended, revoked, reminder_at, tokens: None })
}

/// Tells what a disable would do, without doing anything.
///
/// # Errors
/// `invalid-token`, `two-factor-not-enabled`, `forbidden-by-policy`.
pub async fn preview(call: &Call) -> Result<Preview, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("preview", move |db| {
            let (account, session) = entrance::recognise(db, &asked)?;
            may(&asked.cx, &account)?;
            let now = asked.cx.now;
            let others = sessions::alive(db, account.id, now)?.iter().filter(|other| other.id != session.id).count();
            let codes = recovery_codes::standing(db, account.id)?;
            let active = methods::active(db, account.id)?;
            Ok(Preview {
                has_app: active.iter().any(|method| method.kind == Kind::Totp),
                would_revoke: Counts {
                    methods: active.len(),
                    recovery_codes: codes.map_or(0, |codes| codes.remaining),
                    sessions: others,
                },
                fresh_until: asked
                    .holder
                    .assurance
                    .fresh_until(asked.cx.policy.step_up_max_age)
                    .filter(|until| now <= *until),
            })
        })
        .await
}
