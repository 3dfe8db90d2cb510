//! What is dropped, when, and what that leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod cuts;
mod forgeries;
mod rows;

use support::TestApp;
use twofold::{
    actions::audit,
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

/// Drops every row that is due, events aside; how many batches that took.
async fn prune(app: &TestApp) -> usize {
    let (now, kept) = (app.now(), app.config.events_kept_days);
    let mut batches = 0;
    for rule in &prune::RULES {
        while app.store().write("test", move |tx| Ok(rule.batch(tx, now, kept)?)).await.unwrap() {
            batches += 1;
        }
        batches += 1;
    }
    batches
}

/// Walks over the old events once; in how many steps.
async fn drop_old_events(app: &TestApp) -> usize {
    let (mut steps, mut place) = (0, None);
    loop {
        steps += 1;
        place = audit::drop_old(app.rooms(), place).await.unwrap();
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
