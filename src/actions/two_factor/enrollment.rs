//! Looking at an enrolment, and giving it up.

use crate::{
    actions::{Call, entrance},
    domain::{
        event::{Event, EventKind},
        id::{AccountId, MethodId},
        method::{Kind, Method, State},
        refusal::{Refusal, Stop},
    },
    store::{Db, accounts, methods},
};
use jiff::Timestamp;

/// Reads an enrolment; its secret is never shown again.
///
/// # Errors
/// `not-found`, `enrolment-expired`.
pub async fn look(call: &Call, kind: Kind, id: MethodId) -> Result<Method, Stop> {
    let asked = call.for_setup();
    call.cx
        .store
        .read("enrollment", move |db| {
            let (account, _) = entrance::recognise(db, &asked)?;
            let method = find(db, account.id, kind, id)?;
            if method.state == State::Abandoned || is_expired(&method, asked.cx.now) {
                return Err(Refusal::EnrolmentExpired.into());
            }
            Ok(method)
        })
        .await
}

/// Gives a pending enrolment up.
///
/// # Errors
/// `not-found`, `enrolment-expired`, `already-confirmed`.
pub async fn cancel(call: &Call, kind: Kind, id: MethodId) -> Result<(), Stop> {
    let asked = call.for_setup();
    call.cx
        .store
        .write("cancel-enrollment", move |tx| {
            let (mut account, session) = entrance::enter(tx, &asked)?;
            let method = pending(tx, &asked, kind, id)?;
            methods::abandon(tx, &method, asked.cx.now)?;
            let event =
                Event::of_owner(EventKind::EnrollmentCancelled, Some(session.id)).with("method", method.id.to_string());
            Ok(accounts::record(tx, &mut account, &asked.cx.origin, asked.cx.now, &event, |_| {})?)
        })
        .await
}

/// The caller's enrolment, which must still be pending.
///
/// # Errors
/// `not-found`, `enrolment-expired`, `already-confirmed`.
pub fn pending(db: &mut Db<'_>, call: &Call, kind: Kind, id: MethodId) -> Result<Method, Stop> {
    let method = find(db, call.holder.account, kind, id)?;
    match method.state {
        State::Active | State::Removed => Err(Refusal::AlreadyConfirmed.into()),
        State::Abandoned => Err(Refusal::EnrolmentExpired.into()),
        State::Pending if is_expired(&method, call.cx.now) => Err(Refusal::EnrolmentExpired.into()),
        State::Pending => Ok(method),
    }
}

/// A method of another kind is not looked for under this one's path.
fn find(db: &mut Db<'_>, account: AccountId, kind: Kind, id: MethodId) -> Result<Method, Stop> {
    Ok(methods::find(db, account, id)?.filter(|method| method.kind == kind).ok_or(Refusal::NotFound)?)
}

fn is_expired(method: &Method, now: Timestamp) -> bool {
    method.state == State::Pending && !method.is_pending(now)
}
