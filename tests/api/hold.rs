//! The security hold: for a day after an account's protection was lowered, whoever relies on it is asked to hold back.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        desk::{self, RESET, about, account_of, ask, bypass_code},
        person::{CODES, Person, STATUS, VERIFY},
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};
use twofold::config::Config;

const DAY: i64 = 86_400;

/// Seconds until the hold ends, as the owner reads it.
async fn held_for(person: &Person<'_>) -> Option<i64> {
    let until = person.status().await["restricted_until"].as_str()?.parse::<Timestamp>().unwrap();
    Some(until.as_second() - person.app.now().as_second())
}

on_both_engines!(after_a_disable_others_hold_back_for_a_day);
async fn after_a_disable_others_hold_back_for_a_day(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    assert_eq!(held_for(&alice).await, None);
    let off = alice.disable(json!({})).await.is(200);
    alice.take_tokens(&off, "/tokens");
    assert_eq!(held_for(&alice).await, Some(DAY));
    // Setting it up again proves a phone and not its owner: the hold lasts.
    alice.set_up().await;
    assert_eq!(held_for(&alice).await, Some(DAY - 30));
    app.pass(DAY - 31);
    alice.refresh().await.is(200);
    assert_eq!(held_for(&alice).await, Some(1));
    app.pass(1);
    alice.refresh().await.is(200);
    assert_eq!(held_for(&alice).await, None);
}

on_both_engines!(whoever_comes_in_by_a_recovery_code_is_held);
async fn whoever_comes_in_by_a_recovery_code_is_held(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let version = |reply: &crate::support::reply::Reply| -> i64 {
        reply.header("etag").unwrap().trim_matches('"').parse().unwrap()
    };
    let before = version(&alice.get(STATUS).await.is(200));
    alice.elsewhere().sign_in().await;
    assert_eq!(held_for(&alice).await, None, "a code of the phone is no reason");
    let code = alice.recovery_codes.borrow()[0].clone();
    alice.answer_challenge(json!({"recovery_code": code})).await.is(200);
    assert_eq!(held_for(&alice).await, Some(DAY));
    assert_eq!(version(&alice.get(STATUS).await), before + 1, "the use of the code moved it, the hold did not");
    // Inside a session it is as good a reason.
    app.pass(DAY);
    alice.refresh().await.is(200);
    let code = alice.recovery_codes.borrow()[1].clone();
    let verified = alice.post(VERIFY, &json!({"recovery_code": code})).await.is(200);
    alice.take_tokens(&verified, "");
    assert_eq!(held_for(&alice).await, Some(DAY));
    app.pass(DAY);
    alice.refresh().await.is(200);
    let code = alice.recovery_codes.borrow()[2].clone();
    alice.post(CODES, &json!({"password": alice.password, "recovery_code": code})).await.is(200);
    assert_eq!(held_for(&alice).await, Some(DAY));
}

on_both_engines!(what_support_lowers_is_held_too);
async fn what_support_lowers_is_held_too(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let before = alice.get(STATUS).await.is(200);
    let code = bypass_code(&carla, &id).await;
    assert_eq!(held_for(&alice).await, None, "nobody has used it yet");
    alice.answer_challenge(json!({"recovery_code": code})).await.is(200);
    assert_eq!(held_for(&alice).await, Some(DAY));
    assert_eq!(alice.get(STATUS).await.header("etag"), before.header("etag"));
    app.pass(600);
    desk::step_up(&carla).await;
    ask(&carla, &id, RESET).await.is(200);
    alice.sign_in().await;
    let held = held_for(&alice).await;
    assert_eq!(held, Some(DAY), "from the last of both");
    let seen = carla.get(&about(&id, "2fa")).await.is(200);
    assert_eq!(seen.body["restricted_until"], alice.status().await["restricted_until"]);
}

on_both_engines!(an_operator_may_want_no_hold, |config: &mut Config| config.restricted_for = 0);
async fn an_operator_may_want_no_hold(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.recovery_codes.borrow()[0].clone();
    alice.answer_challenge(json!({"recovery_code": code})).await.is(200);
    let off = alice.disable(json!({})).await.is(200);
    alice.take_tokens(&off, "/tokens");
    assert_eq!(alice.status().await["restricted_until"], Value::Null);
    let policy = app.get("/.well-known/two-factor-policy").await.is(200);
    assert_eq!(policy.body["restricted_for"], 0);
}
