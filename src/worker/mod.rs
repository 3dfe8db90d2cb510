//! What happens beside the requests: comparing clocks, anchoring the audit, and dropping rows that no rule
//! looks at any more.

use crate::{
    actions::{Rooms, audit},
    store::{Store, prune},
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};

/// Between two comparisons of our clock with the database's.
const COMPARE_EVERY: Duration = Duration::from_secs(5);
const ANCHOR_EVERY: Duration = Duration::from_secs(60);
const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// Between two batches, so that writers are not held up.
const PAUSE: Duration = Duration::from_millis(50);

/// Compares the clocks for ever, and says when they part and when they agree again.
pub async fn compare_clocks(rooms: Arc<Rooms>) {
    let mut was_right = true;
    loop {
        // A database that does not answer is told by every request that needs it.
        if rooms.compare_clocks().await.is_ok() {
            match (was_right, rooms.clock.now()) {
                (true, Err(fault)) => log::error!("answering 503: {fault}"),
                (false, Ok(_)) => log::warn!("our clock agrees with the database's again"),
                _ => {}
            }
            was_right = rooms.clock.now().is_ok();
        }
        tokio::time::sleep(COMPARE_EVERY).await;
    }
}

/// Anchors the audit for ever, and logs each anchor: a log that is kept elsewhere shows one that is missing.
pub async fn anchor(rooms: Arc<Rooms>) {
    loop {
        tokio::time::sleep(ANCHOR_EVERY).await;
        match audit::anchor(&rooms).await {
            Ok(anchors) => {
                for anchor in anchors {
                    let (hash, heads) = (anchor.hash.as_str(), anchor.heads.len());
                    log::info!(n = anchor.n, heads = heads, hash = hash; "anchor");
                }
            }
            Err(stop) => log::error!("{stop:?}"),
        }
    }
}

/// Prunes for ever; after a fault the next round tries again.
pub async fn prune(rooms: Arc<Rooms>) {
    loop {
        tokio::time::sleep(PRUNE_EVERY).await;
        // What is old is not told by a clock that is wrong.
        let Ok(now) = rooms.clock.now() else { continue };
        while prune_batch(&rooms.store, now).await > 0 {
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
