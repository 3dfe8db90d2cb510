//! A replica's word on itself: that it serves, and with which keys. Whoever exchanges keys waits for all of them.

use super::{Rooms, keys};
use crate::{
    crypto::{random::Random, rotation::Ring},
    domain::{
        refusal::{Fault, Stop},
        replica::Replica,
    },
    store::replicas,
};
use jiff::Timestamp;
use uuid::Uuid;

/// A process that serves.
pub struct Presence {
    id: Uuid,
    name: String,
}

impl Presence {
    /// One that people know by `name`.
    ///
    /// # Errors
    /// `unavailable` when the random source fails.
    pub fn begin(name: String) -> Result<Self, Fault> {
        // It has to be its own, and says nothing else.
        Ok(Self { id: Random.id(Timestamp::UNIX_EPOCH)?, name })
    }

    /// Reports.
    ///
    /// # Errors
    /// `unavailable`, also while the clock cannot be trusted.
    pub async fn report(&self, rooms: &Rooms) -> Result<(), Stop> {
        let keys = rooms.keys.ring().ids.clone();
        let replica = Replica { id: self.id, name: self.name.clone(), keys, seen_at: rooms.clock.now()? };
        rooms.store.write("report", move |tx| Ok(replicas::report(tx, &replica)?)).await
    }

    /// What this replica must be told of the others: that one makes with a key that is not in our file, so that we
    /// would refuse what it makes.
    ///
    /// # Errors
    /// `unavailable`, `unreadable`.
    pub async fn lacks(&self, rooms: &Rooms) -> Result<Option<String>, Stop> {
        let ours = rooms.keys.ring().ids.clone();
        let lacking = |replica: &Replica| {
            let rings = [Ring::Sealing, Ring::Hashing, Ring::Signing].into_iter();
            let mut firsts = rings.filter_map(|ring| Some((ring, keys::first_of(&replica.keys, ring)?)));
            let (ring, id) = firsts.find(|(ring, id)| !keys::ids_of(&ours, *ring).iter().any(|own| own == id))?;
            Some(format!("{} makes with the {ring} key {id}, which is not in the key file here", replica.name))
        };
        let others = keys::replicas(rooms).await?;
        Ok(others.iter().filter(|replica| replica.id != self.id).find_map(lacking))
    }

    /// Takes leave.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn leave(&self, rooms: &Rooms) -> Result<(), Stop> {
        let id = self.id;
        rooms.store.write("leave", move |tx| Ok(replicas::leave(tx, id)?)).await
    }
}
