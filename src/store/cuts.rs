//! Dropping old events, and the cuts that it leaves in the audit.
//!
//! A cut says which row of a chain was the last that was dropped, and its hash: the check of what is left begins
//! there. It is sealed with the audit key, so whoever can only write the database makes none, moves none, and
//! has none for rows that were dropped by hand. Rows are checked before they are dropped, and a chain that
//! does not hold is left as it is: no forgery is laundered by waiting.
//!
//! The newest row of a chain always stays, for the next one hangs on it. So nobody who appends ever meets who
//! drops, and no account is locked.

use super::{
    Db, Tx,
    broken::Broken,
    events::{Link, links},
    schema::{
        audit,
        audit_cut::{self, dsl},
    },
};
use crate::domain::refusal::Fault;
use diesel::{
    prelude::*,
    result::OptionalExtension,
    sql_query,
    sql_types::{BigInt, Bool, Text},
};
use jiff::Timestamp;
use std::collections::HashSet;

/// Events that a step of a walk goes past.
pub const PAGE: usize = 200;
/// Events that are dropped in one transaction; each has a place in four indexes, too.
pub const BATCH: usize = 100;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = audit_cut, primary_key(account_id, stream))]
struct Row {
    account_id: String,
    stream: String,
    seq: i64,
    hash: Vec<u8>,
    key_id: String,
    seal: Vec<u8>,
}

/// How far a walk over the events by their age has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    at: i64,
    id: String,
}

/// Where a chain is to be cut.
#[derive(Clone, Debug)]
pub struct Cut {
    account: String,
    stream: String,
    /// The last row that was dropped before; zero when none was.
    from: i64,
    /// The last row that goes now.
    last: Link,
}

/// One step of a walk.
#[derive(Debug, Default)]
pub struct Step {
    /// What is to be dropped.
    pub cuts: Vec<Cut>,
    /// Chains that are not what was written; nothing of them is dropped.
    pub broken: Vec<Broken>,
    /// Where the walk goes on; none at its end.
    pub next: Option<Place>,
}

/// Goes on after `after` with a walk over the events from before `horizon`, oldest first, past at most
/// [`PAGE`] of them, and finds at most [`BATCH`] to be dropped.
///
/// # Errors
/// `unavailable`.
pub fn walk(db: &mut Db<'_>, after: Option<&Place>, horizon: Timestamp) -> Result<Step, Fault> {
    let horizon = horizon.as_millisecond();
    let rows = aged(db, after, horizon)?;
    let is_end = rows.len() < PAGE;
    let (mut step, mut seen, mut room) = (Step::default(), HashSet::new(), BATCH as i64);
    for Aged { at, id, account_id, stream, is_followed } in rows {
        step.next = Some(Place { at, id });
        if !is_followed || !seen.insert((account_id.clone(), stream.clone())) {
            continue;
        }
        match cut_of(db, account_id, stream, horizon, room)? {
            Ok(Some(cut)) => {
                room -= cut.last.seq - cut.from;
                step.cuts.push(cut);
            }
            Ok(None) => {}
            Err(broken) => step.broken.push(broken),
        }
        if room == 0 {
            return Ok(step);
        }
    }
    step.next = step.next.filter(|_| !is_end);
    Ok(step)
}

/// Drops what `walk` found, and returns how many rows went; what another replica has cut meanwhile is left to it.
///
/// # Errors
/// `unavailable`.
pub fn make(tx: &mut Tx<'_>, cuts: &[Cut]) -> Result<usize, Fault> {
    let mut dropped = 0;
    for cut in cuts {
        if !advance(tx, cut)? {
            continue;
        }
        let rows = audit::table
            .filter(audit::account_id.eq(&cut.account))
            .filter(audit::stream.eq(&cut.stream))
            .filter(audit::seq.le(cut.last.seq));
        dropped += diesel::delete(rows).execute(tx.conn)?;
    }
    Ok(dropped)
}

/// What the first row of a chain hangs on: its cut, where it has one.
pub(super) fn begin(db: &mut Db<'_>, account: &str, stream: &str) -> Result<Result<Link, Broken>, Fault> {
    let (account, stream) = (account.to_owned(), stream.to_owned());
    let cut = dsl::audit_cut.filter(dsl::account_id.eq(&account)).filter(dsl::stream.eq(&stream));
    let cut: Option<Row> = cut.select(Row::as_select()).first(db.conn).optional()?;
    let Some(cut) = cut else { return Ok(Ok(Link::default())) };
    let seq = cut.seq;
    let problem = match seal(db, &cut) {
        Ok(seal) if seal == cut.seal => None,
        Ok(_) => Some("was altered, or made by somebody else"),
        Err(Fault::Unreadable(_)) => Some("names an audit key that the key file does not have"),
        Err(fault) => return Err(fault),
    };
    if let Some(problem) = problem {
        return Ok(Err(Broken::Cut { account, stream, seq, problem }));
    }
    let rows = audit::table.filter(audit::account_id.eq(&account)).filter(audit::stream.eq(&stream));
    let left: Option<i64> = rows.filter(audit::seq.le(seq)).select(audit::seq).first(db.conn).optional()?;
    Ok(match left {
        None => Ok(Link { seq, hash: cut.hash }),
        Some(seq) => Err(Broken::Row { account, stream, seq, problem: "lies before the cut, where all were dropped" }),
    })
}

#[derive(QueryableByName)]
struct Aged {
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    account_id: String,
    #[diesel(sql_type = Text)]
    stream: String,
    /// By another event of its chain.
    #[diesel(sql_type = Bool)]
    is_followed: bool,
}

/// The oldest events. What follows them is looked up for a page alone, however many are old.
fn aged(db: &mut Db<'_>, after: Option<&Place>, horizon: i64) -> Result<Vec<Aged>, Fault> {
    let statement = format!(
        "SELECT at, id, account_id, stream, EXISTS (SELECT 1 FROM audit AS next WHERE next.account_id = page.account_id \
         AND next.stream = page.stream AND next.seq = page.seq + 1) AS is_followed \
         FROM (SELECT at, id, account_id, stream, seq FROM audit WHERE at >= $1 AND at < $2 AND (at > $1 OR id > $3) \
         ORDER BY at, id LIMIT {PAGE}) AS page ORDER BY at, id"
    );
    let (at, id) = after.map_or((i64::MIN, ""), |place| (place.at, place.id.as_str()));
    let query = sql_query(statement).bind::<BigInt, _>(at).bind::<BigInt, _>(horizon).bind::<Text, _>(id);
    Ok(query.load(db.conn)?)
}

/// Where a chain is to be cut so that at most `room` rows go; nowhere when none is old enough.
fn cut_of(
    db: &mut Db<'_>,
    account: String,
    stream: String,
    horizon: i64,
    room: i64,
) -> Result<Result<Option<Cut>, Broken>, Fault> {
    let begin = match begin(db, &account, &stream)? {
        Ok(begin) => begin,
        Err(broken) => return Ok(Err(broken)),
    };
    let end = begin.seq + room + 1;
    let young: Option<i64> = audit::table
        .filter(audit::account_id.eq(&account))
        .filter(audit::stream.eq(&stream))
        .filter(audit::seq.gt(begin.seq))
        .filter(audit::seq.le(end))
        .filter(audit::at.ge(horizon))
        .order(audit::seq)
        .select(audit::seq)
        .first(db.conn)
        .optional()?;
    // One more than may go: the row that is to be the first must hang on the last that goes.
    let limit = young.unwrap_or(end) - begin.seq;
    let rows = links(db, &account, &stream, &begin, limit)?;
    Ok(rows.map(|mut rows| {
        rows.pop();
        rows.pop().map(|last| Cut { account, stream, from: begin.seq, last })
    }))
}

/// Moves the cut of a chain, by compare and set; `false` when it is not where it was any more.
fn advance(tx: &mut Tx<'_>, cut: &Cut) -> Result<bool, Fault> {
    let Cut { account, stream, from, last } = cut;
    let mut row = Row {
        account_id: account.clone(),
        stream: stream.clone(),
        seq: last.seq,
        hash: last.hash.clone(),
        key_id: tx.keys.audit_key()?.to_owned(),
        seal: Vec::new(),
    };
    row.seal = seal(tx, &row)?;
    let of_chain = dsl::audit_cut.filter(dsl::account_id.eq(account)).filter(dsl::stream.eq(stream));
    if *from > 0 {
        return Ok(diesel::update(of_chain.filter(dsl::seq.eq(from))).set(row).execute(tx.conn)? == 1);
    }
    let is_cut: Option<i64> = of_chain.select(dsl::seq).first(tx.conn).optional()?;
    if is_cut.is_none() {
        diesel::insert_into(audit_cut::table).values(row).execute(tx.conn)?;
    }
    Ok(is_cut.is_none())
}

fn seal(db: &Db<'_>, cut: &Row) -> Result<Vec<u8>, Fault> {
    db.keys.chain(
        &cut.key_id,
        &[
            b"cut",
            cut.account_id.as_bytes(),
            cut.stream.as_bytes(),
            &cut.seq.to_be_bytes(),
            &cut.hash,
            cut.key_id.as_bytes(),
        ],
    )
}
