//! Reminders that two-factor authentication is off: whose turn it is, and ending them.

use super::{Db, Tx, connection::Prepare, row::parsed, schema::account::dsl};
use crate::{
    crypto::links::Link,
    domain::{id::AccountId, refusal::Fault},
};
use diesel::prelude::*;
use jiff::Timestamp;

/// At most `limit` accounts whose owners are to be reminded at `now`, those first who have waited longest.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn due(db: &mut Db<'_>, now: Timestamp, limit: i64) -> Result<Vec<AccountId>, Fault> {
    let ids: Vec<String> = dsl::account
        .filter(dsl::reminder_at.le(now.as_millisecond()))
        .filter(dsl::enabled_at.is_null())
        .filter(dsl::suspended_at.is_null())
        .order(dsl::reminder_at)
        .limit(limit)
        .select(dsl::id)
        .load(db.conn)?;
    ids.iter().map(|id| parsed(id)).collect()
}

/// Ends all reminders of the disable that a link is about; `false` when the account has moved on from it, or is gone.
///
/// # Errors
/// `unavailable`.
pub fn stop(tx: &mut Tx<'_>, link: &Link) -> Result<bool, Fault> {
    let of_disable = dsl::account
        .filter(dsl::id.eq(link.account().to_string()))
        .filter(dsl::disabled_at.eq(link.disabled_at().as_millisecond()));
    let rows = diesel::update(of_disable).set(dsl::reminder_at.eq(None::<i64>)).prepared().execute(tx.conn)?;
    Ok(rows == 1)
}
