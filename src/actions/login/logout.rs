//! Ending one's own session.

use crate::{
    actions::{Call, entrance},
    domain::{
        event::{Event, EventKind},
        refusal::Stop,
    },
    store::{accounts, sessions},
};

/// Signs out.
///
/// # Errors
/// `invalid-token`.
pub async fn logout(call: &Call) -> Result<(), Stop> {
    let asked = call.for_setup();
    call.cx
        .store
        .write("logout", move |tx| {
            let (mut account, session) = entrance::enter(tx, &asked)?;
            sessions::end(tx, session.id, asked.cx.now)?;
            let event = Event::of_owner(EventKind::SessionRevoked, Some(session.id))
                .with("reason", "signed-out")
                .with("sessions", 1);
            Ok(accounts::record(tx, &mut account, &asked.cx.origin, asked.cx.now, &event, |_| {})?)
        })
        .await
}
