//! Whether a database is fit to be served: questions that change nothing.

use super::Rooms;
use crate::{
    domain::{refusal::Stop, replica::Replica},
    store::{events, replicas},
};
use jiff::Timestamp;
use uuid::Uuid;

/// That the database takes writes.
///
/// # Errors
/// `unavailable` when it does not.
pub async fn takes_writes(rooms: &Rooms) -> Result<(), Stop> {
    // Nobody has this id, so nothing changes; the engine must be ready to write all the same.
    rooms.store.write("doctor", |tx| Ok(replicas::leave(tx, Uuid::nil())?)).await
}

/// How many milliseconds the database is ahead of `now`: its clock, or, where it has none, its newest event. None
/// where there is neither.
///
/// # Errors
/// `unavailable`.
pub async fn ahead(rooms: &Rooms, now: Timestamp) -> Result<Option<i64>, Stop> {
    if let Some(skew) = rooms.store.clock_skew(now).await? {
        return Ok(Some(skew));
    }
    let newest = rooms.store.read("doctor", |db| Ok(events::newest(db)?)).await?;
    Ok(newest.map(|at| (at.as_millisecond() - now.as_millisecond()).max(0)))
}

/// Those among `replicas` that have other keys than this process.
pub fn at_odds<'a>(rooms: &Rooms, replicas: &'a [Replica]) -> Vec<&'a Replica> {
    let ring = rooms.keys.ring();
    replicas.iter().filter(|replica| replica.keys != ring.ids).collect()
}
