//! What happens beside the requests: for now, dropping rows that no rule looks at any more.

use crate::{
    actions::Rooms,
    store::{Store, prune},
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};

const EVERY: Duration = Duration::from_secs(60);
/// Between two batches, so that writers are not held up.
const PAUSE: Duration = Duration::from_millis(50);

/// Prunes for ever; after a fault the next round tries again.
pub async fn prune(rooms: Arc<Rooms>) {
    loop {
        tokio::time::sleep(EVERY).await;
        while prune_batch(&rooms.store, (rooms.clock)()).await > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn prune_batch(store: &Store, now: Timestamp) -> usize {
    let pruned = store.write("prune", move |tx| Ok(prune::batch(tx, now)?)).await;
    pruned.unwrap_or_else(|stop| {
        log::error!("{stop:?}");
        0
    })
}
