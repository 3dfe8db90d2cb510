//! Mails to an owner: one at once, and one an hour for what repeats itself, which says how often it did. A guesser must
//! not be able to fill somebody's mailbox, nor to teach them not to read our mails.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    deliveries,
    row::{hit_one, moment},
    schema::delivery::dsl,
};
use crate::domain::{
    announcement::Announcement,
    delivery::{State, Target},
    refusal::Fault,
};
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

/// Between two mails about the same kind of event.
const PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// The last mail about one kind of event.
struct Last {
    position: i64,
    /// When it was to be sent first.
    at: Timestamp,
    is_untried: bool,
}

/// Adds the mail about an announcement. What may wait is held back when there was such a mail within the hour, and is
/// counted by the mail that is held back already, where there is one.
pub(super) fn insert(tx: &mut Tx<'_>, position: i64, announcement: &Announcement, now: Timestamp) -> Result<(), Fault> {
    let last = if announcement.kind.may_wait() { last(tx, announcement)? } else { None };
    let due_at = match last {
        Some(last) if last.is_untried && last.at > now => return count(tx, &last),
        Some(last) => last.at.checked_add(PAUSE).unwrap_or(Timestamp::MAX).max(now),
        None => now,
    };
    deliveries::insert(tx, Target::Mail, position, announcement, due_at)
}

fn last(db: &mut Db<'_>, announcement: &Announcement) -> Result<Option<Last>, Fault> {
    let row: Option<(i64, i64, i64, String)> = dsl::delivery
        .filter(dsl::account_id.eq(announcement.account.to_string()))
        .filter(dsl::kind.eq(announcement.kind.name()?))
        .filter(dsl::target.eq(Target::Mail.to_string()))
        .order(dsl::position.desc())
        .select((dsl::position, dsl::created_at, dsl::attempts, dsl::state))
        .limit(1)
        .fetch_one(db.conn)?;
    let Some((position, created_at, attempts, state)) = row else { return Ok(None) };
    let is_untried = attempts == 0 && state == State::Waiting.as_str();
    Ok(Some(Last { position, at: moment(created_at)?, is_untried }))
}

/// Counts one more of what a mail tells that is held back.
///
/// # Errors
/// `contended` when somebody sends it: then the next round makes a mail of its own.
fn count(tx: &mut Tx<'_>, last: &Last) -> Result<(), Fault> {
    let held = dsl::delivery
        .filter(dsl::target.eq(Target::Mail.to_string()))
        .filter(dsl::position.eq(last.position))
        .filter(dsl::state.eq(State::Waiting.as_str()))
        .filter(dsl::attempts.eq(0));
    let rows = diesel::update(held).set(dsl::times.eq(dsl::times + 1)).prepared().execute(tx.conn)?;
    hit_one(rows, "delivery")
}
