//! What partners are told, in the order of its numbers: a page after a cursor, of the accounts that a client sees.
//!
//! A page looks at a bounded range of numbers, whoever's they are, so that a client that sees one account of a million
//! does not make a request slow; its cursor moves on all the same.

use super::{
    Db,
    announcements::Row,
    connection::Fetch,
    schema::{
        announcement::{self, dsl},
        consent, feed,
    },
};
use crate::domain::{
    announcement::{Announcement, CLIENT},
    client::Client,
    event::EventKind,
    refusal::Fault,
};
use diesel::{dsl::exists, prelude::*};

/// Numbers that one page looks at.
const RANGE: i64 = 500;

/// A page of the feed.
pub struct Page {
    /// What the client is told, in the order of its numbers.
    pub announcements: Vec<Announcement>,
    /// The number after which the next page begins.
    pub next: i64,
}

/// At most `limit` announcements with numbers after `cursor`, or from the oldest on; `None` where some that came after
/// the cursor are dropped by now, or it is from a database that went on otherwise.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(db: &mut Db<'_>, client: &Client, cursor: Option<i64>, limit: usize) -> Result<Option<Page>, Fault> {
    let last: Option<i64> = feed::table.select(feed::position).fetch_one(db.conn)?;
    let last = last.unwrap_or(0);
    let numbered = dsl::announcement.filter(dsl::position.is_not_null());
    let oldest: Option<Option<i64>> =
        numbered.select(dsl::position).order(dsl::position).limit(1).fetch_one(db.conn)?;
    let begin = oldest.flatten().map_or(last, |oldest| oldest - 1);
    let after = cursor.unwrap_or(begin);
    if !(begin..=last).contains(&after) {
        return Ok(None);
    }
    let end = last.min(after.saturating_add(RANGE));
    let mut told = Vec::new();
    for (row, position) in rows(db, client, after, end)? {
        let announcement = Announcement::try_from(row)?;
        // Of what happened before a deletion nothing is known any more that could be told.
        let is_erased = announcement.recipient.is_none() && announcement.kind != EventKind::AccountDeleted;
        let is_anothers = announcement.kind.is_of_consent() && !announcement.names(client.id);
        if announcement.kind.is_for_partners() && !is_erased && !is_anothers {
            told.push((announcement, position.unwrap_or(end)));
        }
    }
    let next = told.get(limit).map_or(end, |_| told[limit - 1].1);
    Ok(Some(Page { announcements: told.into_iter().take(limit).map(|(announcement, _)| announcement).collect(), next }))
}

fn rows(db: &mut Db<'_>, client: &Client, after: i64, end: i64) -> Result<Vec<(Row, Option<i64>)>, Fault> {
    let range = dsl::announcement
        .filter(dsl::position.gt(after))
        .filter(dsl::position.le(end))
        .order(dsl::position)
        .select((Row::as_select(), dsl::position));
    if client.sees_all {
        return Ok(range.load(db.conn)?);
    }
    let consent = consent::table
        .filter(consent::account_id.eq(announcement::account_id))
        .filter(consent::client_id.eq(client.id.to_string()));
    // That the client sees an account no more is told to it, though it does not.
    let naming = format!("%\"{CLIENT}\":\"{}\"%", client.id);
    let of_consent = [EventKind::PartnerAllowed.name()?, EventKind::PartnerRefused.name()?];
    let is_named = dsl::kind.eq_any(of_consent).and(dsl::facts.like(naming));
    Ok(range.filter(exists(consent).or(is_named)).load(db.conn)?)
}
