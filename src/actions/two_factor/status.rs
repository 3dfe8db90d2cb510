//! How an account's two-factor authentication stands, and what its owner may do about it now.

use crate::{
    actions::{Call, entrance},
    domain::{
        account::Account,
        id::MethodId,
        method::{Kind, Label, Method, State},
        policy::MAX_METHODS,
        refusal::{Fault, Stop},
    },
    store::{Db, methods, recovery_codes},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The whole picture, of one moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The version it is the picture of: the `ETag`.
    pub version: i64,
    /// Since when it is on; `None` while it is off.
    pub since: Option<Timestamp>,
    /// When it was switched off, if it was on before and is off now.
    pub disabled_at: Option<Timestamp>,
    /// When its owner is reminded that it is off.
    pub reminder_at: Option<Timestamp>,
    /// Until when others are asked to hold back what cannot be undone; `None` when nothing is held.
    pub restricted_until: Option<Timestamp>,
    /// Since when it waits for support; `None` when it does not.
    pub flagged_at: Option<Timestamp>,
    /// The active methods, oldest first.
    pub methods: Vec<ActiveMethod>,
    /// The recovery codes; `None` while it is off.
    pub recovery_codes: Option<Codes>,
    /// Enrolments that wait for their confirm.
    pub pending: Vec<PendingMethod>,
    /// That it is required of the account; `None` where it is not.
    #[serde(default)]
    pub requirement: Option<Requirement>,
    /// Whether its owner may not switch it off.
    #[serde(default)]
    pub forbids_disable: bool,
    /// When its owner is to be asked whether a method still works; `None` where never, and while it is off.
    #[serde(default)]
    pub checkup_due_at: Option<Timestamp>,
    /// Whether another method can be added.
    pub has_room: bool,
    /// Whether the caller's token vouches for the second factor, and until when.
    pub fresh_until: Option<Timestamp>,
}

/// That two-factor authentication is required, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Since when; `None` before the first sign-in under the requirement.
    pub since: Option<Timestamp>,
    /// Until when the account may do without.
    pub until: Option<Timestamp>,
}

/// A method that protects the account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ActiveMethod {
    /// Its id.
    pub id: MethodId,
    /// Its kind.
    pub kind: Kind,
    /// Its label.
    pub label: Label,
    /// When it was confirmed.
    pub created_at: Timestamp,
    /// When it last proved the second factor.
    pub last_used_at: Option<Timestamp>,
}

/// A method that waits for its confirm.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PendingMethod {
    /// Its id.
    pub id: MethodId,
    /// Its kind.
    pub kind: Kind,
    /// Its label.
    pub label: Label,
    /// When its enrolment ends.
    pub expires_at: Timestamp,
}

/// How many recovery codes there are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Codes {
    /// In the set when it was made.
    pub total: usize,
    /// Unused.
    pub remaining: usize,
    /// When the set was made.
    pub generated_at: Timestamp,
}

impl Status {
    /// Whether two-factor authentication is on.
    pub fn is_enabled(&self) -> bool {
        self.since.is_some()
    }

    /// Whether an authenticator app is among the methods.
    pub fn has_app(&self) -> bool {
        self.methods.iter().any(|method| method.kind == Kind::Totp)
    }
}

impl From<&Method> for ActiveMethod {
    fn from(method: &Method) -> Self {
        let Method { id, kind, label, created_at, last_used_at, .. } = method.clone();
        Self { id, kind, label, created_at, last_used_at }
    }
}

/// Reads the status for the holder of a token.
///
/// # Errors
/// `invalid-token`.
pub async fn status(call: &Call) -> Result<Status, Stop> {
    let asked = call.for_setup();
    call.cx
        .store
        .read("status", move |db| {
            let (account, _) = entrance::recognise(db, &asked)?;
            Ok(picture(db, &asked, &account)?)
        })
        .await
}

/// The status within a transaction, as the caller's token sees it.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn picture(db: &mut Db<'_>, call: &Call, account: &Account) -> Result<Status, Fault> {
    let live = methods::live(db, account.id)?;
    let now = call.cx.now;
    let pending = live.iter().filter(|method| method.is_pending(now));
    let active: Vec<ActiveMethod> =
        live.iter().filter(|method| method.state == State::Active).map(ActiveMethod::from).collect();
    let codes = recovery_codes::standing(db, account.id)?.map(|codes| Codes {
        total: codes.total,
        remaining: codes.remaining,
        generated_at: codes.generated_at,
    });
    // An account that came with its authenticator from elsewhere has no set yet.
    let none = account.enabled_at.map(|since| Codes { total: 0, remaining: 0, generated_at: since });
    let policy = &call.cx.policy;
    let (max_age, newest) = (policy.step_up_max_age, active.iter().map(|method| method.created_at).max());
    let since = account.required_since;
    let requirement = Requirement { since, until: since.map(|since| policy.grace_until(since)) };
    let is_off = !account.is_enabled();
    Ok(Status {
        version: account.version,
        since: account.enabled_at,
        disabled_at: account.disabled_at.filter(|_| is_off),
        reminder_at: account.reminder_at.filter(|_| is_off),
        restricted_until: account.restriction(now),
        flagged_at: account.flagged_at,
        requirement: policy.requires(account).then_some(requirement),
        forbids_disable: policy.forbids_disable(account),
        checkup_due_at: newest.and_then(|newest| policy.checkup_due(newest, account.checked_at)),
        has_room: active.len() < MAX_METHODS,
        methods: active,
        recovery_codes: codes.or(none),
        pending: pending
            .map(|method| PendingMethod {
                id: method.id,
                kind: method.kind,
                label: method.label.clone(),
                expires_at: method.expires_at,
            })
            .collect(),
        fresh_until: call.holder.assurance.fresh_until(max_age).filter(|until| now <= *until),
    })
}
