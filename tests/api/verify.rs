//! Codes: when they are right, and that they are right once.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{SECOND, TOTP_PATH, VERIFY, authenticator},
    },
};
use futures_util::future::join_all;
use serde_json::json;

on_both_engines!(a_code_cannot_be_used_twice);
async fn a_code_cannot_be_used_twice(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.fresh_code();
    alice.verify(&code).await.is(200);
    alice.verify(&code).await.is(403).refuses("invalid-credential");
    alice.answer_challenge(json!({"code": code})).await.is(403).refuses("invalid-credential");
    alice.disable(json!({"code": code})).await.is(403);
}

on_both_engines!(of_fifty_uses_of_a_code_at_once_one_succeeds, |config| {
    // Wide budgets: it is the code that must be refused here, not the guess.
    config.limits.session_code.free = 100;
    config.limits.session_code.ends_at = 100;
});
async fn of_fifty_uses_of_a_code_at_once_one_succeeds(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.fresh_code();
    let replies = join_all((0..50).map(|_| alice.verify(&code))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    for reply in replies.into_iter().filter(|reply| reply.status != 200) {
        reply.is(403).refuses("invalid-credential");
    }
}

on_both_engines!(the_code_that_confirmed_is_used_up);
async fn the_code_that_confirmed_is_used_up(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let id = alice.start_enrolment(json!({})).await;
    let code = alice.fresh_code();
    let reply = alice.confirm(&id, &code).await.is(200);
    alice.take_tokens(&reply, "/tokens");
    alice.verify(&code).await.is(403);
    alice.answer_challenge(json!({"code": code})).await.is(403);
}

on_both_engines!(a_code_is_right_one_step_early_and_late);
async fn a_code_is_right_one_step_early_and_late(app: &TestApp) {
    for (steps, status) in [(-2, 403), (-1, 200), (0, 200), (1, 200), (2, 403)] {
        let person = app.person(&format!("person{}", steps + 2)).await.with_two_factor().await;
        app.pass(90);
        person.verify(&person.code_in(steps)).await.is(status);
    }
}

on_both_engines!(an_earlier_code_is_refused_after_a_later_one);
async fn an_earlier_code_is_refused_after_a_later_one(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    app.pass(30);
    alice.verify(&alice.code_in(1)).await.is(200);
    for steps in [-1, 0, 1] {
        alice.verify(&alice.code_in(steps)).await.is(403);
    }
}

on_both_engines!(a_verified_session_is_stepped_up_and_stays_the_same_session);
async fn a_verified_session_is_stepped_up_and_stays_the_same_session(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let old = alice.access.borrow().clone();
    let sessions = alice.get("/account/security/sessions").await.is(200).body["sessions"].as_array().unwrap().len();
    let reply = alice.verify(&alice.fresh_code()).await.is(200);
    assert_eq!(reply.body["acr"], "aal2");
    assert_eq!(reply.body["amr"], json!(["pwd", "otp", "mfa"]));
    alice.status().await;
    alice.take_tokens(&reply, "");
    alice.status().await;
    assert_eq!(alice.get("/account/security/sessions").await.body["sessions"].as_array().unwrap().len(), sessions);
    assert_ne!(*alice.access.borrow(), old);
}

on_both_engines!(five_wrong_codes_are_free_and_then_a_right_one_must_wait_unused);
async fn five_wrong_codes_are_free_and_then_a_right_one_must_wait_unused(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(alice.verify(&alice.wrong_code()).await.is(403).body["attempts_remaining"], left);
    }
    let code = alice.fresh_code();
    let wait = alice.verify(&code).await.is(429).refuses("too-many-attempts").retry_after();
    assert!((1..=30).contains(&wait));
    // The right code was refused and not used up; it is still right a moment later.
    app.pass(wait);
    alice.verify(&code).await.is(200);
}

on_both_engines!(twelve_wrong_codes_end_the_session_that_sent_them);
async fn twelve_wrong_codes_end_the_session_that_sent_them(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let thief = alice.elsewhere();
    thief.sign_in().await;
    for n in 1..=12 {
        loop {
            let reply = thief.verify(&thief.wrong_code()).await;
            if reply.status == 403 {
                break;
            }
            app.pass(reply.refuses("too-many-attempts").retry_after());
            thief.refresh().await.is(200);
        }
        if n < 12 {
            thief.refresh().await.is(200);
        }
    }
    thief.refresh().await.is(401);
    alice.refresh().await.is(200);
    alice.verify(&alice.fresh_code()).await.is(200);
}

on_both_engines!(without_two_factor_there_is_nothing_to_verify);
async fn without_two_factor_there_is_nothing_to_verify(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    alice.verify("123456").await.is(409).refuses("two-factor-not-enabled");
    alice.post(VERIFY, &json!({})).await.is(400);
    alice.post(VERIFY, &json!({"code": "12345"})).await.is(422).refuses("validation-failed");
}

on_both_engines!(somebody_elses_code_counts_as_a_wrong_one);
async fn somebody_elses_code_counts_as_a_wrong_one(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let code = bob.fresh_code();
    assert_eq!(alice.verify(&code).await.is(403).body["attempts_remaining"], 4);
    bob.verify(&code).await.is(200);
}

on_both_engines!(typed_forms_of_a_code_are_one_code);
async fn typed_forms_of_a_code_are_one_code(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.fresh_code();
    let spaced = format!(" {} {}-", &code[..3], &code[3..]);
    alice.verify(&spaced).await.is(200);
    alice.verify(&code).await.is(403);
    for text in ["１２３４５６", "12345", "1234567", "-12345", "1e5", "", "123456\n"] {
        let reply = alice.verify(text).await.is(422);
        assert_eq!(reply.body["errors"][0]["pointer"], "/code");
    }
}

on_both_engines!(a_code_with_leading_zeros_is_taken_as_text);
async fn a_code_with_leading_zeros_is_taken_as_text(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    while !alice.code().starts_with('0') {
        app.pass(30);
    }
    alice.sign_in_again_if_needed().await;
    let code = alice.code();
    alice.post(VERIFY, &json!({"code": code.parse::<u32>().unwrap()})).await.is(400);
    alice.verify(&code).await.is(200);
}

on_both_engines!(guesses_before_sign_in_do_not_lock_a_session_out);
async fn guesses_before_sign_in_do_not_lock_a_session_out(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..5 {
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    }
    alice.answer_challenge(json!({"code": alice.code()})).await.is(429);
    alice.verify(&alice.fresh_code()).await.is(200);
}

on_both_engines!(an_app_that_scans_the_uri_shows_the_codes_that_are_accepted, |config| config.product_name =
    "Müller & Söhne: 50%/Tag".into());
async fn an_app_that_scans_the_uri_shows_the_codes_that_are_accepted(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let reply = alice.post(TOTP_PATH, &json!({"password": alice.password})).await.is(201);
    let scanned = totp_rs::Totp::from_url(reply.text("/otpauth_uri")).unwrap();
    assert_eq!(scanned.issuer(), Some("Müller & Söhne  50%/Tag"));
    assert!(reply.text("/qr_svg").starts_with("<svg"));
    let seconds = u64::try_from(app.now().as_second()).unwrap();
    let code = scanned.generate(seconds).to_string();
    assert_eq!(code, authenticator(&reply.text("/secret")).generate(seconds).to_string());
    alice.confirm(&reply.text("/id"), &code).await.is(200);
}

on_both_engines!(a_challenge_takes_no_code_in_the_wrong_member);
async fn a_challenge_takes_no_code_in_the_wrong_member(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let challenge = alice.login().await.text("/challenge");
    let recovery = alice.recovery_codes.borrow()[0].clone();
    app.post(SECOND, &json!({"challenge": challenge, "code": recovery})).await.is(422);
    app.post(SECOND, &json!({"challenge": challenge, "recovery_code": "123456"})).await.is(422);
    app.post(SECOND, &json!({"challenge": challenge})).await.is(400);
    app.post(SECOND, &json!({"challenge": challenge, "code": alice.fresh_code()})).await.is(200);
}
