//! What is left of a deleted account: where its two chains ended.
//!
//! An anchor may have seen rows that went with their account. The mark accounts for them: it is sealed with the
//! audit key, so whoever can only write the database cannot delete an account by hand and mark it afterwards.
//! It holds a random id and hashes, and nothing about a person.

use super::{
    Db, Tx,
    broken::Broken,
    connection::{Fetch, Prepare},
    events::{self, Link},
    schema::{
        account,
        audit_end::{self, dsl},
    },
};
use crate::domain::{account::Account, event::Stream, id::AccountId, refusal::Fault};
use diesel::{prelude::*, result::OptionalExtension};
use jiff::Timestamp;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_end)]
struct Row {
    account_id: String,
    at: i64,
    state_seq: i64,
    state_hash: Vec<u8>,
    activity_seq: i64,
    activity_hash: Vec<u8>,
    key_id: String,
    seal: Vec<u8>,
}

/// Marks where the chains of an account end that is about to be deleted; whoever deletes it has found them whole.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn mark(tx: &mut Tx<'_>, account: &Account, now: Timestamp) -> Result<(), Fault> {
    let id = account.id.to_string();
    let mut row = Row {
        state_seq: account.version,
        state_hash: events::hash_of(tx, &id, Stream::State, account.version)?,
        activity_seq: account.activity,
        activity_hash: events::hash_of(tx, &id, Stream::Activity, account.activity)?,
        account_id: id,
        at: now.as_millisecond(),
        key_id: tx.keys.audit_key()?.to_owned(),
        seal: Vec::new(),
    };
    row.seal = seal(tx, &row)?;
    diesel::insert_into(audit_end::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// Whether an account with this id was deleted.
///
/// # Errors
/// `unavailable`.
pub fn is_marked(db: &mut Db<'_>, account: AccountId) -> Result<bool, Fault> {
    let marked = dsl::audit_end.filter(dsl::account_id.eq(account.to_string())).select(dsl::at);
    Ok(marked.fetch_one::<i64>(db.conn)?.is_some())
}

/// Where a chain ended whose account was deleted; `None` where it was not.
pub(super) fn of_chain(db: &mut Db<'_>, account: &str, stream: &str) -> Result<Result<Option<Link>, Broken>, Fault> {
    let row: Option<Row> =
        dsl::audit_end.filter(dsl::account_id.eq(account)).select(Row::as_select()).first(db.conn).optional()?;
    let Some(row) = row else { return Ok(Ok(None)) };
    if let Err(broken) = check(db, &row)? {
        return Ok(Err(broken));
    }
    Ok(Ok(Some(if stream == Stream::State.as_str() {
        Link { seq: row.state_seq, hash: row.state_hash }
    } else {
        Link { seq: row.activity_seq, hash: row.activity_hash }
    })))
}

/// Checks at most `limit` marks after that of the account `after`: that each was made by us, and that its account is
/// gone. Returns the last account; none when no mark was left.
///
/// # Errors
/// `unavailable`; the inner error names the first mark that does not hold.
pub fn verify(db: &mut Db<'_>, after: &str, limit: i64) -> Result<Result<Option<String>, Broken>, Fault> {
    let rows: Vec<(Row, Option<String>)> = dsl::audit_end
        .left_join(account::table.on(account::id.eq(dsl::account_id)))
        .filter(dsl::account_id.gt(after))
        .order(dsl::account_id)
        .limit(limit)
        .select((Row::as_select(), account::id.nullable()))
        .load(db.conn)?;
    let mut last = None;
    for (row, living) in rows {
        if let Err(broken) = check(db, &row)? {
            return Ok(Err(broken));
        }
        if living.is_some() {
            return Ok(Err(Broken::End { account: row.account_id, problem: "the account is there" }));
        }
        last = Some(row.account_id);
    }
    Ok(Ok(last))
}

fn check(db: &Db<'_>, row: &Row) -> Result<Result<(), Broken>, Fault> {
    let problem = match seal(db, row) {
        Ok(seal) if seal == row.seal => return Ok(Ok(())),
        Ok(_) => "was altered, or made by somebody else",
        Err(Fault::Unreadable(_)) => "names an audit key that the key file does not have",
        Err(fault) => return Err(fault),
    };
    Ok(Err(Broken::End { account: row.account_id.clone(), problem }))
}

fn seal(db: &Db<'_>, row: &Row) -> Result<Vec<u8>, Fault> {
    db.keys.chain(
        &row.key_id,
        &[
            b"end",
            row.account_id.as_bytes(),
            &row.at.to_be_bytes(),
            &row.state_seq.to_be_bytes(),
            &row.state_hash,
            &row.activity_seq.to_be_bytes(),
            &row.activity_hash,
            row.key_id.as_bytes(),
        ],
    )
}
