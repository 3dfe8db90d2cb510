//! Telling the contact of a client that we have disabled a webhook of theirs.

use super::Rooms;
use crate::{
    domain::{refusal::Stop, webhook::Notice},
    store::{Tx, webhook_notices},
};

/// Takes one in hand that is due; `None` where there is none.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn claim(rooms: &Rooms) -> Result<Option<Notice>, Stop> {
    let now = rooms.clock.now()?;
    if !rooms.store.read("notices", move |db| Ok(webhook_notices::is_due(db, now)?)).await? {
        return Ok(None);
    }
    rooms.store.write("claim-notice", move |tx| Ok(webhook_notices::claim(tx, now)?)).await
}

/// Writes down what has become of one: whether it is done with, or to be sent again.
///
/// # Errors
/// `unavailable`; then it is sent again once its lease has ended.
pub async fn settle(rooms: &Rooms, notice: Notice, is_done: bool) -> Result<(), Stop> {
    let now = rooms.clock.now()?;
    let settle = move |tx: &mut Tx<'_>| Ok(webhook_notices::settle(tx, &notice, is_done, now)?);
    rooms.store.write("settle-notice", settle).await
}
