//! Recovery codes: each works once, as it was shown or as it was typed.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{CODES, VERIFY},
    },
};
use futures_util::future::join_all;
use serde_json::json;

on_both_engines!(each_code_signs_in_once);
async fn each_code_signs_in_once(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let codes = alice.recovery_codes.borrow().clone();
    for (code, remaining) in codes.iter().zip((0..10).rev()) {
        let reply = alice.answer_challenge(json!({"recovery_code": code})).await.is(200);
        assert_eq!(reply.body["tokens"]["acr"], "aal2");
        assert_eq!(reply.body["tokens"]["amr"], json!(["pwd", "rc", "mfa"]));
        alice.take_tokens(&reply, "/tokens");
        assert_eq!(alice.status().await["recovery_codes"]["remaining"], remaining);
    }
    let kinds = alice.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "recovery_code.used").count(), 10);
    alice.answer_challenge(json!({"recovery_code": codes[0]})).await.is(403).refuses("invalid-credential");
}

on_both_engines!(of_many_uses_of_one_code_at_once_one_succeeds, |config| config.limits.recovery_code.free = 100);
async fn of_many_uses_of_one_code_at_once_one_succeeds(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.recovery_codes.borrow()[0].clone();
    let body = json!({"recovery_code": code});
    let replies = join_all((0..20).map(|_| alice.post(VERIFY, &body))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert_eq!(alice.status().await["recovery_codes"]["remaining"], 9);
}

on_both_engines!(different_codes_at_once_are_all_used_up);
async fn different_codes_at_once_are_all_used_up(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let codes = alice.recovery_codes.borrow().clone();
    let bodies: Vec<_> = codes[..3].iter().map(|code| json!({"recovery_code": code})).collect();
    let replies = join_all(bodies.iter().map(|body| alice.post(VERIFY, body))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(alice.status().await["recovery_codes"]["remaining"], 7);
    for body in &bodies {
        alice.post(VERIFY, body).await.is(403);
    }
}

on_both_engines!(a_code_is_read_however_it_is_typed);
async fn a_code_is_read_however_it_is_typed(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.recovery_codes.borrow()[0].clone();
    let typed = code.to_lowercase().replace('-', " ").replace('0', "O").replace('1', "l");
    alice.post(VERIFY, &json!({"recovery_code": typed})).await.is(200);
    alice.post(VERIFY, &json!({"recovery_code": code})).await.is(403);
    for text in ["", "ABCDEF", &"U".repeat(24)] {
        let reply = alice.post(VERIFY, &json!({"recovery_code": text})).await.is(422);
        assert_eq!(reply.body["errors"][0]["pointer"], "/recovery_code");
    }
}

on_both_engines!(a_new_set_kills_the_old_one);
async fn a_new_set_kills_the_old_one(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let old = alice.recovery_codes.borrow().clone();
    alice.post(CODES, &json!({"password": "wrong password"})).await.is(403);
    let new = alice.post(CODES, &json!({"password": alice.password})).await.is(200).texts("/recovery_codes");
    assert_eq!(new.len(), 10);
    assert!(new.iter().all(|code| code.len() == 27 && !old.contains(code)));
    alice.post(VERIFY, &json!({"recovery_code": old[0]})).await.is(403);
    alice.post(VERIFY, &json!({"recovery_code": new[0]})).await.is(200);
    // The session goes on: a new set is no change of factors.
    assert_eq!(alice.status().await["recovery_codes"]["total"], 10);
    assert!(alice.event_kinds().await.contains(&"recovery_codes.regenerated".to_owned()));
}

on_both_engines!(somebody_elses_code_is_wrong_and_stays_unused);
async fn somebody_elses_code_is_wrong_and_stays_unused(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let code = bob.recovery_codes.borrow()[0].clone();
    alice.post(VERIFY, &json!({"recovery_code": code})).await.is(403);
    assert_eq!(bob.status().await["recovery_codes"]["remaining"], 10);
    bob.post(VERIFY, &json!({"recovery_code": code})).await.is(200);
}

on_both_engines!(wrong_codes_and_wrong_recovery_codes_are_counted_apart);
async fn wrong_codes_and_wrong_recovery_codes_are_counted_apart(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let nobody = "00000-00000-00000-00000-0000";
    for left in [4, 3, 2, 1, 0] {
        let reply = alice.post(VERIFY, &json!({"recovery_code": nobody})).await.is(403);
        assert_eq!(reply.body["attempts_remaining"], left);
    }
    let right = alice.recovery_codes.borrow()[0].clone();
    let wait = alice.post(VERIFY, &json!({"recovery_code": right})).await.is(429).retry_after();
    assert!((1..=60).contains(&wait));
    alice.verify(&alice.fresh_code()).await.is(200);
    app.pass(wait);
    alice.post(VERIFY, &json!({"recovery_code": right})).await.is(200);
}

on_both_engines!(a_recovery_code_opens_codes_that_a_cap_has_locked);
async fn a_recovery_code_opens_codes_that_a_cap_has_locked(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let mut wrong = 0;
    while wrong < 20 {
        let reply = alice.answer_challenge(json!({"code": alice.wrong_code()})).await;
        if reply.status == 403 {
            wrong += 1;
        } else {
            app.pass(reply.is(429).retry_after());
        }
    }
    // No time opens them.
    app.pass(40 * 24 * 3600);
    alice.answer_challenge(json!({"code": alice.code()})).await.is(429);
    let code = alice.recovery_codes.borrow()[0].clone();
    alice.answer_challenge(json!({"recovery_code": code})).await.is(200);
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(200);
}

on_both_engines!(a_code_in_a_stepped_up_session_opens_them_too, |config| config.limits.code.cap_day = 3);
async fn a_code_in_a_stepped_up_session_opens_them_too(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..3 {
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    }
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(429);
    alice.verify(&alice.fresh_code()).await.is(200);
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(200);
}
