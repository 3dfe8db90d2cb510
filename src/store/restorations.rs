//! That this database was restored from a copy. Anchors that were exported after the copy was made are not in it;
//! what says so is sealed with the audit key, so that nobody who can only write the database excuses what they cut off.

use super::{
    Db, Tx,
    broken::Broken,
    connection::Prepare,
    row::moment,
    schema::{
        audit_anchor,
        restoration::{self, dsl},
    },
};
use crate::domain::{anchor::Anchor, refusal::Fault};
use diesel::{prelude::*, result::OptionalExtension};
use jiff::Timestamp;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = restoration)]
struct Row {
    n: i64,
    at: i64,
    anchor: i64,
    anchor_hash: String,
    key_id: String,
    seal: Vec<u8>,
}

/// A restoration whose seal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restoration {
    /// When.
    pub at: Timestamp,
    /// The number of the last anchor that the copy had; 0 when it had none.
    pub anchor: i64,
}

impl Restoration {
    /// Whether an anchor is one that the copy could not have: it was written after the copy was made, and before
    /// the copy took the database's place.
    pub fn lost(&self, anchor: &Anchor) -> bool {
        anchor.n > self.anchor && anchor.at <= self.at
    }
}

/// Writes down that the database is a copy that was restored at `now`.
///
/// # Errors
/// `unavailable`.
pub fn record(tx: &mut Tx<'_>, now: Timestamp) -> Result<Restoration, Fault> {
    let newest: Option<(i64, String)> = audit_anchor::table
        .select((audit_anchor::n, audit_anchor::hash))
        .order(audit_anchor::n.desc())
        .first(tx.conn)
        .optional()?;
    let before: Option<i64> = dsl::restoration.select(dsl::n).order(dsl::n.desc()).first(tx.conn).optional()?;
    let (anchor, anchor_hash) = newest.unwrap_or_default();
    let key_id = tx.keys.audit_key()?.to_owned();
    let at = now.as_millisecond();
    let mut row = Row { n: before.unwrap_or(0) + 1, at, anchor, anchor_hash, key_id, seal: Vec::new() };
    row.seal = seal(tx, &row)?;
    diesel::insert_into(restoration::table).values(row).prepared().execute(tx.conn)?;
    Ok(Restoration { at: now, anchor })
}

/// All restorations, each with a seal that holds and an anchor that is there.
///
/// # Errors
/// `unavailable`; the inner error names one that is not what was written.
pub fn all(db: &mut Db<'_>) -> Result<Result<Vec<Restoration>, Broken>, Fault> {
    let rows: Vec<Row> = dsl::restoration.order(dsl::n).select(Row::as_select()).load(db.conn)?;
    let mut restorations = Vec::new();
    for row in rows {
        let broken = |problem| Ok(Err(Broken::Restoration { n: row.n, problem }));
        match seal(db, &row) {
            Ok(seal) if seal == row.seal => {}
            Ok(_) => return broken("was altered, or made by somebody else"),
            Err(Fault::Unreadable(_)) => return broken("names an audit key that the key file does not have"),
            Err(fault) => return Err(fault),
        }
        let anchor = audit_anchor::table.filter(audit_anchor::n.eq(row.anchor)).select(audit_anchor::hash);
        let hash: Option<String> = anchor.first(db.conn).optional()?;
        if row.anchor > 0 && hash.as_ref() != Some(&row.anchor_hash) {
            return broken("saw an anchor that is missing, or another one now");
        }
        restorations.push(Restoration { at: moment(row.at)?, anchor: row.anchor });
    }
    Ok(Ok(restorations))
}

fn seal(db: &Db<'_>, row: &Row) -> Result<Vec<u8>, Fault> {
    db.keys.chain(
        &row.key_id,
        &[
            b"restoration",
            &row.n.to_be_bytes(),
            &row.at.to_be_bytes(),
            &row.anchor.to_be_bytes(),
            row.anchor_hash.as_bytes(),
            row.key_id.as_bytes(),
        ],
    )
}
