//! What happens beside the requests: comparing clocks, taking other keys into use, anchoring the audit, dropping rows
//! that no rule looks at any more, fetching the keys of the portal's own issuer, telling others what was
//! announced, and reminding owners.

pub mod codes;
pub mod issuer;
pub mod mail;
pub mod outbox;
pub mod reminders;
pub mod sms;
pub mod webhooks;

use crate::{
    actions::{Rooms, audit, presence::Presence},
    crypto::watch::Watch,
    domain::anchor::Anchor,
    store::prune::{RULES, Rule},
};
use jiff::Timestamp;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Between two comparisons of our clock with the database's.
const COMPARE_EVERY: Duration = Duration::from_secs(5);
/// Between two looks at the key file: one system call.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two reports of a replica whose keys have not changed.
const REPORT_EVERY: Duration = Duration::from_secs(10);
const ANCHOR_EVERY: Duration = Duration::from_secs(60);
const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// Between two walks over the old events. Each meets the newest row of every account that has been quiet for long.
const WALK_EVERY: Duration = Duration::from_secs(24 * 3600);
/// Between two batches, so that writers are not held up.
const PAUSE: Duration = Duration::from_millis(50);

/// Compares the clocks for ever, at least every `pause`, and says when they part and when they agree again. `tell` hears
/// after each comparison whether requests can be served, or why not; it is what a watchdog waits for.
pub async fn compare_clocks(
    rooms: Arc<Rooms>,
    pause: Option<Duration>,
    mut tell: impl FnMut(Result<(), &'static str>),
) {
    let pause = pause.map_or(COMPARE_EVERY, |pause| pause.min(COMPARE_EVERY));
    let mut was_right = true;
    loop {
        // A database that does not answer is told by every request that needs it.
        tell(rooms.check().await);
        match (was_right, rooms.clock.now()) {
            (true, Err(fault)) => log::error!("answering 503: {fault}"),
            (false, Ok(_)) => log::warn!("our clock agrees with the database's again"),
            _ => {}
        }
        was_right = rooms.clock.now().is_ok();
        tokio::time::sleep(pause).await;
    }
}

/// Looks at the key file for ever, takes other keys into use, and reports which ones this replica works with. A
/// file that is not fit changes nothing: the keys in force stay, and the log says why.
pub async fn keep_keys(rooms: Arc<Rooms>, mut file: Watch, presence: Arc<Presence>) {
    let (mut reported, mut lacked): (Option<Instant>, _) = (None, None);
    loop {
        match file.changed().map(|read| read.and_then(|keys| rooms.take_keys(&keys))) {
            Some(Ok(())) => reported = None,
            Some(Err(unfit)) => log::error!("the keys in force stay: {unfit}"),
            None => {}
        }
        if reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            // After a fault the next round tries again.
            match presence.report(&rooms).await {
                Ok(()) => {
                    reported = Some(Instant::now());
                    lacked = tell_of_others(&rooms, &presence, lacked).await;
                }
                Err(stop) => log::warn!("this replica cannot report its keys: {stop:?}"),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Says once that another replica makes what this one cannot read, whatever it was that exchanged only one file.
async fn tell_of_others(rooms: &Rooms, presence: &Presence, before: Option<String>) -> Option<String> {
    let Ok(lacks) = presence.lacks(rooms).await else { return before };
    if let Some(sentence) = lacks.as_ref().filter(|_| lacks != before) {
        log::error!("{sentence}; copy the newest key file to this machine");
    }
    lacks
}

/// Anchors the audit for ever, and logs each anchor: a log that is kept elsewhere shows one that is missing.
pub async fn anchor(rooms: Arc<Rooms>) {
    loop {
        tokio::time::sleep(ANCHOR_EVERY).await;
        let told = |anchor: &Anchor| {
            let (hash, heads) = (anchor.hash.as_str(), anchor.heads.len());
            log::info!(n = anchor.n, heads = heads, hash = hash; "anchor");
        };
        if let Err(stop) = audit::anchor(&rooms, told).await {
            log::error!("{stop:?}");
        }
    }
}

/// Prunes for ever; after a fault the next round tries again.
pub async fn prune(rooms: Arc<Rooms>) {
    loop {
        tokio::time::sleep(PRUNE_EVERY).await;
        for rule in RULES {
            // What is old is not told by a clock that is wrong.
            while let Ok(now) = rooms.clock.now()
                && prune_batch(&rooms, rule, now).await
            {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether there may be more to drop.
async fn prune_batch(rooms: &Rooms, rule: &'static Rule, now: Timestamp) -> bool {
    let kept = rooms.policy.events_kept;
    let pruned = rooms.store.write("prune", move |tx| Ok(rule.batch(tx, now, kept)?)).await;
    pruned.unwrap_or_else(|stop| {
        log::error!("{}: {stop:?}", rule.table);
        false
    })
}

/// Walks over the old events once a day, for ever; after a fault the walk goes on where it was.
pub async fn prune_events(rooms: Arc<Rooms>) {
    let (mut place, mut pause) = (None, PRUNE_EVERY);
    loop {
        tokio::time::sleep(pause).await;
        pause = PRUNE_EVERY;
        if rooms.clock.now().is_err() {
            continue;
        }
        match audit::drop_old(&rooms, place.clone()).await {
            Ok(next) => {
                pause = if next.is_some() { PAUSE } else { WALK_EVERY };
                place = next;
            }
            Err(stop) => log::error!("{stop:?}"),
        }
    }
}
