//! Numbering what was announced, and handing it to those who deliver it.
//!
//! Transactions do not commit in the order in which they began, so a number that a change takes for itself would be
//! seen after a greater one, and whoever reads on from there would never see it. Here numbers are given to what is
//! committed already, by one transaction at a time, without gaps: what is read up to a number is read whole.

use super::{
    Db, Tx, announcements,
    connection::{Fetch, Prepare},
    deliveries, mails,
    row::hit_one,
    schema::feed::{self, dsl},
};
use crate::domain::{
    announcement::Announcement,
    delivery::Target,
    id::AccountId,
    refusal::{Fault, Stop},
};
use diesel::{prelude::*, sql_query};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Announcements that are numbered in one transaction.
const BATCH: i64 = 200;

/// Whether there is something that has no number yet.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn has_news(db: &mut Db<'_>) -> Result<bool, Fault> {
    Ok(!announcements::unnumbered(db, BATCH)?.is_empty())
}

/// Numbers some of what was announced since, and makes its deliveries: one to each of the targets that `targets` names.
/// Returns how much.
///
/// # Errors
/// `contended` when somebody else was faster; `unavailable`, `unreadable`.
pub fn advance(
    tx: &mut Tx<'_>,
    now: Timestamp,
    targets: impl Fn(&mut Tx<'_>, &Announcement) -> Result<Vec<Target>, Fault>,
) -> Result<usize, Stop> {
    let mut announcements = announcements::unnumbered(tx, BATCH)?;
    if announcements.is_empty() {
        return Ok(0);
    }
    in_order(&mut announcements);
    let mut position = take(tx, announcements.len())?;
    for announcement in &announcements {
        position += 1;
        announcements::number(tx, announcement.id, position)?;
        for target in targets(tx, announcement)? {
            match target {
                Target::Mail => mails::insert(tx, position, announcement, now)?,
                Target::Webhook(_) => deliveries::insert(tx, target, position, announcement, now)?,
            }
        }
    }
    Ok(announcements.len())
}

/// Takes the next `count` numbers, and returns the one before them. Whoever else takes numbers waits for us, and then
/// begins anew.
fn take(tx: &mut Tx<'_>, count: usize) -> Result<i64, Fault> {
    let last: Option<i64> = dsl::feed.select(dsl::position).fetch_one(tx.conn)?;
    let last = match last {
        Some(last) => last,
        None => {
            sql_query("INSERT INTO feed (n, position) VALUES (1, 0) ON CONFLICT DO NOTHING").execute(tx.conn)?;
            0
        }
    };
    let next = last + i64::try_from(count).unwrap_or(i64::MAX);
    let unmoved = feed::table.filter(dsl::position.eq(last));
    hit_one(diesel::update(unmoved).set(dsl::position.eq(next)).prepared().execute(tx.conn)?, "feed")?;
    Ok(last)
}

/// Puts the events of each account into their order, in the places that the account has. Replicas' clocks differ, so
/// an event may be dated before the one that it followed.
fn in_order(announcements: &mut [Announcement]) {
    let mut places: BTreeMap<AccountId, Vec<usize>> = BTreeMap::new();
    for (place, announcement) in announcements.iter().enumerate() {
        places.entry(announcement.account).or_default().push(place);
    }
    for places in places.values() {
        let mut events: Vec<Announcement> = places.iter().map(|place| announcements[*place].clone()).collect();
        events.sort_by_key(|event| event.seq);
        for (place, event) in places.iter().zip(events) {
            announcements[*place] = event;
        }
    }
}
