//! The ledger's rows: pay, then judge, then settle. The rules are in `domain/lockout.rs`.

use super::{
    Tx,
    schema::bucket::{self, dsl},
};
use crate::domain::{
    guesses::{BucketId, Limits, Scope},
    lockout::{Bucket, Kept},
    refusal::{Fault, Refusal, Stop},
};
use diesel::prelude::*;
use jiff::Timestamp;

/// Places that were paid for, to be settled: all of them, or some of them kept and others given back.
#[derive(Clone, Debug)]
#[must_use]
pub struct Paid {
    place: i64,
    buckets: Vec<BucketId>,
}

impl Paid {
    /// Splits off the places of one scope's buckets.
    pub fn split(self, is_apart: impl Fn(Scope) -> bool) -> (Self, Self) {
        let (apart, rest) = self.buckets.into_iter().partition(|bucket| is_apart(bucket.scope));
        (Self { place: self.place, buckets: apart }, Self { place: self.place, buckets: rest })
    }
}

/// Takes a place in each of `buckets`, or in none.
///
/// # Errors
/// `too-many-attempts` when one of them has none; then the guess must not be judged.
pub fn pay(tx: &mut Tx<'_>, limits: &Limits, buckets: Vec<BucketId>, now: Timestamp) -> Result<Paid, Stop> {
    let place = tx.random.integer()?;
    let mut taken = Vec::with_capacity(buckets.len());
    for id in &buckets {
        let mut bucket = hold(tx, id, now)?;
        let refused = bucket.take(limits.of(id.scope), id.scope, place, now.as_millisecond());
        refused.map_err(Refusal::TooManyAttempts)?;
        taken.push(bucket);
    }
    for (id, bucket) in buckets.iter().zip(&taken) {
        save(tx, id, bucket)?;
    }
    Ok(Paid { place, buckets })
}

/// Settles guesses that were right, or were never judged.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn give_back(tx: &mut Tx<'_>, paid: Paid, now: Timestamp) -> Result<(), Fault> {
    for id in &paid.buckets {
        let mut bucket = hold(tx, id, now)?;
        bucket.give_back(paid.place);
        save(tx, id, &bucket)?;
    }
    Ok(())
}

/// Settles guesses that were wrong: what is left in each bucket.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn keep(tx: &mut Tx<'_>, limits: &Limits, paid: Paid, now: Timestamp) -> Result<Vec<(Scope, Kept)>, Fault> {
    let mut left = Vec::with_capacity(paid.buckets.len());
    for id in &paid.buckets {
        let mut bucket = hold(tx, id, now)?;
        let kept = bucket.keep(limits.of(id.scope), paid.place, now.as_millisecond());
        save(tx, id, &bucket)?;
        left.push((id.scope, kept));
    }
    Ok(left)
}

/// Opens a bucket that a cap has locked.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn open(tx: &mut Tx<'_>, id: &BucketId, now: Timestamp) -> Result<(), Fault> {
    let mut bucket = hold(tx, id, now)?;
    bucket.open();
    save(tx, id, &bucket)
}

/// Reads a bucket, held until the transaction ends.
fn hold(tx: &mut Tx<'_>, id: &BucketId, now: Timestamp) -> Result<Bucket, Fault> {
    let row = dsl::bucket.filter(dsl::scope.eq(id.scope.name())).filter(dsl::key.eq(&id.key));
    let held = diesel::update(row).set(dsl::updated_at.eq(now.as_millisecond())).execute(tx.conn)?;
    if held == 0 {
        let state = serialised(&Bucket::default())?;
        let new = (
            dsl::scope.eq(id.scope.name()),
            dsl::key.eq(&id.key),
            dsl::state.eq(state),
            dsl::updated_at.eq(now.as_millisecond()),
        );
        diesel::insert_into(bucket::table).values(new).execute(tx.conn)?;
        return Ok(Bucket::default());
    }
    let state: String = row.select(dsl::state).first(tx.conn)?;
    serde_json::from_str(&state).map_err(|_| Fault::Unreadable(format!("bucket {} {}", id.scope.name(), id.key)))
}

fn save(tx: &mut Tx<'_>, id: &BucketId, bucket: &Bucket) -> Result<(), Fault> {
    let row = dsl::bucket.filter(dsl::scope.eq(id.scope.name())).filter(dsl::key.eq(&id.key));
    diesel::update(row).set(dsl::state.eq(serialised(bucket)?)).execute(tx.conn)?;
    Ok(())
}

fn serialised(bucket: &Bucket) -> Result<String, Fault> {
    serde_json::to_string(bucket).map_err(|error| Fault::Unreadable(error.to_string()))
}
