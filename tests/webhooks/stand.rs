//! A partner who sees every account, with webhooks, and the workers that tell them.

use crate::support::{
    TestApp,
    behind::{count, tamper},
    partner::{Partner, newcomer},
};
use serde_json::{Value, json};
use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};
use twofold::{
    actions::outbox,
    worker::{self, webhooks::Webhooks},
};

pub const WEBHOOKS: &str = "/partner/webhooks";

/// A partner who sees every account.
pub async fn acme(app: &TestApp) -> Partner<'_> {
    let acme = newcomer(app, "Acme", "webhooks:manage", true).await;
    acme.take_token("").await;
    acme
}

/// Adds a webhook: its path, and its secret.
pub async fn add(acme: &Partner<'_>, url: &str) -> (String, String) {
    let added = acme.post(WEBHOOKS, &json!({ "url": url })).await.is(201);
    (format!("{WEBHOOKS}/{}", added.text("/webhook/id")), added.text("/secret"))
}

/// Every replica tells from now on.
pub fn tell(app: &TestApp) {
    for rooms in app.shared_rooms() {
        let numbered = Arc::default();
        let channel = Rc::new(Webhooks::new(rooms.egress).unwrap());
        actix_web::rt::spawn(worker::outbox::number(rooms.clone(), Arc::clone(&numbered)));
        actix_web::rt::spawn(worker::outbox::deliver(rooms.clone(), channel, numbered));
        actix_web::rt::spawn(worker::webhooks::tidy(rooms));
    }
}

/// Numbers what was announced.
pub async fn number(app: &TestApp) {
    while outbox::number(app.rooms()).await.unwrap_or(1) > 0 {}
}

/// The deliveries of a webhook, newest first.
pub async fn log_of(acme: &Partner<'_>, one: &str) -> Vec<Value> {
    acme.get(&format!("{one}/deliveries?limit=100")).await.is(200).body["deliveries"].as_array().unwrap().clone()
}

/// Waits until so many rows are there.
pub async fn until(app: &TestApp, from: &str, rows: i64) {
    let began = Instant::now();
    while count(app, from) != rows {
        assert!(began.elapsed() < Duration::from_secs(25), "{} of {rows} rows in {from}", count(app, from));
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Gives every delivery to a webhook `copies` siblings, of announcements that are made up for them.
pub fn multiply(app: &TestApp, copies: i64) {
    let first = count(app, "announcement");
    for n in first + 1..=first + copies {
        let id = format!("01a20c1b-7c00-7d52-9a1e-{n:012}");
        tamper(
            app,
            &format!(
                "INSERT INTO announcement (id, account_id, kind, at, seq, recipient, locale, facts, position) \
             SELECT '{id}', account_id, kind, at, seq, recipient, locale, facts, {n} FROM announcement WHERE position = 1"
            ),
        );
        tamper(
            app,
            &format!(
                "INSERT INTO delivery (target, position, account_id, kind, created_at, due_at, attempts, state) \
             SELECT target, {n}, account_id, kind, created_at, due_at, 0, 'waiting' FROM delivery WHERE position = 1"
            ),
        );
    }
    tamper(app, &format!("UPDATE feed SET position = {}", first + copies));
}
