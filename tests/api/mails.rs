//! Which mails an owner gets: what lowers the protection of an account at once, a flood of the same in few of them.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        person::{LOGIN, Person},
    },
};
use serde_json::json;
use std::collections::BTreeMap;
use twofold::{
    actions::outbox,
    config::Config,
    domain::{
        delivery::{Attempt, Parcel, Target},
        guesses::Policy,
    },
};

const HOUR: i64 = 3600;

fn mails(config: &mut Config) {
    config.mail.url = Some("smtps://mail.example.test".to_owned());
}

/// Guesses that are not counted, so that there can be many.
fn patient(config: &mut Config) {
    mails(config);
    let many = Policy { free: 1000, window: 60, ..Policy::default() };
    (config.limits.code, config.limits.challenge, config.limits.login) = (many, many, many);
}

/// Sends what is due: kind, and how often it says that it happened.
async fn send(app: &TestApp) -> Vec<(String, i64)> {
    while outbox::number(app.rooms()).await.unwrap_or(1) > 0 {}
    let mut sent = Vec::new();
    loop {
        let parcels: Vec<Parcel> = outbox::exchange(app.rooms(), &[], vec![(Target::Mail, 10)]).await.unwrap();
        if parcels.is_empty() {
            return sent;
        }
        sent.extend(parcels.iter().map(|parcel| (parcel.announcement.kind.name().unwrap(), parcel.times)));
        let done: Vec<_> = parcels.into_iter().map(|parcel| (parcel, Attempt::Taken(Some(250)))).collect();
        outbox::exchange(app.rooms(), &done, Vec::new()).await.unwrap();
    }
}

async fn guess(alice: &Person<'_>, times: usize) {
    for _ in 0..times {
        alice.login().await.is(200);
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    }
}

on_both_engines!(fifty_wrong_codes_are_two_mails, |config| patient(config));
async fn fifty_wrong_codes_are_two_mails(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    assert_eq!(send(app).await, [("two_factor.enabled".to_owned(), 1)]);
    let failed = |times| ("login.second_factor_failed".to_owned(), times);
    guess(&alice, 20).await;
    assert_eq!(send(app).await, [failed(1)]);
    guess(&alice, 30).await;
    assert_eq!(send(app).await, []);
    outbox::measure(app.rooms()).await.unwrap();
    assert!(app.metrics().await.contains("twofold_outbox_waiting 0\n"), "what is held back is not stuck");
    app.pass(HOUR);
    assert_eq!(send(app).await, [failed(49)]);
    // The next ones wait for an hour after that mail.
    guess(&alice, 2).await;
    assert_eq!(send(app).await, []);
    app.pass(HOUR);
    assert_eq!(send(app).await, [failed(2)]);
    app.pass(2 * HOUR);
    guess(&alice, 1).await;
    assert_eq!(send(app).await, [failed(1)]);
}

on_both_engines!(what_lowers_the_protection_is_told_each_time_and_at_once, |config| patient(config));
async fn what_lowers_the_protection_is_told_each_time_and_at_once(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..3 {
        guess(&alice, 2).await;
        alice.disable(json!({"code": alice.fresh_code()})).await.is(200);
        alice.sign_in().await;
        alice.set_up().await;
    }
    let mut told = BTreeMap::new();
    for (kind, times) in send(app).await {
        *told.entry(kind).or_insert(0) += times;
    }
    assert_eq!((told["two_factor.disabled"], told["two_factor.enabled"]), (3, 4));
    assert_eq!(count(app, "delivery WHERE kind = 'two_factor.disabled' AND times = 1"), 3);
}

on_both_engines!(a_sign_in_from_a_new_network_is_told_and_the_first_one_is_not, |config| {
    mails(config);
    config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
});
async fn a_sign_in_from_a_new_network_is_told_and_the_first_one_is_not(app: &TestApp) {
    let alice = app.person("alice").await;
    let body = json!({"email": alice.email, "password": alice.password});
    let sign_in = async |from| {
        app.send("POST", LOGIN, &[("X-Forwarded-For", from)], Some(&body)).await.is(200);
        send(app).await.len()
    };
    assert_eq!(sign_in("198.51.100.7").await, 0, "the first one");
    assert_eq!(sign_in("203.0.113.9").await, 1);
    assert_eq!(sign_in("203.0.113.9").await, 0);
    assert_eq!(sign_in("198.51.100.7").await, 0);
    assert_eq!(count(app, "announcement WHERE kind = 'login.succeeded' AND facts LIKE '%203.0.113.0/24%'"), 1);
}

on_both_engines!(without_a_mail_server_no_mail_is_queued);
async fn without_a_mail_server_no_mail_is_queued(app: &TestApp) {
    app.person("alice").await.with_two_factor().await;
    assert_eq!(send(app).await, []);
    assert_eq!(count(app, "delivery"), 0);
}
