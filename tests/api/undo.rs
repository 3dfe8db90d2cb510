//! "It wasn't me": taking a disable back by the link in the mail about it.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        desk::{self, RESET, UNLOCK, about, account_of, ask},
        links::{self, NEW_PASSWORD, UNDO, UNDO_PREVIEW, preview, undo, undo_link},
        person::{CODES, EVENTS, Person, SESSIONS, STATUS},
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};
use twofold::{
    actions::{
        keys::{reseal, uses},
        operator::{Whom, delete, reset, standing},
    },
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        links::LinkKind,
        rotation::Ring,
    },
    domain::account::{Email, Remark},
};

const THREE_DAYS: i64 = 3 * 86_400;

fn seconds_from_now(app: &TestApp, value: &Value) -> i64 {
    value.as_str().unwrap().parse::<Timestamp>().unwrap().as_second() - app.now().as_second()
}

/// Somebody switches it off at the person's own browser; the token of the link in the mail.
async fn switched_off(person: &Person<'_>) -> String {
    let account = account_of(person);
    let off = person.disable(json!({})).await.is(200);
    person.take_tokens(&off, "/tokens");
    undo_link(person.app, &account, &off)
}

on_both_engines!(who_did_not_switch_it_off_gets_everything_back_but_the_recovery_codes);
async fn who_did_not_switch_it_off_gets_everything_back_but_the_recovery_codes(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let path = format!("/account/security/2fa/methods/{}", alice.method.borrow());
    alice.send("PATCH", &path, &[], Some(&json!({"label": "Pixel 9"}))).await.is(200);
    let before = alice.status().await;
    let thief = alice.elsewhere();
    thief.sign_in().await;
    let link = switched_off(&thief).await;
    thief.start_enrolment(json!({})).await;
    app.pass(3600);
    thief.refresh().await.is(200);
    let told = preview(app, &link).await.is(200);
    assert_eq!(told.body["methods"], json!([{"label": "Pixel 9"}]));
    assert_eq!(seconds_from_now(app, &told.body["disabled_at"]), -3600);
    assert_eq!(seconds_from_now(app, &told.body["expires_at"]), THREE_DAYS - 3600);
    assert_eq!(thief.status().await["enabled"], false, "looking changes nothing");

    let undone = undo(app, &link).await.is(200);
    assert_eq!(undone.body["restored"], json!({"methods": 1}));
    assert!(undone.text("/message").contains("recovery codes"));
    // Every session has ended, and what the thief knows opens nothing.
    for browser in [&alice, &thief] {
        browser.get(STATUS).await.is(401).refuses("invalid-token");
        browser.refresh().await.is(401);
    }
    thief.login().await.is(403).refuses("invalid-credential");
    let owner = alice.with_password(NEW_PASSWORD);
    let old = alice.recovery_codes.borrow()[0].clone();
    owner.answer_challenge(json!({"recovery_code": old})).await.is(403).refuses("invalid-credential");
    owner.sign_in().await;
    let after = owner.status().await;
    assert_eq!((&after["enabled"], seconds_from_now(app, &after["since"])), (&json!(true), 0));
    for member in ["id", "label", "created_at"] {
        assert_eq!(after["methods"][0][member], before["methods"][0][member], "{member}");
    }
    assert_eq!((&after["pending"], &after["recovery_codes"]["total"]), (&json!([]), &json!(0)));
    assert!(after.get("disabled_at").is_none() && after.get("reminder_at").is_none());
    assert_eq!(seconds_from_now(app, &after["restricted_until"]), 86_400);
    let account = owner.get("/account/security").await.is(200);
    assert_eq!(seconds_from_now(app, &account.body["password_changed_at"]), 0);
    owner.post(CODES, &json!({"password": NEW_PASSWORD})).await.is(200);
}

on_both_engines!(an_undo_is_one_change_and_the_log_says_so);
async fn an_undo_is_one_change_and_the_log_says_so(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.elsewhere().sign_in().await;
    app.pass(30);
    let link = switched_off(&alice).await;
    let off: i64 = alice.get(STATUS).await.header("etag").unwrap().trim_matches('"').parse().unwrap();
    undo(app, &link).await.is(200);
    let owner = alice.with_password(NEW_PASSWORD);
    owner.sign_in().await;
    let on: i64 = owner.get(STATUS).await.header("etag").unwrap().trim_matches('"').parse().unwrap();
    assert_eq!(on, off + 1);
    let page = owner.get(&format!("{EVENTS}?limit=100")).await.is(200);
    let events = page.body["events"].as_array().unwrap();
    let restored: Vec<_> = events.iter().filter(|event| event["type"] == "two_factor.restored").collect();
    assert_eq!(restored.len(), 1);
    assert_eq!(restored[0]["details"], json!({"methods": 1, "sessions": 1}));
    assert_eq!(restored[0]["actor"], json!({"kind": "owner", "id": account_of(&owner)}));
    assert_eq!(restored[0]["session_id"], Value::Null);
    assert_eq!(owner.get(SESSIONS).await.body["sessions"].as_array().unwrap().len(), 1);
}

on_both_engines!(a_link_works_once);
async fn a_link_works_once(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let link = switched_off(&alice).await;
    preview(app, &link).await.is(200);
    let body = json!({"token": link, "new_password": NEW_PASSWORD});
    let once = [("Idempotency-Key", "once")];
    app.send("POST", UNDO, &once, Some(&body)).await.is(200);
    app.keep_out_of_sight(NEW_PASSWORD);
    app.send("POST", UNDO, &once, Some(&body)).await.is(410).refuses("link-expired");
    undo(app, &link).await.is(410).refuses("link-expired");
    preview(app, &link).await.is(410).refuses("link-expired");
    let owner = alice.with_password(NEW_PASSWORD);
    owner.sign_in().await;
    let kinds = owner.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "two_factor.restored").count(), 1);
    // Nor does the next disable wake it up again.
    app.pass(30);
    let next = switched_off(&owner).await;
    undo(app, &link).await.is(410).refuses("link-expired");
    preview(app, &next).await.is(200);
}

on_both_engines!(a_link_lives_for_72_hours);
async fn a_link_lives_for_72_hours(app: &TestApp) {
    let (alice, bob) =
        (app.person("alice").await.with_two_factor().await, app.person("bob").await.with_two_factor().await);
    let (hers, his) = (switched_off(&alice).await, switched_off(&bob).await);
    app.pass(THREE_DAYS - 1);
    undo(app, &hers).await.is(200);
    app.pass(1);
    undo(app, &his).await.is(410).refuses("link-expired");
    preview(app, &his).await.is(410).refuses("link-expired");
    bob.sign_in().await;
    assert_eq!(bob.status().await["enabled"], false);
}

on_both_engines!(an_operator_may_want_no_undo, |config| config.undo_for = 0);
async fn an_operator_may_want_no_undo(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let link = switched_off(&alice).await;
    undo(app, &link).await.is(410).refuses("link-expired");
    alice.login().await.is(200);
}

on_both_engines!(a_stolen_phone_does_not_come_back_once_a_new_one_is_confirmed);
async fn a_stolen_phone_does_not_come_back_once_a_new_one_is_confirmed(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let stolen = alice.secret.borrow().clone();
    let link = switched_off(&alice).await;
    alice.set_up().await;
    undo(app, &link).await.is(410).refuses("link-expired");
    preview(app, &link).await.is(410).refuses("link-expired");
    let status = alice.status().await;
    assert_eq!(status["methods"].as_array().unwrap().len(), 1);
    assert_eq!(status["methods"][0]["id"], *alice.method.borrow());
    // What is switched off next brings the new phone back, not the stolen one.
    let next = switched_off(&alice).await;
    undo(app, &link).await.is(410).refuses("link-expired");
    undo(app, &next).await.is(200);
    let owner = alice.with_password(NEW_PASSWORD);
    app.pass(30);
    let new = owner.secret.replace(stolen);
    owner.answer_challenge(json!({"code": owner.code()})).await.is(403);
    *owner.secret.borrow_mut() = new;
    owner.sign_in().await;
}

on_both_engines!(a_code_that_was_used_before_stays_used);
async fn a_code_that_was_used_before_stays_used(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let used = alice.fresh_code();
    let verified = alice.verify(&used).await.is(200);
    alice.take_tokens(&verified, "");
    let link = switched_off(&alice).await;
    undo(app, &link).await.is(200);
    let owner = alice.with_password(NEW_PASSWORD);
    owner.answer_challenge(json!({"code": used})).await.is(403).refuses("invalid-credential");
    owner.answer_challenge(json!({"code": owner.code_in(1)})).await.is(200);
}

on_both_engines!(a_link_is_nobody_elses_and_cannot_be_made_up);
async fn a_link_is_nobody_elses_and_cannot_be_made_up(app: &TestApp) {
    let (alice, bob) =
        (app.person("alice").await.with_two_factor().await, app.person("bob").await.with_two_factor().await);
    let link = switched_off(&alice).await;
    app.pass(1);
    let his = switched_off(&bob).await;
    let disabled_at = alice.get(STATUS).await.text("/disabled_at");
    let stopping = links::link(app, LinkKind::StopReminders, &account_of(&alice), &disabled_at);
    let altered = |at: usize| -> String {
        let other = if link.as_bytes()[at] == b'A' { 'B' } else { 'A' };
        link.char_indices().map(|(n, c)| if n == at { other } else { c }).collect()
    };
    let mut made_up: Vec<String> = (0..link.len()).map(altered).collect();
    // Her account and moment under his check tag, and the reverse.
    made_up.extend([[&link[..32], &his[32..]].concat(), [&his[..32], &link[32..]].concat()]);
    made_up.extend([stopping, String::new(), "A".repeat(54), link[..53].to_owned(), format!("{link}A")]);
    for token in &made_up {
        preview(app, token).await.is(410).refuses("link-expired");
        undo(app, token).await.is(410).refuses("link-expired");
    }
    assert_eq!((&alice.status().await["enabled"], &bob.status().await["enabled"]), (&json!(false), &json!(false)));
    undo(app, &link).await.is(200);
    assert_eq!(bob.status().await["enabled"], false, "his is his own affair");
    for body in [json!({}), json!({"token": his}), json!({"token": his, "new_password": NEW_PASSWORD, "x": 1})] {
        app.post(UNDO, &body).await.is(400).refuses("malformed-request");
    }
    app.post(UNDO_PREVIEW, &json!({"token": 1})).await.is(400);
}

on_both_engines!(a_password_that_is_none_does_not_use_a_link_up);
async fn a_password_that_is_none_does_not_use_a_link_up(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let link = switched_off(&alice).await;
    for password in ["short", "", &"x".repeat(72), "with\0nul and more"] {
        let reply = app.post(UNDO, &json!({"token": link, "new_password": password})).await.is(422);
        assert_eq!(reply.refuses("validation-failed").body["errors"][0]["pointer"], "/new_password");
    }
    assert_eq!(alice.status().await["enabled"], false);
    undo(app, &link).await.is(200);
}

on_both_engines!(a_reset_can_be_taken_back_too_and_support_looks_after_it);
async fn a_reset_can_be_taken_back_too_and_support_looks_after_it(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let flagged = async || carla.get(&about(&id, "2fa")).await.is(200).body["flagged_at"].clone();
    assert_eq!(flagged().await, Value::Null);
    let off = ask(&carla, &id, RESET).await.is(200);
    undo(app, &undo_link(app, &id, &off)).await.is(200);
    let owner = alice.with_password(NEW_PASSWORD);
    owner.sign_in().await;
    assert_eq!(seconds_from_now(app, &flagged().await), 0);
    assert!(owner.status().await.get("flagged_at").is_none(), "that is for support to see");
    let before = owner.get(STATUS).await.is(200);
    ask(&carla, &id, UNLOCK).await.is(200);
    assert_eq!(flagged().await, Value::Null, "somebody has looked after it");
    assert_eq!(owner.get(STATUS).await.header("etag"), before.header("etag"));
    // The operator's reset is no other.
    let whom = Whom::Email(Email::parse(&alice.email, "").unwrap());
    reset::reset(&app.cx(), whom, Remark::parse("by mistake", "").unwrap()).await.unwrap();
    owner.sign_in().await;
    let off = owner.get(STATUS).await.is(200);
    undo(app, &undo_link(app, &id, &off)).await.is(200);
}

on_both_engines!(a_suspended_account_stays_as_it_is);
async fn a_suspended_account_stays_as_it_is(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let link = switched_off(&alice).await;
    let whom = || Whom::Email(Email::parse(&alice.email, "").unwrap());
    standing::suspend(&app.cx(), whom(), None).await.unwrap();
    preview(app, &link).await.is(410).refuses("link-expired");
    undo(app, &link).await.is(410).refuses("link-expired");
    standing::resume(&app.cx(), whom(), None).await.unwrap();
    undo(app, &link).await.is(200);
}

on_both_engines!(with_the_account_its_link_is_gone);
async fn with_the_account_its_link_is_gone(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let link = switched_off(&alice).await;
    delete::delete(&app.cx(), Whom::Email(Email::parse(&alice.email, "").unwrap())).await.unwrap().unwrap();
    preview(app, &link).await.is(410).refuses("link-expired");
    undo(app, &link).await.is(410).refuses("link-expired");
    for table in ["tombstone", "tombstone_totp"] {
        assert_eq!(crate::support::behind::count(app, table), 0);
    }
}

on_both_engines!(what_is_kept_for_an_undo_moves_to_the_next_key_with_everything_else);
async fn what_is_kept_for_an_undo_moves_to_the_next_key_with_everything_else(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let link = switched_off(&alice).await;
    let folder = tempfile::tempdir().unwrap();
    app.keys.write(&folder.path().join("keys.toml")).unwrap();
    let mut keys = KeyFile::read(&folder.path().join("keys.toml")).unwrap();
    keys.sealing.splice(0..0, KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap().sealing);
    let take = |keys: &KeyFile| app.all_rooms().for_each(|rooms| rooms.take_keys(keys).unwrap());
    take(&keys);
    assert_eq!(uses(app.rooms(), Ring::Sealing).await.unwrap().get(&keys.sealing[1].id), Some(&1));
    let resealed = reseal(app.rooms(), |_| ()).await.unwrap();
    assert_eq!((resealed.done, resealed.unreadable.len()), (1, 0));
    assert_eq!(uses(app.rooms(), Ring::Sealing).await.unwrap().keys().collect::<Vec<_>>(), [&keys.sealing[0].id]);
    keys.sealing.truncate(1);
    take(&keys);
    undo(app, &link).await.is(200);
    app.pass(30);
    alice.with_password(NEW_PASSWORD).sign_in().await;
}

on_both_engines!(links_have_the_limit_of_sign_ins, |config| (config.auth_per_minute, config.auth_burst) = (1, 3));
async fn links_have_the_limit_of_sign_ins(app: &TestApp) {
    let mut statuses = Vec::new();
    // Each replica counts for itself.
    for _ in 0..4 * app.replicas() {
        statuses.push(preview(app, "made-up").await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), app.replicas(), "{statuses:?}");
}
