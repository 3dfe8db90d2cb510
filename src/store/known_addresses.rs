//! Network addresses that an account has signed in from: they have login buckets of their own, so that
//! nobody locks the owner out by knowing the e-mail address.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    schema::known_address::{self, dsl},
};
use crate::domain::{id::AccountId, refusal::Fault};
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

/// How long an address counts after the last sign-in from it.
pub(super) const KNOWN_FOR_DAYS: i64 = 30;

/// Whether the account has signed in from `address` (a keyed hash) in the last 30 days.
///
/// # Errors
/// `unavailable`.
pub fn is_known(db: &mut Db<'_>, account: AccountId, address: &str, now: Timestamp) -> Result<bool, Fault> {
    let horizon = now.checked_sub(SignedDuration::from_hours(24 * KNOWN_FOR_DAYS)).unwrap_or(Timestamp::MIN);
    let known: i64 = dsl::known_address
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::address.eq(address))
        .filter(dsl::seen_at.gt(horizon.as_millisecond()))
        .count()
        .get_result(db.conn)?;
    Ok(known > 0)
}

/// Every address that is kept for the account, as keyed hashes.
///
/// # Errors
/// `unavailable`.
pub fn of_account(db: &mut Db<'_>, account: AccountId) -> Result<Vec<String>, Fault> {
    let of_account = dsl::known_address.filter(dsl::account_id.eq(account.to_string()));
    Ok(of_account.select(dsl::address).fetch(db.conn)?)
}

/// Notes a complete sign-in from `address`.
///
/// # Errors
/// `unavailable`.
pub fn note(tx: &mut Tx<'_>, account: AccountId, address: &str, now: Timestamp) -> Result<(), Fault> {
    let seen_at = dsl::seen_at.eq(now.as_millisecond());
    let row = dsl::known_address.filter(dsl::account_id.eq(account.to_string())).filter(dsl::address.eq(address));
    if diesel::update(row).set(seen_at).prepared().execute(tx.conn)? == 0 {
        let new = (dsl::account_id.eq(account.to_string()), dsl::address.eq(address), seen_at);
        diesel::insert_into(known_address::table).values(new).prepared().execute(tx.conn)?;
    }
    Ok(())
}
