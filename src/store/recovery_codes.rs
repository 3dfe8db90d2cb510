//! Recovery codes: the live set of an account, as keyed hashes.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    factors::Assured,
    row::{hit_one, moment, parsed},
    schema::recovery_code::{self, dsl},
};
use crate::{
    crypto::keyring::{Hashed, Purpose},
    domain::{
        id::AccountId,
        recovery_code::{RecoveryCode, SET_SIZE},
        refusal::Fault,
    },
};
use diesel::{
    dsl::{count, count_star, min},
    prelude::*,
};
use jiff::Timestamp;

/// How a set stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Codes that the set had when it was made.
    pub total: usize,
    /// Codes that are still unused.
    pub remaining: usize,
    /// When it was made.
    pub generated_at: Timestamp,
}

/// How the account's set stands; `None` where it has none.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn standing(db: &mut Db<'_>, account: AccountId) -> Result<Option<Standing>, Fault> {
    let row: Option<(i64, i64, Option<i64>)> = dsl::recovery_code
        .filter(dsl::account_id.eq(account.to_string()))
        .select((count_star(), count(dsl::used_at), min(dsl::created_at)))
        .fetch_one(db.conn)?;
    let Some((total, used, Some(created_at))) = row else { return Ok(None) };
    let number = |count: i64| usize::try_from(count).unwrap_or(0);
    Ok(Some(Standing { total: number(total), remaining: number(total - used), generated_at: moment(created_at)? }))
}

/// Makes a new set, for an owner who has proved a second factor; the old one dies with this transaction.
///
/// # Errors
/// `unavailable`.
pub fn regenerate(
    tx: &mut Tx<'_>,
    account: AccountId,
    now: Timestamp,
    _: &Assured,
) -> Result<Vec<RecoveryCode>, Fault> {
    delete_all(tx, account)?;
    let draw = |_| Ok(RecoveryCode::from_random(tx.random.bytes()?));
    let codes = (0..SET_SIZE).map(draw).collect::<Result<Vec<_>, Fault>>()?;
    insert(tx, account, &codes, now)?;
    Ok(codes)
}

/// Adds the codes of an account that has none.
///
/// # Errors
/// `unavailable`.
pub fn insert(tx: &mut Tx<'_>, account: AccountId, codes: &[RecoveryCode], now: Timestamp) -> Result<(), Fault> {
    for code in codes {
        let hashed = tx.keys.hash(Purpose::RecoveryCode, &parts(&account.to_string(), code))?;
        let row = (
            dsl::account_id.eq(account.to_string()),
            dsl::hashed.eq(hashed.to_string()),
            dsl::created_at.eq(now.as_millisecond()),
        );
        diesel::insert_into(recovery_code::table).values(row).prepared().execute(tx.conn)?;
    }
    Ok(())
}

/// Deletes the account's set, and returns how many codes were unused.
///
/// # Errors
/// `unavailable`.
pub fn delete_all(tx: &mut Tx<'_>, account: AccountId) -> Result<usize, Fault> {
    let account = account.to_string();
    let of_account = dsl::recovery_code.filter(dsl::account_id.eq(&account));
    let unused: i64 = of_account.filter(dsl::used_at.is_null()).count().get_result(tx.conn)?;
    diesel::delete(of_account).prepared().execute(tx.conn)?;
    Ok(usize::try_from(unused).unwrap_or(0))
}

/// The unused code of this account that `code` is, as the hash it is stored under.
///
/// # Errors
/// `unavailable`.
pub fn find_unused(db: &mut Db<'_>, account: AccountId, code: &RecoveryCode) -> Result<Option<Hashed>, Fault> {
    let rows: Vec<String> = dsl::recovery_code
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::used_at.is_null())
        .select(dsl::hashed)
        .fetch(db.conn)?;
    let account = account.to_string();
    let parts = parts(&account, code);
    let stored = rows.iter().map(|row| parsed(row)).collect::<Result<Vec<Hashed>, Fault>>()?;
    let mut found = None;
    // All of them are compared, so that the time taken does not tell which one it is.
    for hashed in stored {
        if db.keys.is_hash_of(&hashed, Purpose::RecoveryCode, &parts)? {
            found = Some(hashed);
        }
    }
    Ok(found)
}

/// Uses a code up.
///
/// # Errors
/// `contended` when it was used meanwhile.
pub fn consume(tx: &mut Tx<'_>, account: AccountId, code: &Hashed, now: Timestamp) -> Result<(), Fault> {
    let unused = dsl::recovery_code
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::hashed.eq(code.to_string()))
        .filter(dsl::used_at.is_null());
    let rows = diesel::update(unused).set(dsl::used_at.eq(now.as_millisecond())).prepared().execute(tx.conn)?;
    hit_one(rows, "recovery code")
}

/// Uses up every unused code of an account, and returns how many there were.
///
/// # Errors
/// `unavailable`.
pub fn void(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<usize, Fault> {
    let unused = dsl::recovery_code.filter(dsl::account_id.eq(account.to_string())).filter(dsl::used_at.is_null());
    Ok(diesel::update(unused).set(dsl::used_at.eq(now.as_millisecond())).prepared().execute(tx.conn)?)
}

/// A code counts for its own account alone.
fn parts<'a>(account: &'a str, code: &'a RecoveryCode) -> [&'a [u8]; 2] {
    [account.as_bytes(), code.bytes()]
}
