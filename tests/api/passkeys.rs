//! Passkeys and security keys: set up, signed in with, exchanged for an app and back, and given up.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        desk::{about, account_of, agent},
        links::{NEW_PASSWORD, undo, undo_link},
        passkeys::*,
        person::{DISABLE, LOGIN, Person, SECOND, STATUS, TOTP_PATH, VERIFY},
        security_key::{Flaw, SecurityKey},
    },
};
use serde_json::{Value, json};
use twofold::{
    actions::keys::{reseal, uses},
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        rotation::Ring,
    },
};

/// Somebody whose second factor is a security key.
async fn with_passkey<'a>(app: &'a TestApp, name: &str) -> (Person<'a>, SecurityKey, String) {
    let (person, key) = (app.person(name).await, key());
    person.sign_in().await;
    let method = set_up(&person, &key, json!({})).await;
    (person, key, method)
}

fn kinds(status: &Value) -> Vec<&str> {
    status["methods"].as_array().unwrap().iter().map(|method| method["type"].as_str().unwrap()).collect()
}

on_both_engines!(a_security_key_can_be_the_first_second_factor, passkeys);
async fn a_security_key_can_be_the_first_second_factor(app: &TestApp) {
    let (alice, key) = (app.person("alice").await, key());
    alice.sign_in().await;
    assert_eq!(alice.status().await["kinds"], json!(["passkey", "totp"]));
    let begun = try_enrolment(&alice, json!({"label": "Blue key"})).await.is(201);
    let path = format!("{PASSKEYS}/{}", begun.text("/id"));
    assert_eq!(begun.header("location"), Some(path.as_str()));
    assert_eq!((begun.text("/type"), begun.text("/label")), ("passkey".to_owned(), "Blue key".to_owned()));
    assert_eq!(begun.body["public_key"]["rp"], json!({"id": DOMAIN, "name": "Customer Portal"}));
    assert_eq!(begun.body["public_key"]["user"]["name"], alice.email);
    assert_eq!(alice.get(&path).await.is(200).body["state"], "pending");
    let credential = key.create(&begun.body["public_key"], &Flaw::None).unwrap();
    let confirmed = confirm(&alice, &begun.text("/id"), &credential).await.is(200);
    assert_eq!(confirmed.body["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(confirmed.body["tokens"]["amr"], json!(["pwd", "hwk", "user", "mfa"]));
    assert_eq!(confirmed.body["tokens"]["acr"], "aal2");
    assert_eq!(kinds(&confirmed.body["status"]), ["passkey"]);
    alice.take_tokens(&confirmed, "/tokens");
    assert_eq!(alice.get(&path).await.is(200).body["state"], "confirmed");
    confirm(&alice, &begun.text("/id"), &credential).await.is(409).refuses("already-confirmed");
    assert!(alice.event_kinds().await.contains(&"two_factor.enabled".to_owned()));
    assert_eq!(count(app, "ceremony"), 0);
}

on_both_engines!(a_passkey_signs_in_and_steps_up, passkeys);
async fn a_passkey_signs_in_and_steps_up(app: &TestApp) {
    let (alice, key, _) = with_passkey(app, "alice").await;
    let challenge = alice.login().await.is(200);
    assert_eq!(challenge.body["methods"], json!(["passkey", "recovery_code"]));
    let started = json!({"challenge": challenge.text("/challenge"), "method": "passkey"});
    let started = app.post(SECOND_START, &started).await.is(200);
    assert_eq!(started.body["method"], "passkey");
    assert_eq!(started.body["public_key"]["allowCredentials"].as_array().unwrap().len(), 1);
    let answer = json!({
        "challenge": challenge.text("/challenge"), "credential": key.get(&started.body["public_key"], &Flaw::None)
    });
    let signed_in = app.post(SECOND, &answer).await.is(200);
    assert_eq!(signed_in.body["tokens"]["amr"], json!(["pwd", "hwk", "user", "mfa"]));
    app.post(SECOND, &answer).await.is(410).refuses("challenge-expired");
    let verified = verify(&alice, &key, &Flaw::None).await.is(200);
    assert_eq!(verified.body["amr"], json!(["pwd", "hwk", "user", "mfa"]));
    alice.take_tokens(&verified, "");
    let used = alice.status().await["methods"][0]["last_used_at"].clone();
    assert_eq!(used.as_str().unwrap().parse::<jiff::Timestamp>().unwrap(), app.now());
}

on_both_engines!(a_passkey_that_is_copied_between_devices_says_so, passkeys);
async fn a_passkey_that_is_copied_between_devices_says_so(app: &TestApp) {
    let (alice, mut key) = (app.person("alice").await, key());
    (key.is_synced, key.counts) = (true, false);
    alice.sign_in().await;
    set_up(&alice, &key, json!({})).await;
    for _ in 0..2 {
        let signed_in = sign_in(&alice, &key, &Flaw::None).await.is(200);
        assert_eq!(signed_in.body["tokens"]["amr"], json!(["pwd", "swk", "user", "mfa"]));
    }
}

on_both_engines!(an_app_is_exchanged_for_a_passkey_and_back_without_a_gap, passkeys);
async fn an_app_is_exchanged_for_a_passkey_and_back_without_a_gap(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (key, app_id, codes) = (key(), alice.method.borrow().clone(), alice.recovery_codes.borrow().clone());
    let passkey = set_up(&alice, &key, json!({"replaces": app_id})).await;
    let status = alice.status().await;
    assert_eq!(kinds(&status), ["passkey"]);
    assert_eq!(status["recovery_codes"]["remaining"], 10);
    assert_eq!(*alice.recovery_codes.borrow(), codes, "the codes go on");
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(403).refuses("invalid-credential");
    sign_in(&alice, &key, &Flaw::None).await.is(200);

    let id = alice.start_enrolment(json!({"replaces": passkey})).await;
    let confirmed = alice.confirm(&id, &alice.fresh_code()).await.is(200);
    assert!(confirmed.body["recovery_codes"].is_null());
    alice.take_tokens(&confirmed, "/tokens");
    assert_eq!(kinds(&alice.status().await), ["totp"]);
    let challenge = alice.login().await.is(200);
    assert_eq!(challenge.body["methods"], json!(["totp", "recovery_code"]));
    let started = json!({"challenge": challenge.text("/challenge"), "method": "passkey"});
    app.post(SECOND_START, &started).await.is(409).refuses("method-not-available");
    assert_eq!(alice.event_kinds().await.iter().filter(|kind| *kind == "two_factor.replaced").count(), 2);
    assert_eq!(count(app, "passkey"), 0, "what left service is wiped");
}

on_both_engines!(a_person_with_a_key_and_an_app_uses_either, passkeys);
async fn a_person_with_a_key_and_an_app_uses_either(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let key = key();
    let method = set_up(&alice, &key, json!({"label": "Blue key"})).await;
    assert_eq!(alice.login().await.is(200).body["methods"], json!(["passkey", "totp", "recovery_code"]));
    sign_in(&alice, &key, &Flaw::None).await.is(200);
    app.pass(30);
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(200);
    let both = json!({"code": alice.fresh_code(), "credential": key.get(&asked(&alice).await, &Flaw::None)});
    alice.post(VERIFY, &both).await.is(400).refuses("malformed-request");
    let path = format!("/account/security/2fa/methods/{method}");
    alice.send("PATCH", &path, &[], Some(&json!({"label": "Green key"}))).await.is(200);
    let removed = alice.post(&format!("{path}/remove"), &json!({"password": alice.password})).await.is(200);
    alice.take_tokens(&removed, "/tokens");
    assert_eq!(kinds(&alice.status().await), ["totp"]);
    // What it is was wiped, so the key makes another.
    set_up(&alice, &SecurityKey::new(key.algorithm, ORIGIN), json!({})).await;
}

on_both_engines!(a_key_is_told_which_it_has_made_already, passkeys);
async fn a_key_is_told_which_it_has_made_already(app: &TestApp) {
    let (alice, key, _) = with_passkey(app, "alice").await;
    let begun = try_enrolment(&alice, json!({})).await.is(201);
    assert_eq!(begun.body["public_key"]["excludeCredentials"].as_array().unwrap().len(), 1);
    assert!(key.create(&begun.body["public_key"], &Flaw::None).is_none());
    // Two keys: either is asked for, and either will do.
    let other = crate::support::passkeys::key();
    set_up(&alice, &other, json!({})).await;
    let public_key = asked(&alice).await;
    assert_eq!(public_key["allowCredentials"].as_array().unwrap().len(), 2);
    for one in [&key, &other] {
        let verified = verify(&alice, one, &Flaw::None).await.is(200);
        alice.take_tokens(&verified, "");
    }
}

on_both_engines!(a_passkey_is_registered_once_in_the_whole_installation, passkeys);
async fn a_passkey_is_registered_once_in_the_whole_installation(app: &TestApp) {
    let (alice, key, _) = with_passkey(app, "alice").await;
    let mallory = app.person("mallory").await;
    mallory.sign_in().await;
    let same = Flaw::CredentialId(key.last_id());
    let (id, reply) = make(&mallory, &crate::support::passkeys::key(), json!({}), &same).await;
    reply.is(403).refuses("invalid-credential");
    // Nor while its owner can still take a disable back.
    let account = account_of(&alice);
    let off = alice.disable(json!({})).await.is(200);
    let (_, reply) = make(&mallory, &crate::support::passkeys::key(), json!({}), &same).await;
    reply.is(403).refuses("invalid-credential");
    undo(app, &undo_link(app, &account, &off)).await.is(200);
    mallory.get(&format!("{PASSKEYS}/{id}")).await.is(410).refuses("enrolment-expired");
}

on_both_engines!(a_disable_ends_the_passkey_and_its_undo_brings_it_back, passkeys);
async fn a_disable_ends_the_passkey_and_its_undo_brings_it_back(app: &TestApp) {
    let (alice, key, _) = with_passkey(app, "alice").await;
    sign_in(&alice, &key, &Flaw::None).await.is(200);
    let preview = alice.get(&format!("{DISABLE}/preview")).await.is(200);
    assert_eq!(preview.body["would_revoke"]["methods"], 1);
    let account = account_of(&alice);
    let off = alice.disable(json!({})).await.is(200);
    assert_eq!(off.body["ended"], json!(["passkey"]));
    assert_eq!(count(app, "passkey"), 0);
    let reply = app.post(LOGIN, &json!({"email": alice.email, "password": alice.password})).await.is(200);
    assert_eq!(reply.body["result"], "signed_in");
    undo(app, &undo_link(app, &account, &off)).await.is(200);
    let alice = alice.with_password(NEW_PASSWORD);
    sign_in(&alice, &key, &Flaw::None).await.is(200);
    assert_eq!((count(app, "passkey"), count(app, "tombstone_passkey")), (1, 0));
}

on_both_engines!(passkeys_move_to_the_next_key_in_service_and_out_of_it, passkeys);
async fn passkeys_move_to_the_next_key_in_service_and_out_of_it(app: &TestApp) {
    let (alice, hers, _) = with_passkey(app, "alice").await;
    let (bob, his, _) = with_passkey(app, "bob").await;
    let account = account_of(&alice);
    let off = alice.disable(json!({})).await.is(200);
    let folder = tempfile::tempdir().unwrap();
    app.keys.write(&folder.path().join("keys.toml")).unwrap();
    let mut keys = KeyFile::read(&folder.path().join("keys.toml")).unwrap();
    keys.sealing.splice(0..0, KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap().sealing);
    let take = |keys: &KeyFile| app.all_rooms().for_each(|rooms| rooms.take_keys(keys).unwrap());
    take(&keys);
    assert_eq!(uses(app.rooms(), Ring::Sealing).await.unwrap().get(&keys.sealing[1].id), Some(&2));
    let resealed = reseal(app.rooms(), |_| ()).await.unwrap();
    assert_eq!((resealed.done, resealed.unreadable.len()), (2, 0));
    assert_eq!(uses(app.rooms(), Ring::Sealing).await.unwrap().keys().collect::<Vec<_>>(), [&keys.sealing[0].id]);
    keys.sealing.truncate(1);
    take(&keys);
    sign_in(&bob, &his, &Flaw::None).await.is(200);
    undo(app, &undo_link(app, &account, &off)).await.is(200);
    sign_in(&alice.with_password(NEW_PASSWORD), &hers, &Flaw::None).await.is(200);
}

on_both_engines!(support_sees_that_there_is_a_passkey_and_nothing_of_it, passkeys);
async fn support_sees_that_there_is_a_passkey_and_nothing_of_it(app: &TestApp) {
    let (alice, _, method) = with_passkey(app, "alice").await;
    let carla = agent(app, "carla").await;
    let seen = carla.get(&about(&account_of(&alice), "2fa")).await.is(200);
    assert_eq!(kinds(&seen.body), ["passkey"]);
    assert_eq!(seen.body["methods"][0]["id"], method);
}

on_both_engines!(an_installation_without_passkeys_offers_none);
async fn an_installation_without_passkeys_offers_none(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    assert_eq!(alice.status().await["kinds"], json!(["totp"]));
    try_enrolment(&alice, json!({})).await.is(403).refuses("method-not-offered");
    alice.post(START, &json!({"method": "passkey"})).await.is(409).refuses("method-not-available");
    alice.post(START, &json!({"method": "totp"})).await.is(422).refuses("validation-failed");
    let nothing = json!({"credential": {}});
    alice.post(VERIFY, &nothing).await.is(403).refuses("invalid-credential");
    let id = alice.start_enrolment(json!({})).await;
    alice.get(&format!("{PASSKEYS}/{id}")).await.is(404).refuses("not-found");
    alice.send("DELETE", &format!("{PASSKEYS}/{id}"), &[], None).await.is(404);
    alice.post(&format!("{PASSKEYS}/{id}/confirm"), &nothing).await.is(404);
    alice.get(&format!("{TOTP_PATH}/{id}")).await.is(200);
}

on_both_engines!(an_enrolment_of_a_passkey_ends_after_five_minutes_or_when_it_is_given_up, passkeys);
async fn an_enrolment_of_a_passkey_ends_after_five_minutes_or_when_it_is_given_up(app: &TestApp) {
    let (alice, key) = (app.person("alice").await, key());
    alice.sign_in().await;
    let begun = try_enrolment(&alice, json!({})).await.is(201);
    let credential = key.create(&begun.body["public_key"], &Flaw::None).unwrap();
    app.pass(300);
    confirm(&alice, &begun.text("/id"), &credential).await.is(410).refuses("enrolment-expired");
    let begun = try_enrolment(&alice, json!({})).await.is(201);
    let path = format!("{PASSKEYS}/{}", begun.text("/id"));
    alice.send("DELETE", &path, &[], None).await.is(204);
    alice.get(&path).await.is(410).refuses("enrolment-expired");
    assert_eq!(alice.get(STATUS).await.is(200).body["enabled"], false);
}
