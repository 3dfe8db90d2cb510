//! Mails to the contacts of clients, that we have disabled a webhook of theirs: due in the change that disables it, and
//! due again until somebody has sent it. A webhook that is enabled meanwhile has none.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{moment, parsed},
    schema::{
        client,
        webhook::{self, dsl},
    },
};
use crate::domain::{account::Email, delivery::LEASE_SECONDS, refusal::Fault, webhook::Notice};
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

/// One that could not be sent for so long is no news any more.
const KEPT: SignedDuration = SignedDuration::from_hours(72);
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(6);

/// Whether one is due.
///
/// # Errors
/// `unavailable`.
pub fn is_due(db: &mut Db<'_>, now: Timestamp) -> Result<bool, Fault> {
    let due: Option<String> =
        dsl::webhook.filter(dsl::notice_due_at.le(now.as_millisecond())).select(dsl::id).limit(1).fetch_one(db.conn)?;
    Ok(due.is_some())
}

/// Takes the one in hand that is due for longest; nobody else gets it before its lease ends. What is too old, or for
/// nobody, is dropped on the way.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn claim(tx: &mut Tx<'_>, now: Timestamp) -> Result<Option<Notice>, Fault> {
    type Row = (String, Option<String>, Option<i64>, Option<String>, Option<i64>);
    let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN).as_millisecond();
    loop {
        let row: Option<Row> = webhook::table
            .inner_join(client::table)
            .filter(webhook::notice_due_at.le(now.as_millisecond()))
            .order(webhook::notice_due_at)
            .select((
                webhook::id,
                client::contact,
                webhook::disabled_at,
                webhook::disabled_because,
                webhook::notice_due_at,
            ))
            .limit(1)
            .fetch_one(tx.conn)?;
        let Some((id, contact, at, because, Some(due_at))) = row else { return Ok(None) };
        let (Some(contact), Some(at), Some(because)) = (contact, at.filter(|at| *at > oldest), because) else {
            put_off(tx, &id, due_at, None)?;
            continue;
        };
        let lease_until = now.checked_add(SignedDuration::from_secs(LEASE_SECONDS)).unwrap_or(Timestamp::MAX);
        // Another worker may have been faster; then it is theirs.
        if !put_off(tx, &id, due_at, Some(lease_until))? {
            continue;
        }
        let contact = Email::parse(&contact, "").map_err(|_| Fault::Unreadable(format!("contact of webhook {id}")))?;
        let (webhook, at, because) = (parsed(&id)?, moment(at)?, parsed(&because)?);
        return Ok(Some(Notice { webhook, contact, because, at, lease_until }));
    }
}

/// Writes down that one was sent, or that nobody will get it; or else when it is due again: the longer it takes, the
/// later.
///
/// # Errors
/// `unavailable`.
pub fn settle(tx: &mut Tx<'_>, notice: &Notice, is_done: bool, now: Timestamp) -> Result<(), Fault> {
    let pause = now.duration_since(notice.at).clamp(FIRST_PAUSE, LONGEST_PAUSE);
    let next = now.checked_add(pause).unwrap_or(Timestamp::MAX);
    let due_at = notice.lease_until.as_millisecond();
    put_off(tx, &notice.webhook.to_string(), due_at, (!is_done).then_some(next))?;
    Ok(())
}

/// Sets when one is due that was due at `due_at`, and not at another time; `false` where somebody else was faster.
fn put_off(tx: &mut Tx<'_>, id: &str, due_at: i64, next: Option<Timestamp>) -> Result<bool, Fault> {
    let unmoved = dsl::webhook.filter(dsl::id.eq(id.to_owned())).filter(dsl::notice_due_at.eq(due_at));
    let change = dsl::notice_due_at.eq(next.map(Timestamp::as_millisecond));
    Ok(diesel::update(unmoved).set(change).prepared().execute(tx.conn)? == 1)
}
