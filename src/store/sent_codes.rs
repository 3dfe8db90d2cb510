//! Codes that are sent: the one live code of each method, as a keyed hash that is bound to what it was asked for. Until it
//! is sent, the code itself lies sealed beside it; whoever has sent it, or gives up, wipes that.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    destinations,
    row::{hit_one, moment, parsed},
    schema::{
        account, destination,
        sent_code::{self, dsl},
    },
};
use crate::{
    crypto::keyring::{Cell, Hashed, Purpose, Sealed},
    domain::{
        account::Locale,
        binding::Binding,
        destination::Destination,
        id::{AccountId, MethodId},
        method::{Kind, Method},
        refusal::Fault,
        sent_code::SentCode,
    },
};
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

/// Seconds that whoever sends a code has for it; then somebody else may.
const LEASE_SECONDS: i64 = 60;

/// A code in hand, to be sent.
#[derive(Clone, Debug)]
pub struct Note {
    /// The method whose code it is.
    pub method: MethodId,
    /// The code.
    pub code: SentCode,
    /// Where it goes.
    pub to: Destination,
    /// The language that its owner reads.
    pub locale: Locale,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How often it was taken in hand, this time included.
    pub attempts: i64,
    hashed: String,
}

impl Note {
    /// For how many minutes the code is good from when it was asked for: at least one, as far as it is told.
    pub fn minutes(&self) -> u32 {
        u32::try_from(self.expires_at.duration_since(self.created_at).as_mins()).unwrap_or_default().max(1)
    }
}

/// What is to be done with a code that was in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It was sent, or never will be.
    Wipe,
    /// It is to be tried again then.
    Again(Timestamp),
}

pub(super) fn cell(account: AccountId, method: MethodId) -> Cell {
    Cell { owner: account.0, thing: method.0, column: "sent_code.sealed" }
}

/// Draws a code for a method, good until then for what it is asked for and nothing else. The one before is void with
/// this transaction, sent or not; it is sent after the commit.
///
/// # Errors
/// `unavailable`.
pub fn issue(
    tx: &mut Tx<'_>,
    method: &Method,
    binding: Binding,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    let random = tx.random;
    let code = SentCode::draw(|| random.bytes())?;
    let hashed = with_parts(method.account, method.id, binding, &code, |parts| tx.keys.hash(Purpose::SentCode, parts))?;
    let sealed = tx.keys.seal(random, cell(method.account, method.id), code.bytes())?;
    revoke(tx, method.id)?;
    let row = (
        dsl::method_id.eq(method.id.to_string()),
        dsl::account_id.eq(method.account.to_string()),
        dsl::kind.eq(method.kind.to_string()),
        dsl::binding.eq(binding.to_string()),
        dsl::hashed.eq(hashed.to_string()),
        dsl::sealed.eq(Some(sealed.0)),
        dsl::due_at.eq(now.as_millisecond()),
        dsl::attempts.eq(0),
        dsl::created_at.eq(now.as_millisecond()),
        dsl::expires_at.eq(expires_at.as_millisecond()),
    );
    diesel::insert_into(sent_code::table).values(row).prepared().execute(tx.conn)?;
    tx.sends = true;
    Ok(())
}

/// The hash of the live code of a method, where `code` is it and was asked for this.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find(
    db: &mut Db<'_>,
    (account, method): (AccountId, MethodId),
    binding: Binding,
    code: &SentCode,
    now: Timestamp,
) -> Result<Option<Hashed>, Fault> {
    let row: Option<String> = dsl::sent_code
        .filter(dsl::method_id.eq(method.to_string()))
        .filter(dsl::binding.eq(binding.to_string()))
        .filter(dsl::expires_at.gt(now.as_millisecond()))
        .select(dsl::hashed)
        .fetch_one(db.conn)?;
    let Some(hashed) = row else { return Ok(None) };
    let hashed: Hashed = parsed(&hashed)?;
    let is_it =
        with_parts(account, method, binding, code, |parts| db.keys.is_hash_of(&hashed, Purpose::SentCode, parts))?;
    Ok(is_it.then_some(hashed))
}

/// Uses a code up.
///
/// # Errors
/// `contended` when it was used, or is void, meanwhile.
pub fn consume(tx: &mut Tx<'_>, method: MethodId, hashed: &Hashed) -> Result<(), Fault> {
    let row = of_method(method).filter(dsl::hashed.eq(hashed.to_string()));
    hit_one(diesel::delete(row).prepared().execute(tx.conn)?, "sent code")
}

/// Makes whatever code a method has void.
///
/// # Errors
/// `unavailable`.
pub fn revoke(tx: &mut Tx<'_>, method: MethodId) -> Result<(), Fault> {
    diesel::delete(of_method(method)).prepared().execute(tx.conn)?;
    Ok(())
}

/// Whether a code of this kind is to be sent now.
///
/// # Errors
/// `unavailable`.
pub fn is_due(db: &mut Db<'_>, kind: Kind, now: Timestamp) -> Result<bool, Fault> {
    let due: Option<String> = dsl::sent_code
        .filter(dsl::kind.eq(kind.to_string()))
        .filter(dsl::sealed.is_not_null())
        .filter(dsl::due_at.le(now.as_millisecond()))
        .filter(dsl::expires_at.gt(now.as_millisecond()))
        .select(dsl::method_id)
        .limit(1)
        .fetch_one(db.conn)?;
    Ok(due.is_some())
}

/// Takes at most `limit` codes of this kind in hand that are to be sent and still good, the longest due first. Nobody
/// else gets them before their lease ends.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn claim(tx: &mut Tx<'_>, kind: Kind, now: Timestamp, limit: i64) -> Result<Vec<Note>, Fault> {
    let due: Vec<Due> = sent_code::table
        .inner_join(destination::table.on(destination::method_id.eq(sent_code::method_id)))
        .inner_join(account::table.on(account::id.eq(sent_code::account_id)))
        .filter(sent_code::kind.eq(kind.to_string()))
        .filter(sent_code::sealed.is_not_null())
        .filter(sent_code::due_at.le(now.as_millisecond()))
        .filter(sent_code::expires_at.gt(now.as_millisecond()))
        .order(sent_code::due_at)
        .limit(limit)
        .select((Row::as_select(), destination::sealed, account::locale))
        .load(tx.conn)?;
    let lease_until = now.checked_add(SignedDuration::from_secs(LEASE_SECONDS)).unwrap_or(Timestamp::MAX);
    let mut notes = Vec::with_capacity(due.len());
    for (row, to, locale) in due {
        // Another worker may have been faster, or another code may have taken its place.
        let unmoved = of_method(parsed(&row.method_id)?)
            .filter(dsl::hashed.eq(row.hashed.clone()))
            .filter(dsl::due_at.eq(row.due_at))
            .filter(dsl::sealed.is_not_null());
        let change = (dsl::due_at.eq(lease_until.as_millisecond()), dsl::attempts.eq(row.attempts + 1));
        if diesel::update(unmoved).set(change).prepared().execute(tx.conn)? != 1 {
            continue;
        }
        match note(tx, kind, row, to, &locale) {
            Ok(note) => notes.push(note),
            // Its lease ends; whoever has the key then sends it. Nobody else waits for that.
            Err(fault) => log::error!("a code is not sent: {fault}"),
        }
    }
    Ok(notes)
}

/// Notes what is to be done with a code that was in hand. Where another one has taken its place meanwhile, that stays as
/// it is.
///
/// # Errors
/// `unavailable`.
pub fn settle(tx: &mut Tx<'_>, note: &Note, next: Next) -> Result<(), Fault> {
    let row = of_method(note.method).filter(dsl::hashed.eq(&note.hashed)).filter(dsl::attempts.eq(note.attempts));
    match next {
        Next::Wipe => diesel::update(row).set(dsl::sealed.eq(None::<Vec<u8>>)).prepared().execute(tx.conn)?,
        Next::Again(at) => diesel::update(row).set(dsl::due_at.eq(at.as_millisecond())).prepared().execute(tx.conn)?,
    };
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sent_code)]
struct Row {
    method_id: String,
    account_id: String,
    hashed: String,
    sealed: Option<Vec<u8>>,
    due_at: i64,
    attempts: i64,
    created_at: i64,
    expires_at: i64,
}

/// A code that is due, where it goes, and the language that its owner reads.
type Due = (Row, Vec<u8>, String);

fn note(db: &Db<'_>, kind: Kind, row: Row, to: Vec<u8>, locale: &str) -> Result<Note, Fault> {
    let (account, method) = (parsed(&row.account_id)?, parsed(&row.method_id)?);
    let unreadable = || Fault::Unreadable(format!("code of method {method}"));
    let plain = db.keys.open(cell(account, method), &Sealed(row.sealed.ok_or_else(unreadable)?))?;
    Ok(Note {
        method,
        code: SentCode::of_bytes(plain.expose()).ok_or_else(unreadable)?,
        to: destinations::opened(db, account, method, kind, to)?,
        locale: parsed(locale)?,
        created_at: moment(row.created_at)?,
        expires_at: moment(row.expires_at)?,
        attempts: row.attempts + 1,
        hashed: row.hashed,
    })
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of_method(method: MethodId) -> _ {
    let id: String = method.to_string();
    dsl::sent_code.filter(dsl::method_id.eq(id))
}

/// A code counts for its own method and for what it was asked for alone.
fn with_parts<T>(
    account: AccountId,
    method: MethodId,
    binding: Binding,
    code: &SentCode,
    make: impl FnOnce(&[&[u8]]) -> T,
) -> T {
    let (account, method, binding) = (account.to_string(), method.to_string(), binding.to_string());
    make(&[account.as_bytes(), method.as_bytes(), binding.as_bytes(), code.bytes()])
}
