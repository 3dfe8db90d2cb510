//! A request that is sent twice takes effect once.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{CODES, DISABLE, SESSIONS, TOTP_PATH, VERIFY},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};

on_both_engines!(a_disable_whose_answer_was_lost_is_told_again);
async fn a_disable_whose_answer_was_lost_is_told_again(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let body = json!({"password": alice.password, "reason": "new_phone"});
    let first = alice.post_once("k-1", DISABLE, &body).await.is(200);
    assert!(first.header("idempotent-replayed").is_none());
    // The caller has no new tokens: it refreshes, and repeats.
    alice.refresh().await.is(200);
    let again = alice.post_once("k-1", DISABLE, &body).await.is(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.body["tokens"], Value::Null);
    for member in ["enabled", "disabled_at", "revoked", "reminder_at", "message"] {
        assert_eq!(first.body[member], again.body[member]);
    }
    alice.post_once("k-2", DISABLE, &body).await.is(409).refuses("two-factor-not-enabled");
    let kinds = alice.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "two_factor.disabled").count(), 1);
}

on_both_engines!(a_key_stands_for_one_body_and_tests_no_password);
async fn a_key_stands_for_one_body_and_tests_no_password(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.post_once("k", DISABLE, &json!({"password": alice.password, "reason": "other"})).await.is(200);
    alice.refresh().await.is(200);
    let other = json!({"password": alice.password, "reason": "new_phone"});
    alice.post_once("k", DISABLE, &other).await.is(422).refuses("idempotency-key-reused");
    // Credentials are no part of it: a wrong one replays like the right one.
    let wrong = json!({"password": "wrong password", "reason": "other"});
    alice.post_once("k", DISABLE, &wrong).await.is(200);
}

on_both_engines!(secrets_are_never_told_again);
async fn secrets_are_never_told_again(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let start = json!({"password": alice.password});
    let reply = alice.post_once("start", TOTP_PATH, &start).await.is(201);
    *alice.secret.borrow_mut() = reply.text("/secret");
    alice.post_once("start", TOTP_PATH, &start).await.is(409).refuses("already-completed");
    assert_eq!(alice.status().await["pending"].as_array().unwrap().len(), 1);

    let confirm = format!("{TOTP_PATH}/{}/confirm", reply.text("/id"));
    let code = json!({"code": alice.fresh_code()});
    let confirmed = alice.post_once("confirm", &confirm, &code).await.is(200);
    alice.take_tokens(&confirmed, "/tokens");
    alice.post_once("confirm", &confirm, &code).await.is(409).refuses("already-completed");

    alice.post_once("codes", CODES, &start).await.is(200);
    alice.post_once("codes", CODES, &start).await.is(409).refuses("already-completed");
    let step_up = json!({"code": alice.fresh_code()});
    alice.post_once("verify", VERIFY, &step_up).await.is(200);
    alice.post_once("verify", VERIFY, &step_up).await.is(409).refuses("already-completed");
}

on_both_engines!(a_confirm_that_made_no_codes_is_told_again);
async fn a_confirm_that_made_no_codes_is_told_again(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let id = alice.start_enrolment(json!({})).await;
    let confirm = format!("{TOTP_PATH}/{id}/confirm");
    let code = json!({"code": alice.fresh_code()});
    alice.post_once("k", &confirm, &code).await.is(200);
    alice.refresh().await.is(200);
    let again = alice.post_once("k", &confirm, &code).await.is(200);
    assert_eq!(again.body["status"]["methods"].as_array().unwrap().len(), 2);
    assert_eq!(again.body["tokens"], Value::Null);
}

on_both_engines!(of_thirty_requests_with_one_key_one_is_carried_out);
async fn of_thirty_requests_with_one_key_one_is_carried_out(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let body = json!({"password": alice.password});
    let replies = join_all((0..30).map(|_| alice.post_once("k", CODES, &body))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    for reply in replies.into_iter().filter(|reply| reply.status != 200) {
        assert!(["request-in-progress", "already-completed"].contains(&reply.text("/code").as_str()), "{}", reply.body);
    }
    let kinds = alice.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "recovery_codes.regenerated").count(), 1);
}

on_both_engines!(a_refusal_frees_its_key);
async fn a_refusal_frees_its_key(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.post_once("k", CODES, &json!({"password": "wrong password"})).await.is(403);
    alice.post_once("k", CODES, &json!({"password": alice.password})).await.is(200);
}

on_both_engines!(keys_belong_to_account_and_path_and_a_day);
async fn keys_belong_to_account_and_path_and_a_day(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let bob = app.person("bob").await;
    bob.sign_in().await;
    let path = format!("{SESSIONS}/end-others");
    for person in [&alice, &bob] {
        let reply = person.send("POST", &path, &[("Idempotency-Key", "k")], None).await.is(200);
        assert!(reply.header("idempotent-replayed").is_none());
    }
    let start = alice.post_once("k", TOTP_PATH, &json!({"password": alice.password})).await.is(201);
    drop(start);
    let again = alice.send("POST", &path, &[("Idempotency-Key", "k")], None).await.is(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    app.pass(24 * 3600);
    alice.refresh().await.is(200);
    let fresh = alice.send("POST", &path, &[("Idempotency-Key", "k")], None).await.is(200);
    assert!(fresh.header("idempotent-replayed").is_none());
}

on_both_engines!(a_key_that_is_none_is_malformed);
async fn a_key_that_is_none_is_malformed(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    for key in ["", &"x".repeat(65), "é"] {
        alice.post_once(key, DISABLE, &json!({"password": alice.password})).await.is(400);
    }
}
