//! Dropping rows that no rule looks at any more, a few at a time so that writers never wait long.

use super::{
    Tx,
    schema::{bucket, challenge, idempotency},
};
use crate::domain::{idempotency::RETENTION, refusal::Fault};
use diesel::prelude::*;
use jiff::Timestamp;

/// Rows dropped in one transaction, a table.
const BATCH: i64 = 200;
/// The ledger looks 30 days back; a day more is kept.
const LEDGER_DAYS: i64 = 31;
const DAY_MS: i64 = 24 * 3_600_000;

/// Drops one batch of every table, and returns how many rows went.
///
/// # Errors
/// `unavailable`.
pub fn batch(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, Fault> {
    let at = now.as_millisecond();
    let dead: Vec<String> = challenge::table
        .filter(challenge::expires_at.lt(at - DAY_MS))
        .limit(BATCH)
        .select(challenge::id)
        .load(tx.conn)?;
    for id in &dead {
        diesel::delete(challenge::table.filter(challenge::id.eq(id))).execute(tx.conn)?;
    }
    let forgotten: Vec<(String, Vec<u8>)> = idempotency::table
        .filter(idempotency::created_at.lt(at - RETENTION * 1000))
        .limit(BATCH)
        .select((idempotency::account_id, idempotency::key))
        .load(tx.conn)?;
    for (account, key) in &forgotten {
        let row = idempotency::table.filter(idempotency::account_id.eq(account)).filter(idempotency::key.eq(key));
        diesel::delete(row).execute(tx.conn)?;
    }
    let idle: Vec<(String, String, String)> = bucket::table
        .filter(bucket::updated_at.lt(at - LEDGER_DAYS * DAY_MS))
        // A locked bucket stays locked until it is opened, however long nobody asks.
        .filter(bucket::state.not_like("%\"locked\":true%"))
        .limit(BATCH)
        .select((bucket::scope, bucket::key, bucket::state))
        .load(tx.conn)?;
    for (scope, key, state) in &idle {
        let unmoved = bucket::table
            .filter(bucket::scope.eq(scope))
            .filter(bucket::key.eq(key))
            .filter(bucket::state.eq(state))
            .filter(bucket::updated_at.lt(at - LEDGER_DAYS * DAY_MS));
        diesel::delete(unmoved).execute(tx.conn)?;
    }
    Ok(dead.len() + forgotten.len() + idle.len())
}
