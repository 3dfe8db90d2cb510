//! Disabling: what it takes, what it tells, what it leaves.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{DISABLE, STATUS, TOTP_PATH},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};

on_both_engines!(a_wrong_password_changes_nothing);
async fn a_wrong_password_changes_nothing(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let before = alice.get(STATUS).await;
    let wrong = alice.post(DISABLE, &json!({"password": "not it at all"})).await.is(403).refuses("invalid-credential");
    assert_eq!(wrong.body["attempts_remaining"], 4);
    for password in [format!("{} ", alice.password), alice.password.to_uppercase()] {
        alice.post(DISABLE, &json!({"password": password})).await.is(403);
    }
    let after = alice.get(STATUS).await;
    assert_eq!(before.header("etag"), after.header("etag"));
    assert_eq!(after.body["enabled"], true);
    assert!(alice.event_kinds().await.contains(&"reauthentication.failed".to_owned()));
}

on_both_engines!(a_session_without_the_second_factor_learns_nothing_about_the_password, |config| config
    .step_up_max_age =
    60);
async fn a_session_without_the_second_factor_learns_nothing_about_the_password(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    app.pass(61);
    for password in [alice.password.as_str(), "wrong password"] {
        let reply = alice.post(DISABLE, &json!({"password": password})).await.is(401);
        assert_eq!(
            reply.header("www-authenticate"),
            Some("Bearer error=\"insufficient_user_authentication\", acr_values=\"aal2\", max_age=\"60\"")
        );
        reply.refuses("insufficient-user-authentication");
    }
    // Nothing was counted: all five guesses are left.
    let status = alice.status().await;
    assert_eq!(status["actions"]["disable"]["proofs"], json!(["password", "code|recovery_code"]));
    let wrong = alice.disable(json!({"code": alice.wrong_code()})).await.is(403);
    assert_eq!(wrong.body["attempts_remaining"], Value::Null, "two proofs: it must not tell which was wrong");
    alice.disable(json!({"code": alice.fresh_code()})).await.is(200);
}

on_both_engines!(assurance_lasts_exactly_as_long_as_the_operator_says, |config| config.step_up_max_age = 90);
async fn assurance_lasts_exactly_as_long_as_the_operator_says(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    app.pass(60);
    let preview = alice.get("/account/security/2fa/disable/preview").await.is(200);
    assert_eq!(preview.body["proofs"], json!(["password"]));
    app.pass(1);
    alice.disable(json!({})).await.is(401).refuses("insufficient-user-authentication");
}

on_both_engines!(a_recovery_code_in_the_body_is_assurance_enough, |config| config.step_up_max_age = 1);
async fn a_recovery_code_in_the_body_is_assurance_enough(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.recovery_codes.borrow()[0].clone();
    let reply = alice.disable(json!({"recovery_code": code})).await.is(200);
    assert_eq!(reply.body["revoked"]["recovery_codes"], 9);
}

on_both_engines!(two_proofs_hold_together_or_not_at_all);
async fn two_proofs_hold_together_or_not_at_all(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.fresh_code();
    let wrong_password = alice.post(DISABLE, &json!({"password": "wrong password", "code": code})).await.is(403);
    let wrong_code = alice.disable(json!({"code": alice.wrong_code()})).await.is(403);
    for member in ["title", "detail", "code", "type", "status"] {
        assert_eq!(wrong_password.body[member], wrong_code.body[member]);
    }
    assert_eq!(wrong_password.body.as_object().unwrap().len(), wrong_code.body.as_object().unwrap().len());
    // The right code was not used up by the wrong password.
    alice.disable(json!({"code": code})).await.is(200);
}

on_both_engines!(a_reason_is_one_of_five);
async fn a_reason_is_one_of_five(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let reply = alice.post(DISABLE, &json!({"password": "", "reason": "because"})).await.is(422);
    let pointers: Vec<_> =
        reply.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/password", "/reason"]);
    for reason in ["new_phone", "lost_phone", "switching_method", "not_wanted"] {
        alice.post(DISABLE, &json!({"password": "wrong password", "reason": reason})).await.is(403);
    }
    alice.disable(json!({"reason": "other"})).await.is(200);
}

on_both_engines!(two_factors_at_once_are_refused_and_neither_is_used);
async fn two_factors_at_once_are_refused_and_neither_is_used(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (code, recovery) = (alice.fresh_code(), alice.recovery_codes.borrow()[0].clone());
    alice.disable(json!({"code": code, "recovery_code": recovery})).await.is(400).refuses("malformed-request");
    assert_eq!(alice.status().await["recovery_codes"]["remaining"], 10);
    alice.disable(json!({"code": code})).await.is(200);
}

on_both_engines!(while_it_is_off_a_disable_is_a_conflict_whatever_is_sent);
async fn while_it_is_off_a_disable_is_a_conflict_whatever_is_sent(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    for password in [alice.password.as_str(), "wrong password"] {
        for _ in 0..4 {
            alice.post(DISABLE, &json!({"password": password})).await.is(409).refuses("two-factor-not-enabled");
        }
    }
    alice.get("/account/security/2fa/disable/preview").await.is(409);
    assert_eq!(alice.event_kinds().await, ["login.succeeded"]);
}

on_both_engines!(the_fifth_wrong_password_ends_the_session_and_no_other);
async fn the_fifth_wrong_password_ends_the_session_and_no_other(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let thief = alice.elsewhere();
    thief.sign_in().await;
    for left in [4, 3, 2, 1, 0] {
        let reply = thief.post(DISABLE, &json!({"password": "a guess in the dark"})).await.is(403);
        assert_eq!(reply.body["attempts_remaining"], left);
    }
    thief.disable(json!({})).await.is(401).refuses("invalid-token");
    thief.refresh().await.is(401);
    assert_eq!(alice.event_kinds().await[..2], ["session.revoked", "reauthentication.failed"]);
    alice.elsewhere().sign_in().await;
    alice.disable(json!({})).await.is(200);
}

on_both_engines!(ten_wrong_passwords_in_an_hour_block_reauthentication_and_never_the_login);
async fn ten_wrong_passwords_in_an_hour_block_reauthentication_and_never_the_login(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..2 {
        let thief = alice.elsewhere();
        thief.sign_in().await;
        for _ in 0..5 {
            thief.post(DISABLE, &json!({"password": "a guess in the dark"})).await.is(403);
        }
    }
    let blocked = alice.disable(json!({})).await.is(429).refuses("too-many-attempts");
    let wait = blocked.retry_after();
    assert!((700..=900).contains(&wait), "{wait}");
    assert_eq!(blocked.header("ratelimit-policy"), Some("\"reauthentication\";q=10;w=3600"));
    assert_eq!(blocked.header("ratelimit"), Some(format!("\"reauthentication\";r=0;t={wait}").as_str()));
    alice.elsewhere().sign_in().await;
    app.pass(wait);
    alice.refresh().await.is(200);
    alice.disable(json!({})).await.is(200);
}

on_both_engines!(a_pending_enrolment_dies_with_a_disable);
async fn a_pending_enrolment_dies_with_a_disable(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let id = alice.start_enrolment(json!({})).await;
    let reply = alice.disable(json!({})).await.is(200);
    alice.take_tokens(&reply, "/tokens");
    alice.confirm(&id, &alice.code()).await.is(410).refuses("enrolment-expired");
    assert_eq!(alice.status().await["pending"], json!([]));
}

on_both_engines!(a_disable_meant_for_another_version_changes_nothing);
async fn a_disable_meant_for_another_version_changes_nothing(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let etag = alice.get(STATUS).await.header("etag").unwrap().to_owned();
    let body = json!({"password": alice.password});
    alice
        .send(
            "PATCH",
            &format!("/account/security/2fa/methods/{}", alice.method.borrow()),
            &[],
            Some(&json!({"label": "Pixel"})),
        )
        .await
        .is(200);
    for stale in [etag.as_str(), "\"999\"", "W/\"3\"", "\"a\", \"b\"", "\"a,3\""] {
        alice.send("POST", DISABLE, &[("If-Match", stale)], Some(&body)).await.is(412).refuses("version-mismatch");
    }
    alice.send("POST", DISABLE, &[("If-Match", "3")], Some(&body)).await.is(400);
    let etag = alice.get(STATUS).await.header("etag").unwrap().to_owned();
    alice.send("POST", DISABLE, &[("If-Match", &format!("\"1\", {etag}"))], Some(&body)).await.is(200);
}

on_both_engines!(the_preview_tells_what_the_disable_then_does);
async fn the_preview_tells_what_the_disable_then_does(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.elsewhere().sign_in().await;
    let preview = alice.get("/account/security/2fa/disable/preview").await.is(200);
    assert_eq!(preview.body["blocked_by"], Value::Null);
    assert_eq!(preview.body["alternatives"], json!(["replace"]));
    let disabled = alice.disable(json!({})).await.is(200);
    assert_eq!(preview.body["would_revoke"], disabled.body["revoked"]);
}

on_both_engines!(of_many_disables_at_once_one_takes_effect);
async fn of_many_disables_at_once_one_takes_effect(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let replies = join_all((0..12).map(|_| alice.disable(json!({})))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    for reply in replies.into_iter().filter(|reply| reply.status != 200) {
        // The others were too many at once, or came with a token that the change has made old.
        assert!([401, 409, 429].contains(&reply.status), "{}", reply.body);
    }
    alice.sign_in().await;
    let kinds = alice.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "two_factor.disabled").count(), 1);
}

on_both_engines!(a_started_enrolment_is_no_protection_and_no_way_out);
async fn a_started_enrolment_is_no_protection_and_no_way_out(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let id = alice.start_enrolment(json!({})).await;
    alice.disable(json!({})).await.is(409);
    assert_eq!(alice.login().await.body["result"], "signed_in");
    alice.get(&format!("{TOTP_PATH}/{id}")).await.is(200);
}
