//! The owner's security log.

use crate::{
    actions::{Call, entrance},
    domain::{
        event::Recorded,
        id::AccountId,
        refusal::{Fault, Stop},
    },
    store::{Db, events},
};

/// A page of events, newest first.
pub struct Page {
    /// The events.
    pub events: Vec<Recorded>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<i64>,
}

/// Reads at most `limit` events, those before `cursor` where one is given.
///
/// # Errors
/// `invalid-token`.
pub async fn events(call: &Call, cursor: Option<i64>, limit: u8) -> Result<Page, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("events", move |db| {
            let (account, _) = entrance::recognise(db, &asked)?;
            Ok(page(db, account.id, cursor, limit)?)
        })
        .await
}

/// A page of an account's events within a transaction.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(db: &mut Db<'_>, account: AccountId, cursor: Option<i64>, limit: u8) -> Result<Page, Fault> {
    // One more than asked for tells whether there is another page.
    let mut events = events::of_account(db, account, cursor, i64::from(limit) + 1)?;
    let is_more = events.len() > usize::from(limit);
    events.truncate(usize::from(limit));
    let next_cursor = events.last().map(|event| event.ordinal).filter(|_| is_more);
    Ok(Page { events, next_cursor })
}
