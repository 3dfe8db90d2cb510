//! Dropping rows that no rule looks at any more, a few at a time so that writers never wait long. Events,
//! which leave a mark behind, are dropped in `cuts.rs`.

use super::{Tx, known_addresses::KNOWN_FOR_DAYS};
use crate::domain::{announcement::KEPT_DAYS, idempotency::RETENTION, refusal::Fault};
use diesel::{RunQueryDsl, sql_query, sql_types::BigInt};
use jiff::Timestamp;

/// Rows dropped in one transaction.
const BATCH: usize = 200;
const DAY_MS: i64 = 24 * 3_600_000;
/// The ledger looks 30 days back. A day more is kept, since replicas' clocks differ, and a request may have begun a
/// while ago.
const LEDGER_DAYS: i64 = 31;
const ADDRESS_DAYS: i64 = KNOWN_FOR_DAYS + 1;
const UNLOCKED: &str = "AND NOT state LIKE '%\"locked\":true%'";
const LOCKED: &str = "state LIKE '%\"locked\":true%'";

/// Which rows of a table nobody looks at any more.
#[derive(Debug)]
pub struct Rule {
    /// The table.
    pub table: &'static str,
    /// The columns of its primary key.
    key: &'static str,
    /// The column of its age; an index finds the oldest.
    by: &'static str,
    /// What else must be true of a row; the index holds no other rows.
    only: &'static str,
    age: Age,
}

#[derive(Debug)]
enum Age {
    Ms(i64),
    /// As old as the oldest events.
    Events,
}

/// Everything that is dropped, and when.
pub const RULES: &[Rule] = &[
    Rule { table: "challenge", key: "id", by: "expires_at", only: "", age: Age::Ms(DAY_MS) },
    Rule { table: "device", key: "id", by: "expires_at", only: "", age: Age::Ms(DAY_MS) },
    Rule { table: "bypass_code", key: "account_id", by: "expires_at", only: "", age: Age::Ms(DAY_MS) },
    Rule { table: "ceremony", key: "binding", by: "expires_at", only: "", age: Age::Ms(0) },
    // What was never sent is wiped with it.
    Rule { table: "sent_code", key: "method_id", by: "expires_at", only: "", age: Age::Ms(0) },
    // Its secrets are wiped with it.
    Rule { table: "tombstone", key: "account_id", by: "expires_at", only: "", age: Age::Ms(0) },
    Rule { table: "idempotency", key: "account_id, key", by: "created_at", only: "", age: Age::Ms(RETENTION * 1000) },
    // A bucket that a cap has locked stays locked until it is opened, however long nobody asks.
    Rule { table: "bucket", key: "scope, key", by: "updated_at", only: UNLOCKED, age: Age::Ms(LEDGER_DAYS * DAY_MS) },
    // Until then a refresh token that was replaced tells on its thief.
    Rule { table: "session", key: "id", by: "expires_at", only: "", age: Age::Ms(DAY_MS) },
    Rule {
        table: "known_address",
        key: "account_id, address",
        by: "seen_at",
        only: "",
        age: Age::Ms(ADDRESS_DAYS * DAY_MS),
    },
    // Their ids are answered with 410 for a day, and with 404 from then on.
    Rule { table: "method", key: "id", by: "expires_at", only: "AND state = 'pending'", age: Age::Ms(DAY_MS) },
    Rule { table: "method", key: "id", by: "ended_at", only: "AND state = 'abandoned'", age: Age::Ms(DAY_MS) },
    // Events name them.
    Rule { table: "method", key: "id", by: "ended_at", only: "AND state = 'removed'", age: Age::Events },
    Rule { table: "announcement", key: "id", by: "at", only: "", age: Age::Ms(KEPT_DAYS * DAY_MS) },
    Rule { table: "delivery", key: "target, position", by: "created_at", only: "", age: Age::Ms(KEPT_DAYS * DAY_MS) },
];

impl Rule {
    /// Drops one batch of the oldest rows that are due, and returns whether there may be more.
    ///
    /// # Errors
    /// `unavailable`.
    pub fn batch(&self, tx: &mut Tx<'_>, now: Timestamp, events_kept: u32) -> Result<bool, Fault> {
        let age = match self.age {
            Age::Ms(age) => age,
            Age::Events if events_kept == 0 => return Ok(false),
            Age::Events => i64::from(events_kept) * DAY_MS,
        };
        let before = now.as_millisecond() - age;
        let Self { table, key, by, only, .. } = self;
        if *only == UNLOCKED && put_locked_off(tx, now, before)? > 0 {
            return Ok(true);
        }
        // What moved between the inner query and the lock is judged again by the outer one, which `+ 0` keeps from
        // looking for more than the keys that it was given.
        let statement = format!(
            "DELETE FROM {table} WHERE {by} + 0 < $1 {only} AND ({key}) IN \
             (SELECT {key} FROM {table} WHERE {by} < $1 {only} ORDER BY {by} LIMIT {BATCH})"
        );
        let dropped = sql_query(statement).bind::<BigInt, _>(before).execute(tx.conn)?;
        Ok(dropped >= BATCH)
    }
}

/// Locked buckets among the oldest would lie before all others for ever; they are looked at again when they are as
/// old once more.
fn put_locked_off(tx: &mut Tx<'_>, now: Timestamp, before: i64) -> Result<usize, Fault> {
    let statement = format!(
        "UPDATE bucket SET updated_at = $1 WHERE updated_at + 0 < $2 AND {LOCKED} AND (scope, key) IN \
         (SELECT scope, key FROM bucket WHERE updated_at < $2 ORDER BY updated_at LIMIT {BATCH})"
    );
    let put_off = sql_query(statement).bind::<BigInt, _>(now.as_millisecond()).bind::<BigInt, _>(before);
    Ok(put_off.execute(tx.conn)?)
}
