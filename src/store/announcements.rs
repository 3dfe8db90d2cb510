//! What others are to be told, written in the transaction of the change. It has no number yet: numbers follow the
//! order of commits, which nobody knows before (`feed.rs`).

use super::{
    Db, Tx,
    connection::Prepare,
    consents,
    row::{hit_one, moment, parsed},
    schema::{announcement, audit, delivery},
};
use crate::domain::{
    account::{Account, Email},
    announcement::{Announcement, Facts, agent_of, network_of},
    event::{Event, EventKind, Origin},
    id::{AccountId, EventId},
    refusal::Fault,
};
use diesel::prelude::*;
use jiff::Timestamp;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = announcement)]
pub(super) struct Row {
    id: String,
    account_id: String,
    kind: String,
    at: i64,
    seq: i64,
    recipient: Option<String>,
    locale: String,
    facts: String,
}

impl TryFrom<Row> for Announcement {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        let unreadable = || Fault::Unreadable(format!("announcement {}", &row.id));
        Ok(Self {
            id: parsed(&row.id)?,
            account: parsed(&row.account_id)?,
            kind: parsed(&row.kind)?,
            at: moment(row.at)?,
            seq: row.seq,
            recipient: row.recipient.map(|text| Email::parse(&text, "")).transpose().map_err(|_| unreadable())?,
            locale: parsed(&row.locale)?,
            facts: serde_json::from_str(&row.facts).map_err(|_| unreadable())?,
        })
    }
}

/// Announces an event that was just recorded, where anybody is to be told: to whom the account belonged before it.
pub(super) fn announce(
    tx: &mut Tx<'_>,
    id: EventId,
    (before, after): (&Account, &Account),
    origin: &Origin,
    now: Timestamp,
    event: &Event,
) -> Result<(), Fault> {
    if !event.is_announced() {
        return Ok(());
    }
    let facts = Facts {
        protected: after.enabled_at.is_some(),
        restricted_until: after.restriction(now),
        actor: event.actor.kind().to_owned(),
        network: network_of(origin.ip),
        user_agent: agent_of(&origin.user_agent),
        details: event.details.clone(),
        seen_by: Vec::new(),
    };
    let row = Row {
        id: id.to_string(),
        account_id: after.id.to_string(),
        kind: event.kind.name()?,
        at: now.as_millisecond(),
        seq: after.version + after.activity,
        recipient: Some(before.email.as_str().to_owned()),
        locale: before.locale.tag().to_owned(),
        facts: serde_json::to_string(&facts).map_err(|error| Fault::Unreadable(error.to_string()))?,
    };
    diesel::insert_into(announcement::table).values(row).prepared().execute(tx.conn)?;
    tx.announces = true;
    Ok(())
}

/// Those of some `limit` announcements without a number, the oldest first, that can be read; none when there are none. The
/// others wait for a release that can, and nobody waits for them: an older one, put back, may not know a kind.
pub(super) fn unnumbered(db: &mut Db<'_>, limit: i64) -> Result<Vec<Announcement>, Fault> {
    let mut passed = 0;
    loop {
        let rows: Vec<Row> = announcement::table
            .filter(announcement::position.is_null())
            .order((announcement::at, announcement::seq))
            .offset(passed)
            .limit(limit)
            .select(Row::as_select())
            .load(db.conn)?;
        let is_last = (rows.len() as i64) < limit;
        let readable: Vec<_> = rows.into_iter().filter_map(|row| Announcement::try_from(row).ok()).collect();
        if is_last || !readable.is_empty() {
            return Ok(readable);
        }
        passed += limit;
    }
}

/// Gives an announcement its number.
///
/// # Errors
/// `contended` when it has one.
pub(super) fn number(tx: &mut Tx<'_>, id: EventId, position: i64) -> Result<(), Fault> {
    let unnumbered =
        announcement::table.filter(announcement::id.eq(id.to_string())).filter(announcement::position.is_null());
    let rows = diesel::update(unnumbered).set(announcement::position.eq(position)).prepared().execute(tx.conn)?;
    hit_one(rows, "announcement")
}

/// Takes out of all announcements of an account what tells whose it was, and the mails that are still to be sent:
/// partners learn no more than that an id is gone. Those who see the account are noted with its end, since that they do
/// goes with it.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn erase(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Fault> {
    let seen_by = consents::clients_of(tx, account)?;
    let end = serde_json::to_string(&Facts { seen_by, ..Facts::default() });
    let end = end.map_err(|error| Fault::Unreadable(error.to_string()))?;
    let account = account.to_string();
    // Events are kept for longer than announcements, and are found by their account.
    let events = audit::table.filter(audit::account_id.eq(&account)).select(audit::id);
    diesel::update(announcement::table.filter(announcement::id.eq_any(events)))
        .set((announcement::recipient.eq(None::<String>), announcement::facts.eq("{}")))
        .prepared()
        .execute(tx.conn)?;
    let of_end = announcement::table
        .filter(announcement::id.eq_any(events))
        .filter(announcement::kind.eq(EventKind::AccountDeleted.name()?));
    diesel::update(of_end).set(announcement::facts.eq(end)).prepared().execute(tx.conn)?;
    let mails = delivery::table.filter(delivery::account_id.eq(account)).filter(delivery::target.eq("mail"));
    diesel::delete(mails).prepared().execute(tx.conn)?;
    Ok(())
}
