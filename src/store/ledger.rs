//! The ledger's rows: pay, then judge, then settle. The rules are in `domain/lockout.rs`.

use super::{
    Db, Tx,
    attempts::Verdict,
    connection::{AnyConnection, Fetch, Prepare},
    row::hit_one,
    schema::bucket::{self, dsl},
};
use crate::domain::{
    guesses::{BucketId, Limits, Policy, Scope},
    id::AccountId,
    lockout::{Bucket, Kept},
    refusal::{Fault, Refusal, Stop},
};
use diesel::{
    BoxableExpression,
    prelude::*,
    sql_types::{Bool, Text},
};
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

    /// Whose bucket of one scope a place was paid for in, if in any.
    pub fn key_in(&self, scope: Scope) -> Option<&str> {
        self.buckets.iter().find(|bucket| bucket.scope == scope).map(|bucket| bucket.key.as_str())
    }
}

type AnyOf = dyn BoxableExpression<bucket::table, <AnyConnection as Connection>::Backend, SqlType = Bool>;

/// A bucket that a transaction holds: as its row has it, and as it is to be.
pub(super) struct Held {
    id: BucketId,
    /// `None` where there is no row yet.
    stored: Option<Bucket>,
    bucket: Bucket,
    now: Timestamp,
}

/// Takes a place in each of `buckets`, or in none.
///
/// # Errors
/// `too-many-attempts` when one of them has none; then the guess must not be judged.
pub fn pay(tx: &mut Tx<'_>, limits: &Limits, buckets: Vec<BucketId>, now: Timestamp) -> Result<Paid, Stop> {
    let place = tx.random.integer()?;
    hold_all(tx, &buckets, now)?;
    let mut taken = Vec::with_capacity(buckets.len());
    for id in &buckets {
        let mut bucket = hold(tx, id, now)?.clone();
        let refused = bucket.take(limits.of(id.scope), id.scope, place, now.as_millisecond());
        refused.map_err(Refusal::TooManyAttempts)?;
        taken.push(bucket);
    }
    for (id, bucket) in buckets.iter().zip(taken) {
        *hold(tx, id, now)? = bucket;
    }
    Ok(Paid { place, buckets })
}

/// Settles guesses that were right.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn give_back(tx: &mut Tx<'_>, paid: Paid, now: Timestamp) -> Result<(), Fault> {
    tx.settled.extend(paid.buckets.iter().map(|id| (id.scope, Verdict::Right)));
    release(tx, paid, now)
}

/// Gives places back that were taken for nothing: what they were for was never judged, or never done.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn release(tx: &mut Tx<'_>, paid: Paid, now: Timestamp) -> Result<(), Fault> {
    for id in &paid.buckets {
        hold(tx, id, now)?.give_back(paid.place);
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
        let kept = hold(tx, id, now)?.keep(limits.of(id.scope), paid.place, now.as_millisecond());
        left.push((id.scope, kept));
        tx.settled.push((id.scope, Verdict::Wrong));
    }
    Ok(left)
}

/// Opens a bucket that a cap has locked.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn open(tx: &mut Tx<'_>, id: &BucketId, now: Timestamp) -> Result<(), Fault> {
    hold(tx, id, now)?.open();
    Ok(())
}

/// Forgets the failures in a bucket, whatever its rules; whether there were any.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn forget(tx: &mut Tx<'_>, id: &BucketId, now: Timestamp) -> Result<bool, Fault> {
    Ok(hold(tx, id, now)?.forget())
}

/// How much of a budget is used, by what was done and what is under way.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn used(db: &mut Db<'_>, policy: &Policy, id: &BucketId, now: Timestamp) -> Result<u32, Fault> {
    let state: Option<String> = dsl::bucket
        .filter(dsl::scope.eq(id.scope.name()).and(dsl::key.eq(id.key.clone())))
        .select(dsl::state)
        .fetch_one(db.conn)?;
    let Some(state) = state else { return Ok(0) };
    let bucket: Bucket = serde_json::from_str(&state)
        .map_err(|_| Fault::Unreadable(format!("bucket {} {}", id.scope.name(), id.key)))?;
    Ok(bucket.used(policy, now.as_millisecond()))
}

/// Drops every bucket that is named after an account, or after something of it: for an account that is deleted. Its
/// sign-ins are counted under `login_name`, and under that name with a network behind it.
///
/// # Errors
/// `unavailable`.
pub fn drop_all(tx: &mut Tx<'_>, account: AccountId, login_name: &str) -> Result<(), Fault> {
    let own = [
        Scope::Code,
        Scope::RecoveryCode,
        Scope::ReauthAccount,
        Scope::EnrollStart,
        Scope::SupportAction,
        Scope::CodeSend,
        Scope::Sms,
    ]
    .map(Scope::name);
    let of_account = dsl::scope.eq_any(own).and(dsl::key.eq(account.to_string()));
    diesel::delete(dsl::bucket.filter(of_account)).execute(tx.conn)?;
    // Names are hexadecimal, so there is nothing to escape.
    let is_of_name = dsl::key.eq(login_name).or(dsl::key.like(format!("{login_name}/%")));
    diesel::delete(dsl::bucket.filter(dsl::scope.eq(Scope::Login.name()).and(is_of_name))).execute(tx.conn)?;
    for (scope, table) in [
        (Scope::BypassCode, "bypass_code"),
        (Scope::SessionCode, "session"),
        (Scope::ReauthSession, "session"),
        (Scope::Confirm, "method"),
        (Scope::Challenge, "challenge"),
    ] {
        let name = scope.name();
        let of_account = format!("SELECT id FROM {table} WHERE account_id = $1");
        let statement = format!("DELETE FROM bucket WHERE scope = '{name}' AND key IN ({of_account})");
        diesel::sql_query(statement).bind::<Text, _>(account.to_string()).execute(tx.conn)?;
    }
    Ok(())
}

/// A bucket, read once and held until the transaction ends, which writes what has become of it.
fn hold<'t>(tx: &'t mut Tx<'_>, id: &BucketId, now: Timestamp) -> Result<&'t mut Bucket, Fault> {
    hold_all(tx, std::slice::from_ref(id), now)?;
    let held = tx.held.iter_mut().find(|held| held.id == *id);
    held.map(|held| &mut held.bucket).ok_or_else(|| Fault::Unreadable(format!("bucket {id:?} is not held")))
}

/// Reads and holds those of `buckets` that are not held yet, in one statement.
fn hold_all(tx: &mut Tx<'_>, buckets: &[BucketId], now: Timestamp) -> Result<(), Fault> {
    let new: Vec<&BucketId> = buckets.iter().filter(|id| tx.held.iter().all(|held| held.id != **id)).collect();
    let Some((first, others)) = new.split_first() else { return Ok(()) };
    let named = |id: &BucketId| dsl::scope.eq(id.scope.name()).and(dsl::key.eq(id.key.clone()));
    let any = others.iter().fold(Box::new(named(first)) as Box<AnyOf>, |any, id| Box::new(any.or(named(id))));
    let rows: Vec<(String, String, String)> = diesel::update(dsl::bucket.filter(any))
        .set(dsl::updated_at.eq(now.as_millisecond()))
        .returning((dsl::scope, dsl::key, dsl::state))
        .prepared()
        .load(tx.conn)?;
    for id in new {
        let row = rows.iter().find(|(scope, key, _)| scope == id.scope.name() && *key == id.key);
        let stored: Option<Bucket> = row
            .map(|(.., state)| serde_json::from_str(state))
            .transpose()
            .map_err(|_| Fault::Unreadable(format!("bucket {} {}", id.scope.name(), id.key)))?;
        tx.held.push(Held { id: id.clone(), bucket: stored.clone().unwrap_or_default(), stored, now });
    }
    Ok(())
}

/// Writes the buckets that the transaction has changed, at its end: a place that is taken and given back in
/// one transaction was never seen by anybody and costs no write.
///
/// # Errors
/// `contended` when another transaction made the same row.
pub(super) fn write(tx: &mut Tx<'_>) -> Result<(), Fault> {
    for Held { id, stored, bucket, now } in std::mem::take(&mut tx.held) {
        if stored.as_ref().unwrap_or(&Bucket::default()) == &bucket {
            continue;
        }
        let state = serde_json::to_string(&bucket).map_err(|error| Fault::Unreadable(error.to_string()))?;
        match stored {
            Some(_) => {
                let row = dsl::bucket.filter(dsl::scope.eq(id.scope.name())).filter(dsl::key.eq(&id.key));
                hit_one(diesel::update(row).set(dsl::state.eq(state)).prepared().execute(tx.conn)?, "bucket")?;
            }
            None => {
                let at = dsl::updated_at.eq(now.as_millisecond());
                let new = (dsl::scope.eq(id.scope.name()), dsl::key.eq(&id.key), dsl::state.eq(state), at);
                diesel::insert_into(bucket::table).values(new).prepared().execute(tx.conn)?;
            }
        }
    }
    Ok(())
}
