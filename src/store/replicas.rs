//! The processes that serve this database, as they report themselves.

use super::{
    Db, Tx,
    connection::Prepare,
    row::{moment, parsed},
    schema::replica::{self, dsl},
};
use crate::domain::{
    refusal::Fault,
    replica::{Replica, SILENT_AFTER},
};
use diesel::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

/// Rows of processes that died without a word are dropped after a day.
const DAY_MS: i64 = 24 * 3_600_000;

/// Says that a process serves, and with which keys.
///
/// # Errors
/// `unavailable`.
pub fn report(tx: &mut Tx<'_>, replica: &Replica) -> Result<(), Fault> {
    let at = replica.seen_at.as_millisecond();
    let keys = serde_json::to_string(&replica.keys).map_err(|error| Fault::Unreadable(error.to_string()))?;
    let own = dsl::replica.filter(dsl::id.eq(replica.id.to_string()));
    let known = diesel::update(own).set((dsl::keys.eq(&keys), dsl::seen_at.eq(at))).prepared().execute(tx.conn)?;
    if known == 0 {
        diesel::delete(dsl::replica.filter(dsl::seen_at.lt(at - DAY_MS))).prepared().execute(tx.conn)?;
        let row =
            (dsl::id.eq(replica.id.to_string()), dsl::name.eq(&replica.name), dsl::keys.eq(keys), dsl::seen_at.eq(at));
        diesel::insert_into(replica::table).values(row).prepared().execute(tx.conn)?;
    }
    Ok(())
}

/// Says that a process serves no more.
///
/// # Errors
/// `unavailable`.
pub fn leave(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Fault> {
    diesel::delete(dsl::replica.filter(dsl::id.eq(id.to_string()))).prepared().execute(tx.conn)?;
    Ok(())
}

/// Those that have reported lately, by name.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn living(db: &mut Db<'_>, now: Timestamp) -> Result<Vec<Replica>, Fault> {
    let rows: Vec<(String, String, String, i64)> = dsl::replica
        .filter(dsl::seen_at.gt(now.as_millisecond() - SILENT_AFTER * 1000))
        .order((dsl::name, dsl::id))
        .load(db.conn)?;
    let replica = |(id, name, keys, seen_at): (String, String, String, i64)| {
        let keys = serde_json::from_str(&keys).map_err(|_| Fault::Unreadable(format!("keys of replica {name}")))?;
        Ok(Replica { id: parsed(&id)?, name, keys, seen_at: moment(seen_at)? })
    };
    rows.into_iter().map(replica).collect()
}

/// Forgets all of them: they belong to the database that this one was copied from.
///
/// # Errors
/// `unavailable`.
pub fn forget(tx: &mut Tx<'_>) -> Result<(), Fault> {
    diesel::delete(dsl::replica).prepared().execute(tx.conn)?;
    Ok(())
}
