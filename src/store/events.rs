//! The audit chains, and the reading of them.
//!
//! Each row's hash covers its fields and the hash before it, under a key that the database does not
//! hold: whoever edits, swaps or drops rows in between is found by [`verify`]. A chain begins with its first
//! row, or at its cut.

use super::{
    Db, Tx,
    arrivals::Arrival,
    broken::Broken,
    connection::{AnyConnection, Fetch, Prepare, insert_all},
    cuts,
    row::{moment, parsed, parsed_or_none},
    schema::{
        account,
        audit::{self, dsl},
    },
};
use crate::domain::{
    account::Account,
    event::{Event, Origin, Recorded, Stream},
    id::{AccountId, EventId, SessionId},
    refusal::Fault,
};
use diesel::prelude::*;
use jiff::Timestamp;
use serde_json::Value;

/// Rows of one chain that are checked at once.
const PAGE: i64 = 500;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit)]
struct Row {
    account_id: String,
    stream: String,
    seq: i64,
    ordinal: i64,
    id: String,
    kind: String,
    at: i64,
    actor_kind: String,
    actor_id: Option<String>,
    session_id: Option<String>,
    ip: String,
    user_agent: String,
    request_id: String,
    details: String,
    key_id: String,
    hash: Vec<u8>,
}

/// A row of a chain, as far as the next one hangs on it; by default what the first row hangs on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    /// The row's number.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
}

/// What one page of [`verify`] covered.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows that were read.
    pub rows: u64,
    /// The last account; none when there was no account left.
    pub last: Option<AccountId>,
}

/// Appends an event to its chain, whose number the account has just counted up, and returns its id.
pub(super) fn append(
    tx: &mut Tx<'_>,
    account: &Account,
    origin: &Origin,
    now: Timestamp,
    event: &Event,
) -> Result<EventId, Fault> {
    let stream = event.kind.stream();
    let seq = match stream {
        Stream::State => account.version,
        Stream::Activity => account.activity,
    };
    let owner = account.id.to_string();
    let before = hash_of(tx, &owner, stream, seq - 1)?;
    let place = (seq, account.version + account.activity);
    let row = row(tx, &owner, place, &before, origin, now, event)?;
    let id = parsed(&row.id)?;
    diesel::insert_into(audit::table).values(row).prepared().execute(tx.conn)?;
    Ok(id)
}

/// Appends the first event of accounts that come from elsewhere.
pub(super) fn append_arrivals(
    tx: &mut Tx<'_>,
    arrivals: &[Arrival],
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(arrivals.len());
    for Arrival { id, event, .. } in arrivals {
        rows.push(row(tx, &id.to_string(), (1, 1), &[], origin, now, event)?);
    }
    insert_all!(tx, audit::table, &rows);
    Ok(())
}

/// A row at its place: its number in its chain, and among all events of the account.
fn row(
    tx: &Tx<'_>,
    owner: &str,
    (seq, ordinal): (i64, i64),
    before: &[u8],
    origin: &Origin,
    now: Timestamp,
    event: &Event,
) -> Result<Row, Fault> {
    let id: EventId = tx.random.id(now)?;
    let mut row = Row {
        account_id: owner.to_owned(),
        stream: event.kind.stream().as_str().to_owned(),
        seq,
        ordinal,
        id: id.to_string(),
        kind: event.kind.name()?,
        at: now.as_millisecond(),
        actor_kind: event.actor.kind().to_owned(),
        actor_id: event.actor.id(),
        session_id: event.session.map(|session| session.to_string()),
        ip: origin.ip.to_string(),
        user_agent: origin.user_agent.clone(),
        request_id: origin.request_id.clone(),
        details: Value::Object(event.details.clone()).to_string(),
        key_id: tx.keys.audit_key()?.to_owned(),
        hash: Vec::new(),
    };
    row.hash = chain(tx, &row, before)?;
    Ok(row)
}

/// At most `limit` events of an account, newest first, those before `cursor` where one is given.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn of_account(
    db: &mut Db<'_>,
    account: AccountId,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Recorded>, Fault> {
    let rows: Vec<Row> = dsl::audit
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::ordinal.lt(cursor.unwrap_or(i64::MAX)))
        .order(dsl::ordinal.desc())
        .limit(limit)
        .select(Row::as_select())
        .load(db.conn)?;
    rows.into_iter().map(Recorded::try_from).collect()
}

/// When the newest event of all was; `None` where there is none.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn newest(db: &mut Db<'_>) -> Result<Option<Timestamp>, Fault> {
    let at: Option<i64> = dsl::audit.select(dsl::at).order(dsl::at.desc()).limit(1).fetch_one(db.conn)?;
    at.map(moment).transpose()
}

/// Checks both chains of `only`, or of at most `limit` accounts after the account `after`.
///
/// # Errors
/// `unavailable`, `unreadable`; the inner error names the first bad row.
pub fn verify(
    db: &mut Db<'_>,
    only: Option<AccountId>,
    after: Option<AccountId>,
    limit: i64,
) -> Result<Result<Verified, Broken>, Fault> {
    let mut accounts = account::table
        .select((account::id, account::version, account::activity))
        .order(account::id)
        .limit(limit)
        .into_boxed();
    if let Some(id) = only {
        accounts = accounts.filter(account::id.eq(id.to_string()));
    }
    if let Some(id) = after {
        accounts = accounts.filter(account::id.gt(id.to_string()));
    }
    let accounts: Vec<(String, i64, i64)> = accounts.load(db.conn)?;
    let last = accounts.last().map(|(id, ..)| parsed(id)).transpose()?;
    let mut rows = 0;
    for (id, version, activity) in accounts {
        for (stream, length) in [(Stream::State, version), (Stream::Activity, activity)] {
            match verify_chain(db, &id, stream, length)? {
                Ok(read) => rows += read,
                Err(broken) => return Ok(Err(broken)),
            }
        }
    }
    Ok(Ok(Verified { rows, last }))
}

fn verify_chain(db: &mut Db<'_>, account: &str, stream: Stream, length: i64) -> Result<Result<u64, Broken>, Fault> {
    let begin = match cuts::begin(db, account, stream.as_str())? {
        Ok(begin) => begin,
        Err(broken) => return Ok(Err(broken)),
    };
    let mut last = begin.clone();
    loop {
        let rows = match links(db, account, stream.as_str(), &last, PAGE)? {
            Ok(rows) => rows,
            Err(broken) => return Ok(Err(broken)),
        };
        let is_end = (rows.len() as i64) < PAGE;
        last = rows.into_iter().last().unwrap_or(last);
        if is_end {
            break;
        }
    }
    let broken = |seq, problem| {
        Ok(Err(Broken::Row { account: account.to_owned(), stream: stream.as_str().to_owned(), seq, problem }))
    };
    match last.seq.cmp(&length) {
        // The newest row is never dropped, so something follows every cut.
        _ if last.seq == begin.seq && begin.seq > 0 => broken(begin.seq + 1, "is missing at the end"),
        std::cmp::Ordering::Less => broken(last.seq + 1, "is missing at the end"),
        std::cmp::Ordering::Greater => broken(length + 1, "is more than the account counts"),
        std::cmp::Ordering::Equal => Ok(Ok(u64::try_from(last.seq - begin.seq).unwrap_or(0))),
    }
}

/// At most `limit` rows of a chain after `last`, each checked against the one before.
pub(super) fn links(
    db: &mut Db<'_>,
    account: &str,
    stream: &str,
    last: &Link,
    limit: i64,
) -> Result<Result<Vec<Link>, Broken>, Fault> {
    let rows: Vec<Row> = dsl::audit
        .filter(dsl::account_id.eq(account))
        .filter(dsl::stream.eq(stream))
        .filter(dsl::seq.gt(last.seq))
        .order(dsl::seq)
        .limit(limit)
        .select(Row::as_select())
        .load(db.conn)?;
    let (mut last, mut links) = (last.clone(), Vec::with_capacity(rows.len()));
    for row in rows {
        let seq = last.seq + 1;
        let broken =
            |problem| Ok(Err(Broken::Row { account: account.to_owned(), stream: stream.to_owned(), seq, problem }));
        if row.seq != seq {
            return broken("is missing");
        }
        match chain(db, &row, &last.hash) {
            Ok(chained) if chained == row.hash => {}
            Ok(_) => return broken("was altered, or follows an altered row"),
            // Whoever altered it may have named a key that there never was.
            Err(Fault::Unreadable(_)) => return broken("names an audit key that the key file does not have"),
            Err(fault) => return Err(fault),
        }
        last = Link { seq, hash: row.hash };
        links.push(last.clone());
    }
    Ok(Ok(links))
}

/// The hash of one row of a chain; empty before the first.
pub(super) fn hash_of(db: &mut Db<'_>, account: &str, stream: Stream, seq: i64) -> Result<Vec<u8>, Fault> {
    if seq == 0 {
        return Ok(Vec::new());
    }
    let row: Option<Vec<u8>> = dsl::audit
        .filter(dsl::account_id.eq(account.to_owned()))
        .filter(dsl::stream.eq(stream.as_str()))
        .filter(dsl::seq.eq(seq))
        .select(dsl::hash)
        .fetch_one(db.conn)?;
    row.ok_or_else(|| Fault::Unreadable(format!("audit row {seq} of {} of account {account}", stream.as_str())))
}

fn chain(db: &Db<'_>, row: &Row, before: &[u8]) -> Result<Vec<u8>, Fault> {
    // A missing value and an empty one must not look alike.
    let optional = |value: &Option<String>| value.as_ref().map_or_else(|| "0".to_owned(), |value| format!("1{value}"));
    db.keys.chain(
        &row.key_id,
        &[
            before,
            row.account_id.as_bytes(),
            row.stream.as_bytes(),
            &row.seq.to_be_bytes(),
            &row.ordinal.to_be_bytes(),
            row.id.as_bytes(),
            row.kind.as_bytes(),
            &row.at.to_be_bytes(),
            row.actor_kind.as_bytes(),
            optional(&row.actor_id).as_bytes(),
            optional(&row.session_id).as_bytes(),
            row.ip.as_bytes(),
            row.user_agent.as_bytes(),
            row.request_id.as_bytes(),
            row.details.as_bytes(),
            row.key_id.as_bytes(),
        ],
    )
}

impl TryFrom<Row> for Recorded {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        let unreadable = || Fault::Unreadable(format!("audit row {}", row.id));
        Ok(Self {
            id: parsed(&row.id)?,
            ordinal: row.ordinal,
            kind: parsed(&row.kind)?,
            at: moment(row.at)?,
            session: parsed_or_none::<SessionId>(row.session_id.as_deref())?,
            details: serde_json::from_str(&row.details).map_err(|_| unreadable())?,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            ip: row.ip,
            user_agent: row.user_agent,
            request_id: row.request_id,
        })
    }
}
