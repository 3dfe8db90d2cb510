//! Idempotency keys in use. A row holds keyed hashes and an outcome without secrets.

use super::{
    Db, Tx,
    connection::Prepare,
    schema::idempotency::{self, dsl},
};
use crate::domain::{
    id::AccountId,
    idempotency::{Claim, LEASE, Memory, RETENTION},
    refusal::Fault,
};
use diesel::{prelude::*, result::OptionalExtension};
use jiff::Timestamp;
use serde_json::Value;

/// What is remembered under a key.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn recall(db: &mut Db<'_>, account: AccountId, claim: &Claim, now: Timestamp) -> Result<Memory, Fault> {
    type Row = (Vec<u8>, i64, Option<String>, i64, i64);
    let row: Option<Row> = dsl::idempotency
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::key.eq(&claim.key))
        .select((dsl::fingerprint, dsl::is_done, dsl::outcome, dsl::created_at, dsl::lease_until))
        .first(db.conn)
        .optional()?;
    let Some((fingerprint, is_done, outcome, created_at, lease_until)) = row else { return Ok(Memory::Fresh) };
    let at = now.as_millisecond();
    let is_over = if is_done == 1 { created_at.saturating_add(RETENTION * 1000) <= at } else { lease_until <= at };
    if is_over {
        return Ok(Memory::Fresh);
    }
    if fingerprint != claim.fingerprint {
        return Ok(Memory::Reused);
    }
    if is_done == 0 {
        return Ok(Memory::Running);
    }
    let outcome = outcome.map(|text| serde_json::from_str::<Value>(&text)).transpose();
    outcome.map(Memory::Done).map_err(|_| Fault::Unreadable("idempotent outcome".to_owned()))
}

/// Takes the lease of a key that [`recall`] found fresh, in the same transaction.
///
/// # Errors
/// `contended` when another request took it meanwhile.
pub fn claim(tx: &mut Tx<'_>, account: AccountId, claim: &Claim, now: Timestamp) -> Result<(), Fault> {
    release(tx, account, claim)?;
    insert(tx, account, claim, false, None, now)
}

/// Keeps the outcome of a request that succeeded, in the transaction of its effect.
///
/// # Errors
/// `unavailable`.
pub fn remember(
    tx: &mut Tx<'_>,
    account: AccountId,
    claim: &Claim,
    outcome: Option<&Value>,
    now: Timestamp,
) -> Result<(), Fault> {
    release(tx, account, claim)?;
    insert(tx, account, claim, true, outcome, now)
}

/// Forgets a request that did not succeed, so that it can be tried again under the same key.
///
/// # Errors
/// `unavailable`.
pub fn release(tx: &mut Tx<'_>, account: AccountId, claim: &Claim) -> Result<(), Fault> {
    let row = dsl::idempotency.filter(dsl::account_id.eq(account.to_string())).filter(dsl::key.eq(&claim.key));
    diesel::delete(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// Forgets every request of everybody.
///
/// # Errors
/// `unavailable`.
pub fn forget(tx: &mut Tx<'_>) -> Result<(), Fault> {
    diesel::delete(dsl::idempotency).prepared().execute(tx.conn)?;
    Ok(())
}

fn insert(
    tx: &mut Tx<'_>,
    account: AccountId,
    claim: &Claim,
    is_done: bool,
    outcome: Option<&Value>,
    now: Timestamp,
) -> Result<(), Fault> {
    let at = now.as_millisecond();
    let row = (
        dsl::account_id.eq(account.to_string()),
        dsl::key.eq(&claim.key),
        dsl::fingerprint.eq(&claim.fingerprint),
        dsl::is_done.eq(i64::from(is_done)),
        dsl::outcome.eq(outcome.map(Value::to_string)),
        dsl::created_at.eq(at),
        dsl::lease_until.eq(at.saturating_add(LEASE * 1000)),
    );
    diesel::insert_into(idempotency::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}
