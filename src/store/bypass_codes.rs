//! Bypass codes: the one live code of an account that support has issued, as a keyed hash.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{hit_one, parsed},
    schema::bypass_code::{self, dsl},
};
use crate::{
    crypto::keyring::{Hashed, Purpose},
    domain::{
        agent::{Agent, Customer},
        id::{AccountId, BypassCodeId},
        recovery_code::RecoveryCode,
        refusal::Fault,
    },
};
use diesel::prelude::*;
use jiff::Timestamp;

/// Issues a code for a customer of support, in the form of a recovery code; the one before dies with this
/// transaction.
///
/// # Errors
/// `unavailable`.
pub fn issue(
    tx: &mut Tx<'_>,
    customer: &Customer,
    expires_at: Timestamp,
    now: Timestamp,
    _: &Agent,
) -> Result<RecoveryCode, Fault> {
    let account = customer.account();
    revoke(tx, account)?;
    let id: BypassCodeId = tx.random.id(now)?;
    let code = RecoveryCode::from_random(tx.random.bytes()?);
    let hashed = tx.keys.hash(Purpose::BypassCode, &parts(&account.to_string(), &code))?;
    let row = (
        dsl::account_id.eq(account.to_string()),
        dsl::id.eq(id.to_string()),
        dsl::hashed.eq(hashed.to_string()),
        dsl::expires_at.eq(expires_at.as_millisecond()),
    );
    diesel::insert_into(bypass_code::table).values(row).prepared().execute(tx.conn)?;
    Ok(code)
}

/// The account's live code, if it has one.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn live(db: &mut Db<'_>, account: AccountId, now: Timestamp) -> Result<Option<BypassCodeId>, Fault> {
    Ok(find_live(db, account, now)?.map(|(id, _)| id))
}

/// Whether `code` is the account's live code, and still the one called `id`.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn is_live(
    db: &mut Db<'_>,
    account: AccountId,
    id: BypassCodeId,
    code: &RecoveryCode,
    now: Timestamp,
) -> Result<bool, Fault> {
    match find_live(db, account, now)? {
        Some((live, hashed)) if live == id => {
            db.keys.is_hash_of(&hashed, Purpose::BypassCode, &parts(&account.to_string(), code))
        }
        _ => Ok(false),
    }
}

/// Uses a code up.
///
/// # Errors
/// `contended` when it was used or died meanwhile.
pub fn consume(tx: &mut Tx<'_>, account: AccountId, id: BypassCodeId) -> Result<(), Fault> {
    hit_one(end(tx, account, id)?, "bypass code")
}

/// Lets a code die of wrong guesses; one that is gone already stays gone.
///
/// # Errors
/// `unavailable`.
pub fn wear_out(tx: &mut Tx<'_>, account: AccountId, id: BypassCodeId) -> Result<(), Fault> {
    end(tx, account, id).map(|_| ())
}

/// Takes back whatever code the account has.
///
/// # Errors
/// `unavailable`.
pub fn revoke(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Fault> {
    let of_account = dsl::bypass_code.filter(dsl::account_id.eq(account.to_string()));
    diesel::delete(of_account).prepared().execute(tx.conn)?;
    Ok(())
}

fn end(tx: &mut Tx<'_>, account: AccountId, id: BypassCodeId) -> Result<usize, Fault> {
    let row = dsl::bypass_code.filter(dsl::account_id.eq(account.to_string())).filter(dsl::id.eq(id.to_string()));
    Ok(diesel::delete(row).prepared().execute(tx.conn)?)
}

fn find_live(db: &mut Db<'_>, account: AccountId, now: Timestamp) -> Result<Option<(BypassCodeId, Hashed)>, Fault> {
    let row: Option<(String, String)> = dsl::bypass_code
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::expires_at.gt(now.as_millisecond()))
        .select((dsl::id, dsl::hashed))
        .fetch_one(db.conn)?;
    row.map(|(id, hashed)| Ok((parsed(&id)?, parsed(&hashed)?))).transpose()
}

/// A code counts for its own account alone.
fn parts<'a>(account: &'a str, code: &'a RecoveryCode) -> [&'a [u8]; 2] {
    [account.as_bytes(), code.bytes()]
}
