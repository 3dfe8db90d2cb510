//! The owner's sessions: seeing and ending them.

use crate::{
    actions::{Call, Outcome, entrance},
    domain::{
        event::{Event, EventKind},
        id::SessionId,
        refusal::{Refusal, Stop},
        session::Session,
    },
    store::{accounts, sessions},
};
use serde::{Deserialize, Serialize};

/// How many sessions were ended.
#[derive(Serialize, Deserialize)]
pub struct Ended {
    /// The number.
    pub ended: usize,
}

impl Outcome for Ended {}

/// Lists the sessions that are alive, newest first.
///
/// # Errors
/// `invalid-token`.
pub async fn list(call: &Call) -> Result<Vec<Session>, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("sessions", move |db| {
            let (account, _) = entrance::recognise(db, &asked)?;
            Ok(sessions::alive(db, account.id, asked.cx.now)?)
        })
        .await
}

/// Ends one session, which may be the caller's own.
///
/// # Errors
/// `not-found` when it is not alive, or not the caller's.
pub async fn end(call: &Call, id: SessionId) -> Result<(), Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("end-session", move |tx| {
            let (mut account, session) = entrance::enter(tx, &asked)?;
            let ended = sessions::find(tx, id)?.filter(|s| s.account == account.id && s.is_alive(asked.cx.now));
            let ended = ended.ok_or(Refusal::NotFound)?;
            sessions::end(tx, ended.id, asked.cx.now)?;
            let event = Event::of_owner(EventKind::SessionRevoked, Some(session.id))
                .with("reason", "ended-by-owner")
                .with("session", id.to_string())
                .with("sessions", 1);
            Ok(accounts::record(tx, &mut account, &asked.cx.origin, asked.cx.now, &event, |_| {})?)
        })
        .await
}

/// Ends every session but the caller's.
///
/// # Errors
/// `invalid-token`.
pub async fn end_others(call: &Call) -> Result<Ended, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("end-other-sessions", move |tx| {
            let (mut account, session) = entrance::enter(tx, &asked)?;
            let ended = sessions::end_others(tx, account.id, Some(session.id), asked.cx.now)?;
            if ended > 0 {
                let event = Event::of_owner(EventKind::SessionRevoked, Some(session.id))
                    .with("reason", "ended-by-owner")
                    .with("sessions", ended);
                accounts::record(tx, &mut account, &asked.cx.origin, asked.cx.now, &event, |_| {})?;
            }
            entrance::conclude(tx, &asked, Ok(Ended { ended }), entrance::repeatable)
        })
        .await
}
