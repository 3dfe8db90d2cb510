//! Exchanging keys while the service runs: who has which, what still needs an old one, and sealing secrets anew.

use super::{Cx, Rooms};
use crate::{
    crypto::rotation::{Old, Ring},
    domain::{
        id::{MethodId, WebhookId},
        policy::Policy,
        refusal::Stop,
        replica::{KeyIds, Replica},
    },
    store::{
        key_uses::{self, Place, Rows},
        replicas, resealing, webhook_secrets,
    },
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// Between two batches, so that writers are not held up.
const PAUSE: Duration = Duration::from_millis(20);
/// Requests that began before a key was replaced have ended after so many seconds; clocks differ by less, too.
const UNDER_WAY: i64 = 60;

/// How many rows need each key, by its name.
pub type Uses = BTreeMap<String, u64>;

/// What the walk over all secrets has done.
#[derive(Debug, Default)]
pub struct Resealed {
    /// Secrets that are under the first key now, and were not before.
    pub done: u64,
    /// Those that no key of the file opens.
    pub unreadable: Vec<MethodId>,
    /// Webhooks whose secret no key of the file opens.
    pub unreadable_webhooks: Vec<WebhookId>,
}

/// Why an old key has to stay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Needed {
    /// Somebody may still make with it.
    #[error("nobody has seen that every replica makes with the new key; run `twofold keys rotate`")]
    Unsettled,
    /// Somebody does.
    #[error("{0} makes with another key than the first of this file")]
    Replica(String),
    /// Rows were made with it.
    #[error("{rows} {what} need it; {remedy}")]
    Rows {
        /// How many.
        rows: u64,
        /// What they are.
        what: &'static str,
        /// What makes them fewer.
        remedy: &'static str,
    },
    /// What was made with it still counts.
    #[error("what it made is good until {0:.0}")]
    Until(Timestamp),
}

/// The replicas that serve.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn replicas(rooms: &Rooms) -> Result<Vec<Replica>, Stop> {
    let now = rooms.clock.now()?;
    rooms.store.read("replicas", move |db| Ok(replicas::living(db, now)?)).await
}

/// How many rows need each key of a ring. Token keys are needed by no row.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn uses(rooms: &Rooms, ring: Ring) -> Result<Uses, Stop> {
    let kinds: &[Rows] = match ring {
        Ring::Sealing => &Rows::SEALED,
        Ring::Hashing => &Rows::HASHED,
        Ring::Signing => &[],
    };
    let (mut uses, now) = (Uses::new(), rooms.clock.now()?);
    for rows in kinds.iter().copied() {
        let mut place = Some(Place::default());
        while let Some(after) = place {
            let page = rooms.store.read("key-uses", move |db| Ok(key_uses::page(db, rows, &after, now)?));
            let (names, next) = page.await?;
            for name in names {
                *uses.entry(name).or_default() += 1;
            }
            place = next;
        }
    }
    Ok(uses)
}

/// Keys that rows need and the key file does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rows} rows need the {ring} key {id}, which the key file does not have; put it back")]
pub struct Missing {
    /// Where it belongs.
    pub ring: Ring,
    /// Its name.
    pub id: String,
    /// How many rows need it.
    pub rows: u64,
}

/// The keys that rows need and that are not there.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn missing(rooms: &Rooms) -> Result<Vec<Missing>, Stop> {
    let (ids, mut missing) = (rooms.keys.ring().ids.clone(), Vec::new());
    for ring in [Ring::Sealing, Ring::Hashing] {
        let uses = uses(rooms, ring).await?.into_iter();
        let unknown = uses.filter(|(id, _)| !ids_of(&ids, ring).contains(id));
        missing.extend(unknown.map(|(id, rows)| Missing { ring, id, rows }));
    }
    Ok(missing)
}

/// A key that the database needs and the key file does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database needs the {ring} key {id}, which the key file does not have; name the key file of this database, or put \
     the key back"
)]
pub struct Lacking {
    /// Where it belongs.
    pub ring: Ring,
    /// Its name.
    pub id: String,
}

/// Whether a key is not there that the oldest secrets or recovery codes need: one page of each, so that a start takes
/// no longer with a million accounts. It tells the key file of another database; whether all keys are there, [`missing`]
/// tells.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn lacking(rooms: &Rooms) -> Result<Option<Lacking>, Stop> {
    let (ids, now) = (rooms.keys.ring().ids.clone(), rooms.clock.now()?);
    for (ring, rows) in [(Ring::Sealing, Rows::Secrets), (Ring::Hashing, Rows::RecoveryCodes)] {
        let page = rooms.store.read("key-uses", move |db| Ok(key_uses::page(db, rows, &Place::default(), now)?));
        let (names, _) = page.await?;
        if let Some(id) = names.into_iter().find(|id| !ids_of(&ids, ring).contains(id)) {
            return Ok(Some(Lacking { ring, id }));
        }
    }
    Ok(None)
}

/// Seals every secret under the first key that is under another one, and tells after each batch how many it has
/// sealed. Broken off, it goes on where it was when it is begun again.
///
/// # Errors
/// `unavailable`.
pub async fn reseal(rooms: &Rooms, mut told: impl FnMut(u64)) -> Result<Resealed, Stop> {
    let mut outcome = Resealed::default();
    for place in resealing::Place::ALL {
        let mut next = Some(String::new());
        while let Some(after) = next {
            let page = rooms.store.read("stale-secrets", move |db| Ok(resealing::page(db, place, &after)?)).await?;
            next = page.next;
            if page.stale.is_empty() {
                continue;
            }
            let stale = page.stale;
            let batch = rooms.store.write("reseal", move |tx| Ok(resealing::reseal(tx, &stale)?)).await?;
            outcome.done += batch.done;
            outcome.unreadable.extend(batch.unreadable);
            told(outcome.done);
            tokio::time::sleep(PAUSE).await;
        }
    }
    reseal_webhooks(rooms, &mut outcome, told).await?;
    Ok(outcome)
}

async fn reseal_webhooks(rooms: &Rooms, outcome: &mut Resealed, mut told: impl FnMut(u64)) -> Result<(), Stop> {
    let mut next = Some(String::new());
    while let Some(after) = next {
        let page = rooms.store.read("stale-webhooks", move |db| Ok(webhook_secrets::page(db, &after)?)).await?;
        next = page.next;
        if page.stale.is_empty() {
            continue;
        }
        let stale = page.stale;
        let batch = rooms.store.write("reseal-webhooks", move |tx| Ok(webhook_secrets::reseal(tx, &stale)?));
        let (done, unreadable) = batch.await?;
        outcome.done += done;
        outcome.unreadable_webhooks.extend(unreadable);
        told(outcome.done);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// The key of a ring that a replica makes with.
pub fn first_of(keys: &KeyIds, ring: Ring) -> Option<&str> {
    ids_of(keys, ring).first().map(String::as_str)
}

/// The keys of a ring that a replica has.
pub fn ids_of(keys: &KeyIds, ring: Ring) -> &[String] {
    match ring {
        Ring::Sealing => &keys.sealing,
        Ring::Hashing => &keys.hashing,
        Ring::Signing => &keys.signing,
    }
}

/// Why `old` cannot be dropped yet; `None` when nothing needs it. `first` is the key in its place.
pub fn needed(cx: &Cx, ring: Ring, old: &Old, first: &str, replicas: &[Replica], uses: &Uses) -> Option<Needed> {
    let Some(since) = old.unused_since else { return Some(Needed::Unsettled) };
    if let Some(replica) = replicas.iter().find(|replica| first_of(&replica.keys, ring) != Some(first)) {
        return Some(Needed::Replica(replica.name.clone()));
    }
    let until = since.checked_add(SignedDuration::from_secs(lives(ring, &cx.policy) + UNDER_WAY)).unwrap_or(since);
    match uses.get(&old.id) {
        Some(&rows) => {
            let (what, remedy) = match ring {
                Ring::Sealing => ("secrets of authenticators and webhooks", "run `twofold keys rotate --sealing`"),
                _ => (
                    "recovery codes, sessions, sign-ins and secrets of clients",
                    "they are used up, replaced, or end in time; a client's is moved when it next asks for a token",
                ),
            };
            Some(Needed::Rows { rows, what, remedy })
        }
        None => (cx.now < until).then_some(Needed::Until(until)),
    }
}

/// Seconds that what a key made counts, where no row says so: an access token lives by itself, and a refresh token
/// that was replaced tells on its thief as long as its session may live.
fn lives(ring: Ring, policy: &Policy) -> i64 {
    match ring {
        Ring::Sealing => 0,
        Ring::Hashing => policy.session_max.into(),
        Ring::Signing => policy.access_token_ttl.into(),
    }
}
