//! Deliveries as the partner who receives them looks at them, asks for them again, or has them given up.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{moment, moment_or_none, parsed},
    schema::{
        announcement,
        delivery::{self, dsl},
    },
};
use crate::domain::{
    delivery::{LEASE_SECONDS, State, Target},
    event::EventKind,
    id::EventId,
    refusal::Fault,
};
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

/// Deliveries that are given up in one transaction.
const BATCH: i64 = 500;

/// One delivery.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number, which is the announcement's.
    pub n: i64,
    /// The event that it tells of.
    pub event: EventId,
    /// What happened.
    pub kind: EventKind,
    /// What has become of it.
    pub state: State,
    /// Attempts so far.
    pub attempts: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the next attempt is due, while it waits.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was taken or given up.
    pub ended_at: Option<Timestamp>,
    /// The status that the last attempt was answered with.
    pub status: Option<i64>,
    /// What went wrong at the last attempt.
    pub error: Option<String>,
}

type Row = (i64, String, String, String, i64, i64, i64, Option<i64>, Option<i64>, Option<String>);

fn entry(row: Row) -> Result<Entry, Fault> {
    let (n, event, kind, state, attempts, created_at, due_at, ended_at, status, error) = row;
    let state: State = parsed(&state)?;
    let due_at = Some(due_at).filter(|_| state == State::Waiting);
    Ok(Entry {
        n,
        event: parsed(&event)?,
        kind: parsed(&kind)?,
        state,
        attempts,
        created_at: moment(created_at)?,
        next_attempt_at: moment_or_none(due_at)?,
        ended_at: moment_or_none(ended_at)?,
        status,
        error,
    })
}

/// At most `limit` deliveries to a target, the newest first: those before the number `before`, in one state or in any.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(
    db: &mut Db<'_>,
    target: Target,
    before: Option<i64>,
    state: Option<State>,
    limit: i64,
) -> Result<Vec<Entry>, Fault> {
    let states = state.map_or_else(|| State::ALL.to_vec(), |state| vec![state]);
    let rows: Vec<Row> = delivery::table
        .inner_join(announcement::table.on(announcement::position.eq(delivery::position.nullable())))
        .filter(delivery::target.eq(target.to_string()))
        .filter(delivery::position.lt(before.unwrap_or(i64::MAX)))
        .filter(delivery::state.eq_any(states.into_iter().map(State::as_str).collect::<Vec<_>>()))
        .order(delivery::position.desc())
        .limit(limit)
        .select((
            delivery::position,
            announcement::id,
            delivery::kind,
            delivery::state,
            delivery::attempts,
            delivery::created_at,
            delivery::due_at,
            delivery::ended_at,
            delivery::status,
            delivery::error,
        ))
        .load(db.conn)?;
    rows.into_iter().map(entry).collect()
}

/// One delivery to a target: its state, and when it was taken or given up.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find(db: &mut Db<'_>, target: Target, n: i64) -> Result<Option<(State, Option<Timestamp>)>, Fault> {
    let row: Option<(String, Option<i64>)> = dsl::delivery
        .filter(dsl::target.eq(target.to_string()))
        .filter(dsl::position.eq(n))
        .select((dsl::state, dsl::ended_at))
        .fetch_one(db.conn)?;
    row.map(|(state, ended_at)| Ok((parsed(&state)?, moment_or_none(ended_at)?))).transpose()
}

/// Makes a delivery that was taken or given up anew, as if it had never been made.
///
/// # Errors
/// `unavailable`.
pub fn replay(tx: &mut Tx<'_>, target: Target, n: i64, now: Timestamp) -> Result<(), Fault> {
    let ended = dsl::delivery
        .filter(dsl::target.eq(target.to_string()))
        .filter(dsl::position.eq(n))
        .filter(dsl::state.ne(State::Waiting.as_str()));
    diesel::update(ended)
        .set((
            dsl::state.eq(State::Waiting.as_str()),
            dsl::attempts.eq(0),
            dsl::due_at.eq(now.as_millisecond()),
            dsl::ended_at.eq(None::<i64>),
            dsl::status.eq(None::<i64>),
            dsl::error.eq(None::<String>),
        ))
        .prepared()
        .execute(tx.conn)?;
    Ok(())
}

/// Has the next attempt of a delivery that waits made now, with its attempts as they are. One that is due within a lease
/// stays as it is: it may be in somebody's hands, which its row does not tell, and would be made twice.
///
/// # Errors
/// `unavailable`.
pub fn hasten(tx: &mut Tx<'_>, target: Target, n: i64, now: Timestamp) -> Result<(), Fault> {
    let leased_until = now.checked_add(SignedDuration::from_secs(LEASE_SECONDS)).unwrap_or(Timestamp::MAX);
    let at_rest = dsl::delivery
        .filter(dsl::target.eq(target.to_string()))
        .filter(dsl::position.eq(n))
        .filter(dsl::state.eq(State::Waiting.as_str()))
        .filter(dsl::due_at.gt(leased_until.as_millisecond()));
    diesel::update(at_rest).set(dsl::due_at.eq(now.as_millisecond())).prepared().execute(tx.conn)?;
    Ok(())
}

/// The first target after `after`, in the order of their texts, that something waits for.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn next_waiting(db: &mut Db<'_>, after: &str) -> Result<Option<Target>, Fault> {
    let target: Option<String> = dsl::delivery
        .filter(dsl::target.gt(after.to_owned()))
        .filter(dsl::ended_at.is_null())
        .order(dsl::target)
        .select(dsl::target)
        .limit(1)
        .fetch_one(db.conn)?;
    target.as_deref().map(parsed).transpose()
}

/// Gives some of the deliveries up that wait for a target; whether there may be more.
///
/// # Errors
/// `unavailable`.
pub fn give_up(tx: &mut Tx<'_>, target: Target, why: &str, now: Timestamp) -> Result<bool, Fault> {
    let waiting: Vec<i64> = dsl::delivery
        .filter(dsl::target.eq(target.to_string()))
        .filter(dsl::ended_at.is_null())
        .select(dsl::position)
        .limit(BATCH)
        .fetch(tx.conn)?;
    let rows = dsl::delivery
        .filter(dsl::target.eq(target.to_string()))
        .filter(dsl::position.eq_any(&waiting))
        .filter(dsl::state.eq("waiting"));
    diesel::update(rows)
        .set((
            dsl::state.eq(State::Dead.as_str()),
            dsl::ended_at.eq(now.as_millisecond()),
            dsl::due_at.eq(now.as_millisecond()),
            dsl::error.eq(why),
        ))
        .execute(tx.conn)?;
    Ok(waiting.len() as i64 == BATCH)
}
