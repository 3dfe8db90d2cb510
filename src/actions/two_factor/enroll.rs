//! Starting an enrolment: the owner proves who they are, and gets the one answer that holds the secret.
//! What protects the account already goes on protecting it until the enrolment is confirmed.

use crate::{
    actions::{
        Call, Outcome,
        reverify::{self, Ask, Change, Proofs},
    },
    domain::{
        account::Account,
        event::{Event, EventKind},
        guesses::{BucketId, Scope},
        id::MethodId,
        method::{Kind, Label, Method, State},
        policy::MAX_METHODS,
        refusal::{Refusal, Stop},
        totp::TotpSecret,
    },
    store::{Tx, accounts, methods, totp},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the owner sends.
#[derive(Clone, Debug)]
pub struct Enroll {
    /// The proofs.
    pub proofs: Proofs,
    /// What the method is to be called.
    pub label: Label,
    /// The method that the confirm is to take out of service.
    pub replaces: Option<MethodId>,
}

/// An enrolment that was started.
#[derive(Serialize, Deserialize)]
pub struct Enrolled {
    /// The pending method.
    pub id: MethodId,
    /// Its label.
    pub label: Label,
    /// When the enrolment ends.
    pub expires_at: Timestamp,
    /// The version that the account has now.
    pub version: i64,
    /// The secret, and who is to see it under which name.
    #[serde(skip)]
    pub secret: Option<Shown>,
}

/// The secret as the owner's app takes it.
pub struct Shown {
    /// The secret.
    pub secret: TotpSecret,
    /// The key URI for the app.
    pub otpauth_uri: String,
}

impl Outcome for Enrolled {
    /// Without its secret it is of no use.
    fn is_repeatable(&self) -> bool {
        false
    }
}

/// Starts the enrolment of an authenticator app.
///
/// # Errors
/// `too-many-methods`, `not-found` for a method to replace that is not active, and those of [`reverify`].
pub async fn enroll(call: &Call, command: Enroll) -> Result<Enrolled, Stop> {
    let quota = Some(BucketId::new(Scope::EnrollStart, call.holder.account));
    let ask = Ask { action: "enroll", proofs: command.proofs, quota, new_password: None };
    let replaces = command.replaces;
    let proven = reverify::prove(call, ask, move |tx, account| has_room(tx, account, replaces)).await?;

    let (call, label) = (call.clone(), command.label);
    reverify::settle(&call.clone(), proven, move |tx, change| {
        has_room(tx, &change.account, replaces)?;
        start(tx, &call, change, &label, replaces)
    })
    .await
}

fn has_room(tx: &mut Tx<'_>, account: &Account, replaces: Option<MethodId>) -> Result<(), Stop> {
    if replaces.is_some() {
        account.require_enabled()?;
    }
    let active = methods::active(tx, account.id)?;
    match replaces {
        Some(id) if active.iter().all(|method| method.id != id) => Err(Refusal::NotFound.into()),
        None if active.len() >= MAX_METHODS => Err(Refusal::TooManyMethods.into()),
        _ => Ok(()),
    }
}

fn start(
    tx: &mut Tx<'_>,
    call: &Call,
    mut change: Change,
    label: &Label,
    replaces: Option<MethodId>,
) -> Result<Enrolled, Stop> {
    let cx = &call.cx;
    let secret = TotpSecret::from_bytes(cx.random.bytes()?);
    let method = Method {
        id: cx.random.id(cx.now)?,
        account: change.account.id,
        kind: Kind::Totp,
        state: State::Pending,
        label: label.clone(),
        created_at: cx.now,
        last_used_at: None,
        expires_at: cx.in_seconds(cx.policy.enrollment_ttl),
        replaces,
        session: change.session.id,
    };
    methods::insert_pending(tx, &method)?;
    totp::insert(tx, change.account.id, method.id, &secret)?;
    let event = Event::of_owner(EventKind::EnrollmentStarted, Some(change.session.id))
        .with("method", method.id.to_string())
        .with("type", method.kind.to_string());
    accounts::record(tx, &mut change.account, &cx.origin, cx.now, &event, |_| {})?;
    let otpauth_uri = secret.otpauth_uri(&cx.policy.product_name, change.account.email.as_str());
    Ok(Enrolled {
        id: method.id,
        label: method.label,
        expires_at: method.expires_at,
        version: change.account.version,
        secret: Some(Shown { secret, otpauth_uri }),
    })
}
