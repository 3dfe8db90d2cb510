//! The anchors of the audit: writing, reading and checking them.

use super::{
    Db, Tx,
    connection::Prepare,
    cuts,
    events::Broken,
    row::moment,
    schema::{
        audit,
        audit_anchor::{self, dsl},
    },
};
use crate::domain::{
    anchor::{Anchor, Head},
    refusal::Fault,
};
use data_encoding::HEXLOWER;
use diesel::{alias, dsl::exists, dsl::not, prelude::*, result::OptionalExtension};
use jiff::Timestamp;
use std::collections::HashSet;

/// Heads that one anchor holds; more of them take several.
const HEADS: usize = 1000;
/// Milliseconds that a row may become visible after the moment it bears: a slow password, a slow commit,
/// and the clock of another replica.
const LATE: i64 = 60_000;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_anchor)]
struct Row {
    n: i64,
    at: i64,
    before: String,
    heads: String,
    key_id: String,
    hash: String,
}

/// The last anchor.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn last(db: &mut Db<'_>) -> Result<Option<Anchor>, Fault> {
    let row = dsl::audit_anchor.order(dsl::n.desc()).select(Row::as_select()).first(db.conn).optional()?;
    row.map(Anchor::try_from).transpose()
}

/// At most `limit` anchors after the one with number `after`.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(db: &mut Db<'_>, after: i64, limit: i64) -> Result<Vec<Anchor>, Fault> {
    let rows: Vec<Row> =
        dsl::audit_anchor.filter(dsl::n.gt(after)).order(dsl::n).limit(limit).select(Row::as_select()).load(db.conn)?;
    rows.into_iter().map(Anchor::try_from).collect()
}

/// The ends of the chains that have grown since `last`.
///
/// # Errors
/// `unavailable`.
pub fn grown_since(db: &mut Db<'_>, last: Option<&Anchor>) -> Result<Vec<Head>, Fault> {
    let next = alias!(audit as next);
    let follower = next
        .filter(next.field(audit::account_id).eq(audit::account_id))
        .filter(next.field(audit::stream).eq(audit::stream))
        .filter(next.field(audit::seq).eq(audit::seq + 1));
    let since = last.map_or(0, |anchor| anchor.at.as_millisecond() - LATE);
    let rows: Vec<(String, String, i64, Vec<u8>)> = audit::table
        .filter(audit::at.ge(since))
        .filter(not(exists(follower)))
        .order((audit::account_id, audit::stream))
        .select((audit::account_id, audit::stream, audit::seq, audit::hash))
        .load(db.conn)?;
    let heads = rows.into_iter().map(|(account, stream, seq, hash)| {
        let hash = HEXLOWER.encode(&hash);
        Head { account, stream, seq, hash }
    });
    let recent: Vec<Row> =
        dsl::audit_anchor.filter(dsl::at.ge(since)).order(dsl::n).select(Row::as_select()).load(db.conn)?;
    let mut known = HashSet::new();
    for row in recent {
        known.extend(Anchor::try_from(row)?.heads.into_iter().map(|head| head.hash));
    }
    Ok(heads.filter(|head| !known.contains(&head.hash)).collect())
}

/// Writes `heads` after `last`; nothing, when somebody else was faster.
///
/// # Errors
/// `unavailable`.
pub fn append(tx: &mut Tx<'_>, last: Option<&Anchor>, heads: &[Head], now: Timestamp) -> Result<Vec<Anchor>, Fault> {
    let newest: Option<i64> = dsl::audit_anchor.select(dsl::n).order(dsl::n.desc()).first(tx.conn).optional()?;
    let (mut n, mut before) = last.map_or((0, String::new()), |anchor| (anchor.n, anchor.hash.clone()));
    if newest.unwrap_or(0) != n {
        return Ok(Vec::new());
    }
    let mut written = Vec::new();
    for heads in heads.chunks(HEADS) {
        n += 1;
        let key_id = tx.keys.audit_key()?.to_owned();
        let mut anchor = Anchor { n, at: now, before, heads: heads.to_vec(), key_id, hash: String::new() };
        anchor.hash = hash(tx, &anchor)?;
        before = anchor.hash.clone();
        let row = Row {
            n,
            at: now.as_millisecond(),
            before: anchor.before.clone(),
            heads: text(&anchor.heads)?,
            key_id: anchor.key_id.clone(),
            hash: anchor.hash.clone(),
        };
        diesel::insert_into(audit_anchor::table).values(row).prepared().execute(tx.conn)?;
        written.push(anchor);
    }
    Ok(written)
}

/// Checks that `anchor` is what was written, that it follows `previous` where one is given, that the database
/// has it, and that every row that it names is still what it was, or was dropped before a cut.
///
/// # Errors
/// `unavailable`, `unreadable`; the inner error names what is wrong.
pub fn check(db: &mut Db<'_>, previous: Option<&Anchor>, anchor: &Anchor) -> Result<Result<(), Broken>, Fault> {
    let broken = |problem| Ok(Err(Broken::Anchor { n: anchor.n, problem }));
    if hash(db, anchor)? != anchor.hash {
        return broken("was altered");
    }
    if previous.is_some_and(|previous| (previous.n + 1, &previous.hash) != (anchor.n, &anchor.before)) {
        return broken("does not follow the one before; some are missing");
    }
    let stored: Option<String> =
        dsl::audit_anchor.filter(dsl::n.eq(anchor.n)).select(dsl::hash).first(db.conn).optional()?;
    if stored.as_ref() != Some(&anchor.hash) {
        return broken("is missing in the database, or is another one there");
    }
    for head in &anchor.heads {
        let row: Option<Vec<u8>> = audit::table
            .filter(audit::account_id.eq(&head.account))
            .filter(audit::stream.eq(&head.stream))
            .filter(audit::seq.eq(head.seq))
            .select(audit::hash)
            .first(db.conn)
            .optional()?;
        let is_there = match row {
            Some(hash) => HEXLOWER.encode(&hash) == head.hash,
            None => match cuts::begin(db, &head.account, &head.stream)? {
                // The cut was made by whoever has the key, of rows that held.
                Ok(cut) if head.seq == cut.seq => HEXLOWER.encode(&cut.hash) == head.hash,
                Ok(cut) => head.seq < cut.seq,
                Err(broken) => return Ok(Err(broken)),
            },
        };
        if !is_there {
            return Ok(Err(Broken::Row {
                account: head.account.clone(),
                stream: head.stream.clone(),
                seq: head.seq,
                problem: "was there when it was anchored, and is missing or another one now",
            }));
        }
    }
    Ok(Ok(()))
}

fn hash(db: &Db<'_>, anchor: &Anchor) -> Result<String, Fault> {
    let chained = db.keys.chain(
        &anchor.key_id,
        &[
            b"anchor",
            &anchor.n.to_be_bytes(),
            &anchor.at.as_millisecond().to_be_bytes(),
            anchor.before.as_bytes(),
            text(&anchor.heads)?.as_bytes(),
            anchor.key_id.as_bytes(),
        ],
    )?;
    Ok(HEXLOWER.encode(&chained))
}

fn text(heads: &[Head]) -> Result<String, Fault> {
    serde_json::to_string(heads).map_err(|error| Fault::Unreadable(error.to_string()))
}

impl TryFrom<Row> for Anchor {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        let heads = serde_json::from_str(&row.heads)
            .map_err(|_| Fault::Unreadable(format!("the heads of anchor {}", row.n)))?;
        Ok(Self { n: row.n, at: moment(row.at)?, before: row.before, heads, key_id: row.key_id, hash: row.hash })
    }
}
