//! What is dropped, when, and what that leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod cuts;
mod forgeries;
mod rows;

use support::TestApp;
use twofold::{
    actions::{Rooms, audit},
    config::Config,
    domain::{
        event::{Event, EventKind, Origin},
        id::AccountId,
        refusal::{Refusal, Stop},
    },
    store::{Tx, accounts, prune},
};

const DAY: i64 = 24 * 3600;

/// The shortest time that events can be kept.
fn a_month(config: &mut Config) {
    config.events_kept_days = 31;
}

/// Drops every row that is due, events aside.
async fn prune(app: &TestApp) {
    prune_by(app.rooms(), app.now()).await;
}

async fn prune_by(rooms: &Rooms, now: jiff::Timestamp) {
    let kept = rooms.policy.events_kept;
    for rule in prune::RULES {
        while rooms.store.write("test", move |tx| Ok(rule.batch(tx, now, kept)?)).await.unwrap() {}
    }
}

/// Walks over the old events once; in how many steps.
async fn drop_old_events(app: &TestApp) -> usize {
    drop_old_events_by(app.rooms()).await
}

async fn drop_old_events_by(rooms: &Rooms) -> usize {
    let (mut steps, mut place) = (0, None);
    loop {
        steps += 1;
        place = audit::drop_old(rooms, place).await.unwrap();
        if place.is_none() {
            return steps;
        }
    }
}

/// What `audit verify` says: how many rows it read, or what is broken.
async fn verify(app: &TestApp) -> Result<u64, String> {
    audit::verify(&app.cx(), None).await.unwrap().map_err(|broken| broken.to_string())
}

async fn account(app: &TestApp, name: &str) -> AccountId {
    app.add_account(&format!("{name}@example.test"), &format!("{name} has a long password")).await.parse().unwrap()
}

/// Records an event of an account, which nothing else changes.
fn note(tx: &mut Tx<'_>, (origin, now): &(Origin, jiff::Timestamp), id: AccountId) -> Result<(), Stop> {
    let mut account = accounts::lock(tx, id)?.ok_or(Refusal::NotFound)?;
    let event = Event::of_system(EventKind::SessionRevoked);
    Ok(accounts::record(tx, &mut account, origin, *now, &event, |_| {})?)
}

/// Records `count` events of an account at this moment.
async fn note_many(app: &TestApp, id: AccountId, count: usize) {
    let at = (app.cx().origin, app.now());
    app.store().write("test", move |tx| (0..count).try_for_each(|_| note(tx, &at, id))).await.unwrap();
}
