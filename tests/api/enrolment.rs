//! Enrolling, replacing, renaming and removing authenticators.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{STATUS, TOTP_PATH},
    },
};
use serde_json::{Value, json};

const METHODS: &str = "/account/security/2fa/methods";

on_both_engines!(the_first_authenticator_takes_the_password_and_a_code);
async fn the_first_authenticator_takes_the_password_and_a_code(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    alice.post(TOTP_PATH, &json!({"password": "not the password"})).await.is(403).refuses("invalid-credential");
    let started = alice.try_enrolment(json!({"label": "Pixel 9"})).await.is(201);
    let id = started.text("/id");
    assert_eq!(started.header("location"), Some(format!("{TOTP_PATH}/{id}").as_str()));
    assert_eq!(started.text("/secret").len(), 32);
    *alice.secret.borrow_mut() = started.text("/secret");

    let pending = alice.get(&format!("{TOTP_PATH}/{id}")).await.is(200);
    assert_eq!(pending.body["state"], "pending");
    assert!(pending.body.get("secret").is_none());
    assert_eq!(alice.status().await["pending"][0]["label"], "Pixel 9");
    assert_eq!(alice.status().await["enabled"], false);

    let confirmed = alice.confirm(&id, &alice.fresh_code()).await.is(200);
    assert_eq!(confirmed.body["status"]["enabled"], true);
    assert_eq!(confirmed.texts("/recovery_codes").len(), 10);
    assert_eq!(confirmed.body["tokens"]["acr"], "aal2");
    assert_eq!(confirmed.body["status"]["actions"]["disable"]["proofs"], json!(["password"]));
    alice.take_tokens(&confirmed, "/tokens");
    alice.confirm(&id, &alice.code()).await.is(409).refuses("already-confirmed");
    assert_eq!(alice.get(&format!("{TOTP_PATH}/{id}")).await.is(200).body["state"], "confirmed");
    assert_eq!(alice.event_kinds().await[..2], ["two_factor.enabled", "enrollment.started"]);
}

on_both_engines!(enabling_ends_all_other_sessions_and_older_tokens);
async fn enabling_ends_all_other_sessions_and_older_tokens(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let laptop = alice.elsewhere();
    laptop.sign_in().await;
    let old = alice.access.borrow().clone();
    alice.set_up().await;
    laptop.get(STATUS).await.is(401);
    laptop.refresh().await.is(401);
    *laptop.access.borrow_mut() = old;
    laptop.get(STATUS).await.is(401).refuses("invalid-token");
    alice.status().await;
}

on_both_engines!(a_new_start_supersedes_the_one_before);
async fn a_new_start_supersedes_the_one_before(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let first = alice.start_enrolment(json!({})).await;
    let second = alice.start_enrolment(json!({})).await;
    assert_eq!(alice.status().await["pending"].as_array().unwrap().len(), 1);
    alice.confirm(&first, &alice.code()).await.is(410).refuses("enrolment-expired");
    alice.get(&format!("{TOTP_PATH}/{first}")).await.is(410);
    alice.confirm(&second, &alice.code()).await.is(200);
}

on_both_engines!(an_enrolment_can_be_cancelled);
async fn an_enrolment_can_be_cancelled(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let id = alice.start_enrolment(json!({})).await;
    alice.send("DELETE", &format!("{TOTP_PATH}/{id}"), &[], None).await.is(204);
    alice.send("DELETE", &format!("{TOTP_PATH}/{id}"), &[], None).await.is(410);
    alice.confirm(&id, &alice.code()).await.is(410);
}

on_both_engines!(an_enrolment_ends_after_ten_minutes);
async fn an_enrolment_ends_after_ten_minutes(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let id = alice.start_enrolment(json!({})).await;
    app.pass(599);
    assert_eq!(alice.status().await["pending"].as_array().unwrap().len(), 1);
    app.pass(1);
    alice.refresh().await.is(200);
    assert_eq!(alice.status().await["pending"], json!([]));
    alice.get(&format!("{TOTP_PATH}/{id}")).await.is(410);
    alice.confirm(&id, &alice.code()).await.is(410).refuses("enrolment-expired");
}

on_both_engines!(five_wrong_codes_end_an_enrolment);
async fn five_wrong_codes_end_an_enrolment(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let id = alice.start_enrolment(json!({})).await;
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(alice.confirm(&id, &alice.wrong_code()).await.is(403).body["attempts_remaining"], left);
    }
    alice.confirm(&id, &alice.code()).await.is(410);
    assert_eq!(alice.event_kinds().await[0], "enrollment.failed");
    let id = alice.start_enrolment(json!({})).await;
    alice.confirm(&id, &alice.code()).await.is(200);
}

on_both_engines!(a_phone_whose_clock_is_off_is_told_so);
async fn a_phone_whose_clock_is_off_is_told_so(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let id = alice.start_enrolment(json!({})).await;
    let reply = alice.confirm(&id, &alice.code_in(10)).await.is(422).refuses("code-out-of-window");
    assert_eq!(reply.body["skew_seconds"], 300);
    assert_eq!(reply.body["server_time"], app.now().to_string());
    let reply = alice.confirm(&id, &alice.code_in(-119)).await.is(422);
    assert_eq!(reply.body["skew_seconds"], -3570);
    // Each of them cost a try.
    assert_eq!(alice.confirm(&id, &alice.wrong_code()).await.is(403).body["attempts_remaining"], 2);
}

on_both_engines!(an_enrolment_is_nobody_elses);
async fn an_enrolment_is_nobody_elses(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let bob = app.person("bob").await;
    bob.sign_in().await;
    let id = alice.start_enrolment(json!({})).await;
    let unknown = "01890000-0000-7000-8000-000000000000";
    for id in [id.as_str(), unknown, "nonsense"] {
        bob.confirm(id, &alice.code()).await.is(404).refuses("not-found");
        bob.get(&format!("{TOTP_PATH}/{id}")).await.is(404);
        bob.send("DELETE", &format!("{TOTP_PATH}/{id}"), &[], None).await.is(404);
    }
    alice.confirm(&id, &alice.code()).await.is(200);
}

on_both_engines!(only_the_session_that_started_an_enrolment_confirms_it);
async fn only_the_session_that_started_an_enrolment_confirms_it(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let laptop = alice.elsewhere();
    laptop.sign_in().await;
    let id = alice.start_enrolment(json!({})).await;
    laptop.confirm(&id, &alice.code()).await.is(410);
    alice.confirm(&id, &alice.code()).await.is(200);
}

on_both_engines!(six_starts_in_an_hour_are_one_too_many);
async fn six_starts_in_an_hour_are_one_too_many(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    for _ in 0..5 {
        alice.start_enrolment(json!({})).await;
    }
    let reply = alice.try_enrolment(json!({})).await.is(429);
    assert_eq!(reply.header("ratelimit-policy"), Some("\"enrollment-start\";q=5;w=3600"));
    app.pass(reply.retry_after());
    alice.refresh().await.is(200);
    alice.start_enrolment(json!({})).await;
}

on_both_engines!(a_phone_is_replaced_without_a_gap);
async fn a_phone_is_replaced_without_a_gap(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let old = alice.elsewhere();
    let old_codes = alice.recovery_codes.borrow().clone();
    let id = alice.start_enrolment(json!({"replaces": *alice.method.borrow(), "label": "New phone"})).await;
    // Until the confirm the old phone protects the account, and the new one does nothing.
    old.verify_elsewhere().await;
    alice.answer_challenge(json!({"code": alice.code()})).await.is(403);
    app.pass(30);
    let reply = alice.confirm(&id, &alice.fresh_code()).await.is(200);
    assert_eq!(reply.body["status"]["methods"].as_array().unwrap().len(), 1);
    assert_eq!(reply.body["status"]["methods"][0]["label"], "New phone");
    assert_eq!(reply.texts("/recovery_codes").len(), 10);
    alice.take_tokens(&reply, "/tokens");
    // From the confirm on it is the other way round.
    app.pass(30);
    alice.answer_challenge(json!({"code": old.code()})).await.is(403);
    alice.answer_challenge(json!({"recovery_code": old_codes[0]})).await.is(403);
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(200);
    assert!(alice.event_kinds().await.contains(&"two_factor.replaced".to_owned()));
}

on_both_engines!(a_second_authenticator_joins_the_first);
async fn a_second_authenticator_joins_the_first(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let first = alice.elsewhere();
    let id = alice.start_enrolment(json!({"label": "Tablet"})).await;
    let reply = alice.confirm(&id, &alice.fresh_code()).await.is(200);
    assert_eq!(reply.body["recovery_codes"], Value::Null);
    assert_eq!(reply.body["status"]["methods"].as_array().unwrap().len(), 2);
    alice.take_tokens(&reply, "/tokens");
    app.pass(30);
    alice.verify(&first.fresh_code()).await.is(200);
    alice.verify(&alice.fresh_code()).await.is(200);
    assert_eq!(alice.event_kinds().await[0], "method.added");
}

on_both_engines!(adding_needs_the_second_factor_while_it_is_on, |config| config.step_up_max_age = 1);
async fn adding_needs_the_second_factor_while_it_is_on(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.try_enrolment(json!({})).await.is(401).refuses("insufficient-user-authentication");
    assert_eq!(alice.status().await["pending"], json!([]));
    alice.try_enrolment(json!({"code": alice.fresh_code()})).await.is(201);
}

on_both_engines!(five_methods_are_enough);
async fn five_methods_are_enough(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..4 {
        alice.set_up().await;
        app.pass(3600);
        alice.refresh().await.is(200);
    }
    alice.try_enrolment(json!({})).await.is(409).refuses("too-many-methods");
    let status = alice.status().await;
    assert_eq!(status["actions"]["add"], json!({"allowed": false, "reason": "too-many-methods"}));
    // One can still be replaced.
    alice.try_enrolment(json!({"replaces": status["methods"][0]["id"]})).await.is(201);
}

on_both_engines!(what_is_to_be_replaced_must_be_there);
async fn what_is_to_be_replaced_must_be_there(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    alice.try_enrolment(json!({"replaces": *bob.method.borrow()})).await.is(404);
    let reply = alice.try_enrolment(json!({"replaces": "nonsense"})).await.is(422);
    assert_eq!(reply.body["errors"][0]["pointer"], "/replaces");
}

on_both_engines!(while_it_is_off_there_is_nothing_to_replace);
async fn while_it_is_off_there_is_nothing_to_replace(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let nothing = json!({"replaces": "01890000-0000-7000-8000-000000000000"});
    alice.try_enrolment(nothing).await.is(409).refuses("two-factor-not-enabled");
}

on_both_engines!(methods_are_renamed_and_removed_but_for_the_last);
async fn methods_are_renamed_and_removed_but_for_the_last(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let first = alice.method.borrow().clone();
    let renamed =
        alice.send("PATCH", &format!("{METHODS}/{first}"), &[], Some(&json!({"label": " Pixel 9 "}))).await.is(200);
    assert_eq!(renamed.body["label"], "Pixel 9");
    let proof = json!({"password": alice.password});
    alice.post(&format!("{METHODS}/{first}/remove"), &proof).await.is(409).refuses("last-method");
    alice.set_up().await;
    alice.post(&format!("{METHODS}/{first}/remove"), &json!({"password": "wrong password"})).await.is(403);
    let removed = alice.post(&format!("{METHODS}/{first}/remove"), &proof).await.is(200);
    assert_eq!(removed.body["status"]["methods"].as_array().unwrap().len(), 1);
    alice.get(STATUS).await.is(401);
    alice.take_tokens(&removed, "/tokens");
    alice.post(&format!("{METHODS}/{first}/remove"), &proof).await.is(404);
    alice.send("PATCH", &format!("{METHODS}/{first}"), &[], Some(&json!({"label": "x"}))).await.is(404);
    assert_eq!(alice.event_kinds().await[0], "method.removed");
}

on_both_engines!(labels_have_rules);
async fn labels_have_rules(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let path = format!("{METHODS}/{}", alice.method.borrow());
    for label in ["", "   ", &"x".repeat(65), "a\nb", "\u{1b}[31m"] {
        let reply = alice.send("PATCH", &path, &[], Some(&json!({"label": label}))).await.is(422);
        assert_eq!(
            reply.body["errors"],
            json!([{"pointer": "/label", "detail": "Must have 1 to 64 characters and no control characters."}])
        );
    }
    alice.send("PATCH", &path, &[], Some(&json!({"label": "é".repeat(64)}))).await.is(200);
}
