//! The anchors of the audit: writing, reading and checking them.

use super::{
    Db, Tx,
    broken::Broken,
    connection::Prepare,
    cuts, ends, events,
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
use std::{collections::HashSet, sync::Arc};

/// Heads that one anchor holds; more of them take several.
const HEADS: usize = 1000;
/// Anchors that are read at once.
const A_FEW: i64 = 8;
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

/// At most `limit` anchors after the one with number `after`.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(db: &mut Db<'_>, after: i64, limit: i64) -> Result<Vec<Anchor>, Fault> {
    let rows: Vec<Row> =
        dsl::audit_anchor.filter(dsl::n.gt(after)).order(dsl::n).limit(limit).select(Row::as_select()).load(db.conn)?;
    rows.into_iter().map(Anchor::try_from).collect()
}

/// A walk over the chains that have grown since the last anchor, from the oldest growth on. Broken off
/// anywhere it loses nothing: whatever is older than the last anchor, but for late rows, is anchored.
#[derive(Clone)]
pub struct Walk {
    last: Option<Link>,
    /// The time and id of the row that it has come to.
    place: (i64, String),
    known: Arc<HashSet<Vec<u8>>>,
}

/// What the next anchor follows.
#[derive(Clone)]
struct Link {
    n: i64,
    hash: String,
}

/// What a walk has found, for one anchor.
pub struct Found {
    /// Ends of chains, maybe none.
    pub heads: Vec<Head>,
    /// The time of its last row; `None` when nothing newer is there.
    pub until: Option<Timestamp>,
}

impl Walk {
    /// Looks for where the last walk has come to.
    ///
    /// # Errors
    /// `unavailable`, `unreadable`.
    pub fn begin(db: &mut Db<'_>) -> Result<Self, Fault> {
        let newest = backwards(db, i64::MAX, 1)?.pop();
        let since = newest.as_ref().map_or(0, |anchor| anchor.at.as_millisecond() - LATE);
        let last = newest.map(|anchor| Link { n: anchor.n, hash: anchor.hash });
        let (mut known, mut before) = (HashSet::new(), i64::MAX);
        loop {
            let anchors = backwards(db, before, A_FEW)?;
            // Of two anchors the later one may reach less far, by as much as rows may be late.
            let is_over = anchors.last().is_none_or(|oldest| oldest.at.as_millisecond() < since - LATE);
            for anchor in anchors {
                before = anchor.n;
                for head in anchor.heads {
                    known.insert(bytes(&head)?);
                }
            }
            if is_over {
                return Ok(Self { last, place: (since, String::new()), known: Arc::new(known) });
            }
        }
    }

    /// Goes on by as many rows as an anchor holds.
    ///
    /// # Errors
    /// `unavailable`, `unreadable`.
    pub fn step(&mut self, db: &mut Db<'_>) -> Result<Found, Fault> {
        let next = alias!(audit as next);
        let follower = next
            .filter(next.field(audit::account_id).eq(audit::account_id))
            .filter(next.field(audit::stream).eq(audit::stream))
            .filter(next.field(audit::seq).eq(audit::seq + 1));
        let (at, id) = &self.place;
        let rows: Vec<(i64, String, String, String, i64, Vec<u8>)> = audit::table
            // The first condition is for the index.
            .filter(audit::at.ge(at))
            .filter(audit::at.gt(at).or(audit::id.gt(id)))
            .filter(not(exists(follower)))
            .order((audit::at, audit::id))
            .limit(HEADS as i64)
            .select((audit::at, audit::id, audit::account_id, audit::stream, audit::seq, audit::hash))
            .load(db.conn)?;
        let is_over = rows.len() < HEADS;
        let mut heads = Vec::new();
        for (at, id, account, stream, seq, hash) in rows {
            self.place = (at, id);
            if !self.known.contains(&hash) {
                heads.push(Head { account, stream, seq, hash: HEXLOWER.encode(&hash) });
            }
        }
        let until = if is_over { None } else { Some(moment(self.place.0)?) };
        Ok(Found { heads, until })
    }

    /// Writes an anchor of `heads`, up to `at`; `None` when somebody else was faster, who walks on.
    ///
    /// # Errors
    /// `unavailable`.
    pub fn append(&mut self, tx: &mut Tx<'_>, heads: Vec<Head>, at: Timestamp) -> Result<Option<Anchor>, Fault> {
        let newest: Option<i64> = dsl::audit_anchor.select(dsl::n).order(dsl::n.desc()).first(tx.conn).optional()?;
        let Link { n, hash: before } = self.last.clone().unwrap_or(Link { n: 0, hash: String::new() });
        if newest.unwrap_or(0) != n {
            return Ok(None);
        }
        let key_id = tx.keys.audit_key()?.to_owned();
        let mut anchor = Anchor { n: n + 1, at, before, heads, key_id, hash: String::new() };
        anchor.hash = hash(tx, &anchor)?;
        let row = Row {
            n: anchor.n,
            at: at.as_millisecond(),
            before: anchor.before.clone(),
            heads: text(&anchor.heads)?,
            key_id: anchor.key_id.clone(),
            hash: anchor.hash.clone(),
        };
        diesel::insert_into(audit_anchor::table).values(row).prepared().execute(tx.conn)?;
        self.last = Some(Link { n: anchor.n, hash: anchor.hash.clone() });
        Ok(Some(anchor))
    }
}

/// At most `limit` anchors before the one with number `n`, the newest first.
fn backwards(db: &mut Db<'_>, n: i64, limit: i64) -> Result<Vec<Anchor>, Fault> {
    let before = dsl::audit_anchor.filter(dsl::n.lt(n)).order(dsl::n.desc()).limit(limit);
    let rows: Vec<Row> = before.select(Row::as_select()).load(db.conn)?;
    rows.into_iter().map(Anchor::try_from).collect()
}

fn bytes(head: &Head) -> Result<Vec<u8>, Fault> {
    let decoded = HEXLOWER.decode(head.hash.as_bytes());
    decoded.map_err(|_| Fault::Unreadable(format!("the head of {} in an anchor", head.account)))
}

/// Checks that `anchor` is what was written, that it follows `previous` where one is given, that the database
/// has it, and that every row that it names is still what it was, was dropped before a cut, or went with its
/// account, which left a mark.
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
            // Both are made by whoever has the key, of rows that held.
            None => match gone(db, head)? {
                Ok(last) if head.seq == last.seq => HEXLOWER.encode(&last.hash) == head.hash,
                Ok(last) => head.seq < last.seq,
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

/// The last row that was dropped of a chain: with its account, or at its cut.
fn gone(db: &mut Db<'_>, head: &Head) -> Result<Result<events::Link, Broken>, Fault> {
    match ends::of_chain(db, &head.account, &head.stream)? {
        Ok(Some(last)) => Ok(Ok(last)),
        Ok(None) => cuts::begin(db, &head.account, &head.stream),
        Err(broken) => Ok(Err(broken)),
    }
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
