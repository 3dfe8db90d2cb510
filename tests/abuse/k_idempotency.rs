//! K: a request that is sent twice takes effect once, wherever it arrives.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::tamper,
        person::{CODES, DISABLE, EVENTS, PASSWORD, Person, SESSIONS, STATUS, TOTP_PATH},
        race::race,
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};

async fn version(person: &Person<'_>) -> i64 {
    person.get(STATUS).await.is(200).header("etag").unwrap().trim_matches('"').parse().unwrap()
}

async fn count(person: &Person<'_>, kind: &str) -> usize {
    person.event_kinds().await.iter().filter(|found| *found == kind).count()
}

/// Sends a change, takes its tokens, and sends it three more times: on two replicas, each gets one of these.
async fn is_told_again(person: &Person<'_>, key: &str, path: &str, body: Option<&Value>, tokens: Option<&str>) {
    let send = async || person.send("POST", path, &[("Idempotency-Key", key)], body).await;
    let first = send().await.is(200);
    assert!(first.header("idempotent-replayed").is_none());
    if let Some(pointer) = tokens {
        person.take_tokens(&first, pointer);
    }
    let mut expected = first.body.clone();
    if let Some(tokens) = expected.get_mut("tokens") {
        *tokens = Value::Null;
    }
    for _ in 0..3 {
        let again = send().await.is(200);
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{path}");
        assert_eq!(again.body.to_string(), expected.to_string(), "{path}");
        assert_eq!(again.header("etag"), first.header("etag"), "{path}");
    }
}

on_both_engines!(an_answer_is_told_again_to_the_letter_by_every_replica);
/// K01: a client whose answer got lost repeats the request, and a balancer sends it to the other replica.
async fn an_answer_is_told_again_to_the_letter_by_every_replica(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let phone = alice.elsewhere();
    phone.sign_in().await;
    is_told_again(&alice, "k", &format!("{SESSIONS}/end-others"), None, None).await;
    let first = alice.method.borrow().clone();
    let id = alice.start_enrolment(json!({"label": "Second"})).await;
    let code = json!({"code": alice.fresh_code()});
    is_told_again(&alice, "k", &format!("{TOTP_PATH}/{id}/confirm"), Some(&code), Some("/tokens")).await;
    let password = json!({"password": alice.password});
    let remove = format!("/account/security/2fa/methods/{first}/remove");
    is_told_again(&alice, "k", &remove, Some(&password), Some("/tokens")).await;
    let before = version(&alice).await;
    is_told_again(&alice, "k", DISABLE, Some(&password), Some("/tokens")).await;
    assert_eq!(version(&alice).await, before + 1);
    let once = ["method.added", "method.removed", "two_factor.disabled", "session.revoked"];
    for kind in once {
        assert_eq!(count(&alice, kind).await, 1, "{kind}");
    }
}

on_both_engines!(what_is_not_told_again_is_not_done_again_either);
/// K01: where the answer is pointless without its secret there is none, and still no second effect.
async fn what_is_not_told_again_is_not_done_again_either(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let start = json!({"password": alice.password, "label": "Spare"});
    let codes = json!({"password": alice.password});
    let change = json!({"current_password": alice.password, "new_password": "another long password"});
    let sent = [(TOTP_PATH, &start, 201, ""), (CODES, &codes, 200, ""), (PASSWORD, &change, 200, "/access_token")];
    for (path, body, status, tokens) in sent {
        let first = alice.post_once("k", path, body).await.is(status);
        if !tokens.is_empty() {
            alice.take_tokens(&first, "");
        }
        let (before, events) = (version(&alice).await, alice.event_kinds().await.len());
        for _ in 0..3 {
            alice.post_once("k", path, body).await.is(409).refuses("already-completed");
        }
        assert_eq!((version(&alice).await, alice.event_kinds().await.len()), (before, events), "{path}");
    }
    assert_eq!(alice.status().await["pending"].as_array().unwrap().len(), 1);
}

on_both_engines!(another_body_under_a_used_key_does_nothing);
/// K02: a client that reuses a key for something else has lost count; doing either would be a guess.
async fn another_body_under_a_used_key_does_nothing(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let start = |label: &str| json!({"password": alice.password, "label": label});
    alice.post_once("k", TOTP_PATH, &start("Spare")).await.is(201);
    let before = alice.status().await;
    for other in
        [start("Other"), json!({"password": alice.password}), json!({"password": "wrong password", "label": "x"})]
    {
        for _ in 0..2 {
            alice.post_once("k", TOTP_PATH, &other).await.is(422).refuses("idempotency-key-reused");
        }
    }
    assert_eq!(alice.status().await, before);
}

on_both_engines!(of_thirty_with_one_key_at_once_one_is_carried_out);
/// K03: a nervous client sends all its repeats before the first is done, to whichever replica takes them.
async fn of_thirty_with_one_key_at_once_one_is_carried_out(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let body = json!({"password": alice.password});
    race(app, async |n| {
        alice.sign_in_again_if_needed().await;
        let (key, before) = (format!("k-{n}"), version(&alice).await);
        let replies = join_all((0..30).map(|_| alice.post_once(&key, CODES, &body))).await;
        let (done, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(done.len(), 1);
        for reply in refused {
            let code = reply.is(409).text("/code");
            assert!(["request-in-progress", "already-completed"].contains(&code.as_str()), "{code}");
        }
        assert_eq!(version(&alice).await, before + 1);
        // The set that was shown is the one that works.
        let code = done[0].texts("/recovery_codes")[0].clone();
        alice.answer_challenge(json!({"recovery_code": code})).await.is(200);
    })
    .await;
}

on_both_engines!(of_many_disables_with_one_key_one_answer_is_told_to_all);
/// K03: a burst of the one request that everything else is about.
async fn of_many_disables_with_one_key_one_answer_is_told_to_all(app: &TestApp) {
    race(app, async |n| {
        let alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        let body = json!({"password": alice.password});
        let replies = join_all((0..8).map(|_| alice.post_once("k", DISABLE, &body))).await;
        let first: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
        assert_eq!(first.len(), 1, "the old token repeats nothing");
        for reply in replies.iter().filter(|reply| reply.status != 200) {
            assert!([401, 409].contains(&reply.status), "{}", reply.body);
        }
        alice.take_tokens(first[0], "/tokens");
        alice.post_once("k", DISABLE, &body).await.is(200);
        assert_eq!(count(&alice, "two_factor.disabled").await, 1);
    })
    .await;
}

on_both_engines!(nothing_but_a_success_is_final, |config| config.step_up_max_age = 60);
/// K06: a client that is told to come again later must not hear the same refusal for a day.
async fn nothing_but_a_success_is_final(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let right = json!({"password": alice.password});
    let again = async |body: &Value, tag: &str| {
        let headers = [("Idempotency-Key", "k"), ("If-Match", tag)];
        alice.send("POST", CODES, &headers, Some(body)).await
    };
    again(&json!({"password": "wrong password"}), "*").await.is(403);
    again(&json!({"password": "x".repeat(72)}), "*").await.is(422);
    again(&json!({"password": 7}), "*").await.is(400);
    again(&right, "\"999\"").await.is(412);
    assert_eq!(tamper(app, "UPDATE account SET password_hash = 'none ' || password_hash"), 1);
    again(&right, "*").await.is(503);
    assert_eq!(tamper(app, "UPDATE account SET password_hash = substr(password_hash, 6)"), 1);
    app.pass(61);
    again(&right, "*").await.is(401).refuses("insufficient-user-authentication");
    let verified = alice.verify(&alice.fresh_code()).await.is(200);
    alice.take_tokens(&verified, "");
    let done = again(&right, "*").await.is(200);
    assert!(done.header("idempotent-replayed").is_none());
    again(&right, "*").await.is(409).refuses("already-completed");
    // A start too many in an hour: after the wait, the same request goes through.
    for _ in 0..4 {
        alice.try_enrolment(json!({})).await.is(201);
    }
    let wait = alice.post_once("k", TOTP_PATH, &right).await.is(429).retry_after();
    app.pass(wait);
    alice.refresh().await.is(200);
    let verified = alice.verify(&alice.fresh_code()).await;
    alice.take_tokens(&verified, "");
    let started = alice.post_once("k", TOTP_PATH, &right).await.is(201);
    assert!(started.header("idempotent-replayed").is_none());
}

on_both_engines!(a_key_that_is_none_does_nothing);
/// K07: a key that is cut or cleaned up somewhere stands for two requests.
async fn a_key_that_is_none_does_nothing(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let before = alice.status().await;
    for key in ["", " ", &"k".repeat(65), &"k".repeat(1024), "a\tb", "\u{e9}", "k\u{feff}"] {
        let reply = alice.post_once(key, DISABLE, &json!({"password": alice.password})).await;
        reply.is(400).refuses("malformed-request");
    }
    assert_eq!(alice.status().await, before);
    alice.post_once(&"k".repeat(64), DISABLE, &json!({"password": alice.password})).await.is(200);
}

on_both_engines!(a_key_is_forgotten_after_a_day_and_not_before);
/// K08: a key that is kept for ever refuses a request that was meant, one that is lost too soon repeats one.
async fn a_key_is_forgotten_after_a_day_and_not_before(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let body = json!({"password": alice.password});
    let first = alice.post_once("k", CODES, &body).await.is(200);
    app.pass(24 * 3600 - 1);
    alice.refresh().await.is(200);
    alice.post_once("k", CODES, &body).await.is(409).refuses("already-completed");
    alice.post_once("k", CODES, &json!({"password": alice.password, "recovery_code": "0".repeat(24)})).await.is(409);
    app.pass(1);
    let with_code = json!({"password": alice.password, "code": alice.fresh_code()});
    let anew = alice.post_once("k", CODES, &with_code).await.is(200);
    assert!(anew.header("idempotent-replayed").is_none());
    assert_ne!(first.texts("/recovery_codes"), anew.texts("/recovery_codes"));
    alice.post_once("k", CODES, &body).await.is(409).refuses("already-completed");
    alice.get(EVENTS).await.is(200);
    assert_eq!(count(&alice, "recovery_codes.regenerated").await, 2);
}
