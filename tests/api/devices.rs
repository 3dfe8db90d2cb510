//! Devices that are remembered: what they spare their owner, and for how long.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        person::{CODES, DEVICES, DISABLE, EVENTS, PASSWORD, Person, TOTP_PATH},
        reply::Reply,
    },
};
use serde_json::{Value, json};
use twofold::{
    actions::{keys, restored},
    crypto::rotation::Ring,
};

const DAY: i64 = 24 * 3600;

/// The devices that the person sees.
async fn devices_of(person: &Person<'_>) -> Vec<Value> {
    person.get(DEVICES).await.is(200).body["devices"].as_array().unwrap().clone()
}

fn asks_for_more(reply: Reply) {
    assert_eq!(reply.is(200).body["result"], "second_factor_required");
}

on_both_engines!(whoever_is_remembered_is_asked_for_the_password_alone);
async fn whoever_is_remembered_is_asked_for_the_password_alone(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let first = alice.have_remembered().await;
    app.pass(DAY);
    let reply = alice.login_from(&first).await.is(200);
    assert_eq!(reply.body["result"], "signed_in");
    assert_eq!((&reply.body["tokens"]["acr"], &reply.body["tokens"]["amr"]), (&json!("aal1"), &json!(["pwd"])));
    alice.take_tokens(&reply, "/tokens");
    let second = reply.text("/device_token");
    assert_ne!(first, second, "a token is good for one sign-in");
    let devices = devices_of(&alice).await;
    assert_eq!(devices.len(), 1, "it is the same device");
    assert_eq!(devices[0]["current"], true);
    assert_ne!(devices[0]["created_at"], devices[0]["last_used_at"]);
    let events = alice.get(EVENTS).await.is(200).body["events"].clone();
    assert_eq!(events[0]["type"], "login.succeeded");
    assert_eq!(events[0]["details"], json!({"amr": "pwd", "device": devices[0]["id"]}));
    assert_eq!(events[1]["type"], "device.remembered");
    alice.login_from(&second).await.is(200).text("/device_token");
    asks_for_more(alice.login().await);
}

on_both_engines!(nobody_is_remembered_who_does_not_ask_for_it);
async fn nobody_is_remembered_who_does_not_ask_for_it(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for more in [json!({}), json!({"remember_device": false})] {
        let factor = crate::support::person::with(json!({"code": alice.fresh_code()}), more);
        assert_eq!(alice.answer_challenge(factor).await.is(200).body["device_token"], Value::Null);
    }
    let challenge = alice.login().await.is(200).text("/challenge");
    let body = json!({"challenge": challenge, "code": alice.fresh_code(), "remember_device": "yes"});
    app.post("/auth/login/second-factor", &body).await.is(400);
    assert_eq!(devices_of(&alice).await, Vec::<Value>::new());
}

on_both_engines!(what_a_device_opens_is_never_enough_for_a_change);
async fn what_a_device_opens_is_never_enough_for_a_change(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let device = alice.have_remembered().await;
    let reply = alice.login_from(&device).await.is(200);
    alice.take_tokens(&reply, "/tokens");
    let status = alice.status().await;
    assert_eq!(status["actions"]["disable"]["proofs"], json!(["password", "code|recovery_code"]));
    let password = json!({"password": alice.password});
    let method = alice.method.borrow().clone();
    let replace = json!({"password": alice.password, "replaces": method});
    let remove = format!("/account/security/2fa/methods/{method}/remove");
    let change = json!({"current_password": alice.password, "new_password": "another long password"});
    for (path, body) in [(DISABLE, &password), (CODES, &password), (TOTP_PATH, &replace), (PASSWORD, &change)] {
        alice.post(path, body).await.is(401).refuses("insufficient-user-authentication");
    }
    alice.post(&remove, &password).await.is(409).refuses("last-method");
    alice.refresh().await.is(200);
    alice.disable(json!({})).await.is(401).refuses("insufficient-user-authentication");
    alice.disable(json!({"code": alice.fresh_code()})).await.is(200);
}

on_both_engines!(an_owner_sees_and_forgets_devices);
async fn an_owner_sees_and_forgets_devices(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let laptop = alice.elsewhere();
    let (mine, laptops) = (alice.have_remembered().await, laptop.have_remembered().await);
    let devices = devices_of(&alice).await;
    assert_eq!(devices.iter().map(|device| device["current"].clone()).collect::<Vec<_>>(), [false, true]);
    let id = devices[0]["id"].as_str().unwrap();
    alice.send("DELETE", &format!("{DEVICES}/{id}"), &[], None).await.is(204);
    alice.send("DELETE", &format!("{DEVICES}/{id}"), &[], None).await.is(404).refuses("not-found");
    laptop.status().await;
    asks_for_more(alice.login_from(&laptops).await);
    let next = alice.login_from(&mine).await.is(200).text("/device_token");
    let all = format!("{DEVICES}/forget-all");
    assert_eq!(alice.post_once("k", &all, &json!({})).await.is(200).body["forgotten"], 1);
    assert_eq!(alice.post_once("k", &all, &json!({})).await.is(200).body["forgotten"], 1, "told again");
    assert_eq!(alice.send("POST", &all, &[], None).await.is(200).body["forgotten"], 0);
    asks_for_more(alice.login_from(&next).await);
    let kinds = alice.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "device.revoked").count(), 2);
}

on_both_engines!(a_device_is_remembered_for_thirty_days_however_often_it_is_used);
async fn a_device_is_remembered_for_thirty_days_however_often_it_is_used(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let mut device = alice.have_remembered().await;
    for _ in 0..2 {
        app.pass(14 * DAY);
        device = alice.login_from(&device).await.is(200).text("/device_token");
    }
    app.pass(2 * DAY - 1);
    device = alice.login_from(&device).await.is(200).text("/device_token");
    app.pass(1);
    asks_for_more(alice.login_from(&device).await);
    alice.sign_in().await;
    assert_eq!(devices_of(&alice).await, Vec::<Value>::new());
    assert!(!alice.event_kinds().await.contains(&"device.token_reused".to_owned()));
}

on_both_engines!(an_account_has_ten_devices_at_most);
async fn an_account_has_ten_devices_at_most(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let oldest = alice.have_remembered().await;
    let mut used = alice.have_remembered().await;
    for _ in 0..8 {
        alice.have_remembered().await;
    }
    app.pass(60);
    used = alice.login_from(&used).await.is(200).text("/device_token");
    app.pass(60);
    alice.have_remembered().await;
    assert_eq!((devices_of(&alice).await.len(), count(app, "device")), (10, 10));
    asks_for_more(alice.login_from(&oldest).await);
    alice.login_from(&used).await.is(200).text("/device_token");
}

on_both_engines!(a_recovery_code_lets_in_for_this_once);
async fn a_recovery_code_lets_in_for_this_once(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let recovery = json!({"recovery_code": alice.recovery_codes.borrow()[0], "remember_device": true});
    assert_eq!(alice.answer_challenge(recovery).await.is(200).body["device_token"], Value::Null);
    assert_eq!(count(app, "device"), 0);
}

on_both_engines!(where_no_device_is_remembered_everybody_is_asked, |config| config.policy.remember_devices = false);
async fn where_no_device_is_remembered_everybody_is_asked(app: &TestApp) {
    let policy = app.get("/.well-known/two-factor-policy").await.is(200);
    assert_eq!(policy.body["device_ttl"], 0);
    let alice = app.person("alice").await.with_two_factor().await;
    let factor = json!({"code": alice.fresh_code(), "remember_device": true});
    assert_eq!(alice.answer_challenge(factor).await.is(200).body["device_token"], Value::Null);
    assert_eq!(count(app, "device"), 0);
    asks_for_more(alice.login_from("a-token-of-nobody").await);
}

on_both_engines!(a_key_that_a_remembered_device_needs_is_known);
async fn a_key_that_a_remembered_device_needs_is_known(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let device = alice.have_remembered().await;
    alice.login_from(&device).await.is(200).text("/device_token");
    let needed = async || keys::uses(app.rooms(), Ring::Hashing).await.unwrap().values().sum::<u64>();
    let before = needed().await;
    alice.send("POST", &format!("{DEVICES}/forget-all"), &[], None).await.is(200);
    assert_eq!(needed().await, before - 2, "its token, and the one before, which tells of a copy");
}

on_both_engines!(a_restored_database_remembers_no_device);
async fn a_restored_database_remembers_no_device(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let device = alice.have_remembered().await;
    restored::after_restore(&app.cx(), false).await.unwrap();
    asks_for_more(alice.login_from(&device).await);
    assert_eq!(count(app, "device"), 0);
}
