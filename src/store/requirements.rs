//! What is noted about an account beside its record: that it met the requirement of two-factor authentication, that
//! a method passed a check-up, and that whoever has its subject proved one. None of it moves a counter.

use super::{Tx, connection::Prepare, row::hit_one, schema::account::dsl};
use crate::domain::{account::Account, id::AccountId, refusal::Fault};
use diesel::prelude::*;
use jiff::Timestamp;

/// Notes that an account meets the requirement now: once, for what was noted before is never moved.
///
/// # Errors
/// `contended` when another writer was faster.
pub fn begin(tx: &mut Tx<'_>, account: &mut Account, now: Timestamp) -> Result<(), Fault> {
    let unmet = dsl::account.filter(dsl::id.eq(account.id.to_string())).filter(dsl::required_since.is_null());
    let rows = diesel::update(unmet).set(dsl::required_since.eq(now.as_millisecond())).prepared().execute(tx.conn)?;
    hit_one(rows, "requirement")?;
    account.required_since = Some(now);
    Ok(())
}

/// Notes that a method of an account passed a check-up.
///
/// # Errors
/// `contended` when the account is gone.
pub fn check(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<(), Fault> {
    let row = dsl::account.filter(dsl::id.eq(account.to_string()));
    let rows = diesel::update(row).set(dsl::checked_at.eq(now.as_millisecond())).prepared().execute(tx.conn)?;
    hit_one(rows, "account")
}

/// Notes that whoever has the account's subject has proved a method of ours, in a session of the portal's.
///
/// # Errors
/// `contended` when the account is gone.
pub fn prove_subject(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Fault> {
    let row = dsl::account.filter(dsl::id.eq(account.to_string()));
    let rows = diesel::update(row).set(dsl::subject_unproven_since.eq(None::<i64>)).prepared().execute(tx.conn)?;
    hit_one(rows, "account")
}
