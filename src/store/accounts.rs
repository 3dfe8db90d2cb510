//! Accounts: their rows, and the one way to change them.

use super::{
    Db, Tx, announcements,
    arrivals::Arrival,
    bypass_codes, ceremonies,
    connection::{AnyConnection, Fetch, Prepare, insert_all},
    devices, events,
    row::{hit_one, moment, moment_or_none, parsed},
    schema::{
        account::{self, dsl},
        challenge,
    },
};
use crate::domain::{
    account::{Account, Email, Locale, Subject},
    event::{Actor, Event, Origin, Stream},
    id::{AccountId, ChallengeId},
    refusal::{Fault, Rule, Stop},
};
use diesel::prelude::*;
use jiff::Timestamp;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = account)]
pub(super) struct Row {
    id: String,
    email: String,
    password_hash: String,
    password_changed_at: i64,
    locale: String,
    scope: String,
    created_at: i64,
    version: i64,
    activity: i64,
    epoch: i64,
    enabled_at: Option<i64>,
    disabled_at: Option<i64>,
    reminder_at: Option<i64>,
    subject: Option<String>,
    tokens_valid_after: i64,
    suspended_at: Option<i64>,
    restricted_until: Option<i64>,
    flagged_at: Option<i64>,
    reminded_at: Option<i64>,
    listed_at: Option<i64>,
    required_since: Option<i64>,
    checked_at: Option<i64>,
    subject_unproven_since: Option<i64>,
}

impl Row {
    /// When it was added, in milliseconds since 1970.
    pub(super) fn created_at(&self) -> i64 {
        self.created_at
    }

    /// That of an account without a history.
    fn of(id: AccountId, new: &NewAccount, now: Timestamp) -> Self {
        Self {
            id: id.to_string(),
            email: new.email.as_str().to_owned(),
            password_hash: new.password_hash.clone(),
            password_changed_at: now.as_millisecond(),
            locale: new.locale.tag().to_owned(),
            scope: new.scope.clone(),
            created_at: now.as_millisecond(),
            version: 0,
            activity: 0,
            epoch: 0,
            enabled_at: None,
            disabled_at: None,
            reminder_at: None,
            subject: new.subject.as_ref().map(|subject| subject.as_str().to_owned()),
            tokens_valid_after: 0,
            suspended_at: None,
            restricted_until: None,
            flagged_at: None,
            reminded_at: None,
            listed_at: None,
            required_since: None,
            checked_at: None,
            subject_unproven_since: None,
        }
    }
}

impl TryFrom<Row> for Account {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        Ok(Self {
            id: parsed(&row.id)?,
            email: Email::parse(&row.email, "")
                .map_err(|_| Fault::Unreadable(format!("e-mail of account {}", row.id)))?,
            password_hash: row.password_hash,
            password_changed_at: moment(row.password_changed_at)?,
            locale: parsed(&row.locale)?,
            scope: row.scope,
            version: row.version,
            activity: row.activity,
            epoch: row.epoch,
            enabled_at: moment_or_none(row.enabled_at)?,
            disabled_at: moment_or_none(row.disabled_at)?,
            reminder_at: moment_or_none(row.reminder_at)?,
            subject: row
                .subject
                .map(|subject| Subject::parse(&subject, ""))
                .transpose()
                .map_err(|_| Fault::Unreadable(format!("subject of account {}", row.id)))?,
            tokens_valid_after: moment(row.tokens_valid_after)?,
            suspended_at: moment_or_none(row.suspended_at)?,
            restricted_until: moment_or_none(row.restricted_until)?,
            flagged_at: moment_or_none(row.flagged_at)?,
            reminded_at: moment_or_none(row.reminded_at)?,
            listed_at: moment_or_none(row.listed_at)?,
            required_since: moment_or_none(row.required_since)?,
            checked_at: moment_or_none(row.checked_at)?,
            subject_unproven_since: moment_or_none(row.subject_unproven_since)?,
        })
    }
}

/// An account as the command line adds it.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name that it signs in with.
    pub email: Email,
    /// The bcrypt hash of its password.
    pub password_hash: String,
    /// The language that its owner reads.
    pub locale: Locale,
    /// Scopes that its tokens carry, separated by spaces.
    pub scope: String,
    /// Its name at the portal's own identity provider.
    pub subject: Option<Subject>,
}

impl NewAccount {
    /// One of an owner who reads the default language, without scopes and subject.
    pub fn of(email: Email, password_hash: String) -> Self {
        Self { email, password_hash, locale: Locale::default(), scope: String::new(), subject: None }
    }
}

/// The account with this id.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn by_id(db: &mut Db<'_>, id: AccountId) -> Result<Option<Account>, Fault> {
    let row: Option<Row> = dsl::account.filter(dsl::id.eq(id.to_string())).fetch_one(db.conn)?;
    row.map(Account::try_from).transpose()
}

/// At most `limit` accounts after the account `after`.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn ids(db: &mut Db<'_>, after: Option<AccountId>, limit: i64) -> Result<Vec<AccountId>, Fault> {
    // No account has an empty id.
    let after = after.map_or_else(String::new, |id| id.to_string());
    let ids: Vec<String> =
        dsl::account.filter(dsl::id.gt(after)).order(dsl::id).limit(limit).select(dsl::id).load(db.conn)?;
    ids.iter().map(|id| parsed(id)).collect()
}

/// The account with this address.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn by_email(db: &mut Db<'_>, email: &Email) -> Result<Option<Account>, Fault> {
    let row: Option<Row> = dsl::account.filter(dsl::email.eq(email.as_str().to_owned())).fetch_one(db.conn)?;
    row.map(Account::try_from).transpose()
}

/// The account that the portal's identity provider knows by this name.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn by_subject(db: &mut Db<'_>, subject: &Subject) -> Result<Option<Account>, Fault> {
    let row: Option<Row> = dsl::account.filter(dsl::subject.eq(subject.as_str().to_owned())).fetch_one(db.conn)?;
    row.map(Account::try_from).transpose()
}

/// The account with this id, held until the transaction ends: whatever is decided about an account is
/// decided by one transaction at a time, and all transactions take their locks in one order.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn lock(tx: &mut Tx<'_>, id: AccountId) -> Result<Option<Account>, Fault> {
    if tx.conn.has_one_writer() {
        return by_id(tx, id);
    }
    // An update that changes nothing is the portable `SELECT … FOR UPDATE`. Not of the key: that would look
    // for rows that refer to it.
    let row: Option<Row> = diesel::update(dsl::account.filter(dsl::id.eq(id.to_string())))
        .set(dsl::version.eq(dsl::version))
        .returning(account::all_columns)
        .fetch_one(tx.conn)?;
    row.map(Account::try_from).transpose()
}

/// Two accounts, held like [`lock`] holds one; in the order of their ids, so that two who need the same two do
/// not wait for each other.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn lock_both(tx: &mut Tx<'_>, one: AccountId, other: AccountId) -> Result<[Option<Account>; 2], Fault> {
    if one <= other {
        let first = lock(tx, one)?;
        Ok([first, lock(tx, other)?])
    } else {
        let first = lock(tx, other)?;
        Ok([lock(tx, one)?, first])
    }
}

/// The account of a challenge, held, whatever has become of the challenge; `None` where there is none.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn lock_of_challenge(tx: &mut Tx<'_>, id: ChallengeId) -> Result<Option<Account>, Fault> {
    let of_challenge = challenge::table.filter(challenge::id.eq(id.to_string())).select(challenge::account_id);
    let account = dsl::account.filter(dsl::id.eq_any(of_challenge));
    let row: Option<Row> = if tx.conn.has_one_writer() {
        account.fetch_one(tx.conn)?
    } else {
        diesel::update(account).set(dsl::version.eq(dsl::version)).returning(account::all_columns).fetch_one(tx.conn)?
    };
    row.map(Account::try_from).transpose()
}

/// Adds an account.
///
/// # Errors
/// `validation-failed` when the address is taken.
pub fn insert(tx: &mut Tx<'_>, id: AccountId, new: &NewAccount, now: Timestamp) -> Result<(), Stop> {
    if by_email(tx, &new.email)?.is_some() {
        return Err(Rule::FreeEmail.at("/email").into());
    }
    if let Some(subject) = &new.subject
        && by_subject(tx, subject)?.is_some()
    {
        return Err(Rule::FreeSubject.at("/subject").into());
    }
    let row = Row::of(id, new, now);
    diesel::insert_into(account::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// Adds accounts that come from elsewhere, each with its first event: so its version is 1.
///
/// # Errors
/// `contended` when an address or a subject is taken.
pub(super) fn insert_arrivals(tx: &mut Tx<'_>, arrivals: &[Arrival], now: Timestamp) -> Result<(), Fault> {
    let at = Some(now.as_millisecond());
    let row = |arrival: &Arrival| Row {
        version: 1,
        enabled_at: at.filter(|_| arrival.authenticator.is_some()),
        suspended_at: at.filter(|_| arrival.is_suspended),
        listed_at: at.filter(|_| arrival.is_required),
        ..Row::of(arrival.id, &arrival.new, now)
    };
    let rows: Vec<Row> = arrivals.iter().map(row).collect();
    insert_all!(tx, account::table, &rows);
    Ok(())
}

/// Changes an account and records why, in one: moves the counter of the event's stream, applies `edit`,
/// saves by compare and set, and writes the audit row and what announces it. There is no other way to
/// change an account, so state and record cannot part.
///
/// # Errors
/// `contended` when another writer was faster.
pub fn record(
    tx: &mut Tx<'_>,
    account: &mut Account,
    origin: &Origin,
    now: Timestamp,
    event: &Event,
    edit: impl FnOnce(&mut Account),
) -> Result<(), Fault> {
    let before = account.clone();
    edit(account);
    if account.epoch != before.epoch {
        // What was issued before such a change must not outlive it.
        account.tokens_valid_after = now;
        bypass_codes::revoke(tx, account.id)?;
        devices::forget_all(tx, account.id)?;
        ceremonies::end_proofs(tx, account.id)?;
    }
    if matches!(event.actor, Actor::Support(_)) {
        // Somebody looks after the account: whatever support does, it does for a ticket.
        account.flagged_at = None;
    }
    match event.kind.stream() {
        Stream::State => account.version += 1,
        Stream::Activity => account.activity += 1,
    }
    save(tx, &before, account)?;
    let id = events::append(tx, account, origin, now, event)?;
    announcements::announce(tx, id, (&before, account), origin, now, event)
}

/// Stores a stronger hash of the same password; nothing about the account changes by it.
///
/// # Errors
/// `unavailable`.
pub fn rehash(tx: &mut Tx<'_>, account: &mut Account, hash: String) -> Result<(), Fault> {
    let before = account.clone();
    account.password_hash = hash;
    save(tx, &before, account)
}

/// Deletes an account with everything that belongs to it, but for its buckets in the ledger.
///
/// # Errors
/// `contended` when it is gone already.
pub fn delete(tx: &mut Tx<'_>, id: AccountId) -> Result<(), Fault> {
    hit_one(diesel::delete(dsl::account.filter(dsl::id.eq(id.to_string()))).prepared().execute(tx.conn)?, "account")
}

fn save(tx: &mut Tx<'_>, before: &Account, after: &Account) -> Result<(), Fault> {
    let unmoved = dsl::account
        .filter(dsl::id.eq(before.id.to_string()))
        .filter(dsl::version.eq(before.version))
        .filter(dsl::activity.eq(before.activity))
        .filter(dsl::epoch.eq(before.epoch))
        .filter(dsl::password_hash.eq(&before.password_hash));
    let rows = diesel::update(unmoved)
        .set((
            dsl::version.eq(after.version),
            dsl::activity.eq(after.activity),
            dsl::epoch.eq(after.epoch),
            dsl::password_hash.eq(&after.password_hash),
            dsl::password_changed_at.eq(after.password_changed_at.as_millisecond()),
            dsl::enabled_at.eq(after.enabled_at.map(Timestamp::as_millisecond)),
            dsl::disabled_at.eq(after.disabled_at.map(Timestamp::as_millisecond)),
            dsl::reminder_at.eq(after.reminder_at.map(Timestamp::as_millisecond)),
            dsl::tokens_valid_after.eq(after.tokens_valid_after.as_millisecond()),
            dsl::scope.eq(&after.scope),
            dsl::suspended_at.eq(after.suspended_at.map(Timestamp::as_millisecond)),
            dsl::restricted_until.eq(after.restricted_until.map(Timestamp::as_millisecond)),
            dsl::flagged_at.eq(after.flagged_at.map(Timestamp::as_millisecond)),
            dsl::reminded_at.eq(after.reminded_at.map(Timestamp::as_millisecond)),
            dsl::listed_at.eq(after.listed_at.map(Timestamp::as_millisecond)),
        ))
        .prepared()
        .execute(tx.conn)?;
    hit_one(rows, "account")?;
    // What an account is looked up by seldom changes, and whoever sets it moves indexes.
    let names = |account: &Account| {
        (account.email.clone(), account.locale, account.subject.clone(), account.subject_unproven_since)
    };
    if names(before) == names(after) { Ok(()) } else { rename(tx, after) }
}

fn rename(tx: &mut Tx<'_>, account: &Account) -> Result<(), Fault> {
    let rows = diesel::update(dsl::account.filter(dsl::id.eq(account.id.to_string())))
        .set((
            dsl::email.eq(account.email.as_str()),
            dsl::locale.eq(account.locale.tag()),
            dsl::subject.eq(account.subject.as_ref().map(Subject::as_str)),
            dsl::subject_unproven_since.eq(account.subject_unproven_since.map(Timestamp::as_millisecond)),
        ))
        .prepared()
        .execute(tx.conn)?;
    hit_one(rows, "account")
}
