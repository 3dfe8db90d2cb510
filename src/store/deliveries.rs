//! Deliveries: who takes one in hand, and what has become of it.

use super::{
    Db, Tx,
    announcements::Row as Announced,
    connection::{Fetch, Prepare},
    row::moment_or_none,
    schema::{
        announcement,
        delivery::{self, dsl},
    },
};
use crate::domain::{
    announcement::Announcement,
    delivery::{Attempt, LEASE_SECONDS, Parcel, State, Target, next_attempt},
    refusal::Fault,
};
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

/// What this release cannot read is looked at again after so many seconds; a later one may know it.
const UNREADABLE_SECONDS: i64 = 3600;
/// Characters of an error that are kept.
const MAX_ERROR: usize = 200;

const POSTPONED: &str = "the receiver asks to come again later";
const GONE: u16 = 410;
const NOBODY: &str = "nobody is there any more";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = delivery)]
struct Row {
    target: String,
    position: i64,
    account_id: String,
    kind: String,
    created_at: i64,
    due_at: i64,
    attempts: i64,
    state: String,
    ended_at: Option<i64>,
    status: Option<i64>,
    error: Option<String>,
    times: i64,
}

/// How much is waiting, for whoever watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Deliveries that are to be made, for the first time or again.
    pub waiting: i64,
    /// When the oldest of them was announced.
    pub oldest: Option<Timestamp>,
}

/// Adds a delivery that is due at `due_at`; one that is held back counts as waiting from then on.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    target: Target,
    position: i64,
    announcement: &Announcement,
    due_at: Timestamp,
) -> Result<(), Fault> {
    let row = Row {
        target: target.to_string(),
        position,
        account_id: announcement.account.to_string(),
        kind: announcement.kind.name()?,
        created_at: due_at.as_millisecond(),
        due_at: due_at.as_millisecond(),
        attempts: 0,
        state: State::Waiting.as_str().to_owned(),
        ended_at: None,
        status: None,
        error: None,
        times: 1,
    };
    diesel::insert_into(delivery::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// Whether a delivery to a target is due.
///
/// # Errors
/// `unavailable`.
pub fn is_due(db: &mut Db<'_>, target: Target, now: Timestamp) -> Result<bool, Fault> {
    let due: Option<i64> = dsl::delivery
        .filter(dsl::target.eq(target.to_string()))
        .filter(dsl::ended_at.is_null())
        .filter(dsl::due_at.le(now.as_millisecond()))
        .select(dsl::position)
        .limit(1)
        .fetch_one(db.conn)?;
    Ok(due.is_some())
}

/// Whether a delivery to a target waits, due or not.
///
/// # Errors
/// `unavailable`.
pub fn is_waiting(db: &mut Db<'_>, target: Target) -> Result<bool, Fault> {
    let of_target = dsl::delivery.filter(dsl::target.eq(target.to_string())).filter(dsl::ended_at.is_null());
    let waiting: Option<i64> = of_target.select(dsl::position).limit(1).fetch_one(db.conn)?;
    Ok(waiting.is_some())
}

/// Takes at most `limit` deliveries to a target in hand that are due, the longest due first. Nobody else gets them
/// before their lease ends.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn claim(tx: &mut Tx<'_>, target: Target, now: Timestamp, limit: i64) -> Result<Vec<Parcel>, Fault> {
    let due: Vec<(i64, i64, i64, i64, Announced)> = delivery::table
        .inner_join(announcement::table.on(announcement::position.eq(delivery::position.nullable())))
        .filter(delivery::target.eq(target.to_string()))
        .filter(delivery::ended_at.is_null())
        .filter(delivery::due_at.le(now.as_millisecond()))
        .order(delivery::due_at)
        .limit(limit)
        .select((delivery::position, delivery::due_at, delivery::attempts, delivery::times, Announced::as_select()))
        .load(tx.conn)?;
    let after = |seconds| now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
    let lease_until = after(LEASE_SECONDS);
    let mut parcels = Vec::with_capacity(due.len());
    for (position, due_at, attempts, times, announced) in due {
        // Another worker may have been faster; then it is theirs.
        let unmoved = in_hand(target, position, due_at).filter(dsl::times.eq(times));
        let announcement = match Announcement::try_from(announced) {
            Ok(announcement) => announcement,
            // It leaves the head of the queue: nobody else waits for it.
            Err(fault) => {
                log::error!("not delivered: {fault}");
                let later = dsl::due_at.eq(after(UNREADABLE_SECONDS).as_millisecond());
                diesel::update(unmoved).set(later).prepared().execute(tx.conn)?;
                continue;
            }
        };
        let change = (dsl::due_at.eq(lease_until.as_millisecond()), dsl::attempts.eq(attempts + 1));
        let rows = diesel::update(unmoved).set(change).prepared().execute(tx.conn)?;
        if rows == 1 {
            parcels.push(Parcel { target, position, announcement, times, attempts: attempts + 1, lease_until });
        }
    }
    Ok(parcels)
}

/// Writes down how an attempt came out. Where its lease ended meanwhile, another attempt decides.
///
/// # Errors
/// `unavailable`.
pub fn settle(tx: &mut Tx<'_>, parcel: &Parcel, attempt: &Attempt, now: Timestamp) -> Result<(), Fault> {
    let jitter = tx.random.integer()?.unsigned_abs();
    let mut next = next_attempt(parcel.attempts, now, jitter);
    if let Attempt::Postponed { seconds, .. } = attempt {
        let asked = now.checked_add(SignedDuration::from_secs(i64::from(*seconds))).unwrap_or(now);
        next = next.map(|next| next.max(asked));
    }
    let (state, status, error) = match attempt {
        Attempt::Taken(status) => (State::Delivered, *status, None),
        Attempt::Failed { status, error } if next.is_some() => (State::Waiting, *status, Some(error.as_str())),
        Attempt::Failed { status, error } => (State::Dead, *status, Some(error.as_str())),
        Attempt::Postponed { status, .. } if next.is_some() => (State::Waiting, Some(*status), Some(POSTPONED)),
        Attempt::Postponed { status, .. } => (State::Dead, Some(*status), Some(POSTPONED)),
        Attempt::Gone(_) if next.is_some() => (State::Waiting, Some(GONE), Some(NOBODY)),
        Attempt::Gone(_) => (State::Dead, Some(GONE), Some(NOBODY)),
        Attempt::Unsent(why) if next.is_some() => (State::Waiting, None, Some(*why)),
        Attempt::Unsent(why) | Attempt::Withdrawn(why) => (State::Dead, None, Some(*why)),
    };
    let ended_at = (state != State::Waiting).then(|| now.as_millisecond());
    let due_at = next.filter(|_| state == State::Waiting).unwrap_or(now).as_millisecond();
    let error: Option<String> = error.map(|error| error.chars().filter(|c| !c.is_control()).take(MAX_ERROR).collect());
    let ours = in_hand(parcel.target, parcel.position, parcel.lease_until.as_millisecond());
    diesel::update(ours)
        .set((
            dsl::state.eq(state.as_str()),
            dsl::due_at.eq(due_at),
            dsl::ended_at.eq(ended_at),
            dsl::status.eq(status.map(i64::from)),
            dsl::error.eq(error),
        ))
        .prepared()
        .execute(tx.conn)?;
    Ok(())
}

/// What is waiting, of all targets; not what is held back until later.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn backlog(db: &mut Db<'_>, now: Timestamp) -> Result<Backlog, Fault> {
    use diesel::dsl::{count_star, min};
    let waiting = delivery::table.filter(delivery::ended_at.is_null());
    let held = waiting.filter(delivery::created_at.gt(now.as_millisecond())).count();
    // Few are held back: what all that wait have in common is asked for alone, for which there is an index.
    let (all, oldest): (i64, Option<i64>) = waiting.select((count_star(), min(delivery::created_at))).first(db.conn)?;
    let held: i64 = held.get_result(db.conn)?;
    let oldest = moment_or_none(oldest)?.filter(|oldest| *oldest <= now);
    Ok(Backlog { waiting: all - held, oldest })
}

/// The row of a waiting delivery, as long as it is due at `due_at` and not at another time.
#[diesel::dsl::auto_type]
fn in_hand(target: Target, position: i64, due_at: i64) -> _ {
    let key: String = target.to_string();
    dsl::delivery
        .filter(dsl::target.eq(key))
        .filter(dsl::position.eq(position))
        .filter(dsl::due_at.eq(due_at))
        .filter(dsl::state.eq("waiting"))
}
