//! Sessions, refresh tokens, and changes that end them.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{PASSWORD, REFRESH, SESSIONS, STATUS},
    },
};
use futures_util::future::join_all;
use serde_json::json;

on_both_engines!(an_access_token_lives_ten_minutes);
async fn an_access_token_lives_ten_minutes(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    app.pass(599);
    alice.status().await;
    app.pass(1);
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    alice.refresh().await.is(200);
    alice.status().await;
}

on_both_engines!(a_refresh_never_raises_what_was_proved, |config| config.step_up_max_age = 60);
async fn a_refresh_never_raises_what_was_proved(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let reply = alice.refresh().await.is(200);
    assert_eq!(reply.body["acr"], "aal2");
    app.pass(31);
    alice.refresh().await.is(200);
    alice.disable(json!({})).await.is(401).refuses("insufficient-user-authentication");
}

on_both_engines!(a_token_from_before_a_proof_has_no_share_in_it);
async fn a_token_from_before_a_proof_has_no_share_in_it(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    // Somebody has a copy of what the browser had before.
    let thief = alice.elsewhere();
    *thief.refresh.borrow_mut() = alice.refresh.borrow().clone();
    alice.set_up().await;
    app.pass(-15);
    assert_eq!(thief.refresh().await.is(200).body["acr"], "aal1");
    thief.disable(json!({})).await.is(401).refuses("insufficient-user-authentication");
    // A refresh whose answer was lost costs nobody what was proved before it.
    let bob = app.person("bob").await.with_two_factor().await;
    let before = bob.refresh.borrow().clone();
    bob.refresh().await.is(200);
    *bob.refresh.borrow_mut() = before;
    assert_eq!(bob.refresh().await.is(200).body["acr"], "aal2");
}

on_both_engines!(a_lost_answer_costs_nobody_the_session);
async fn a_lost_answer_costs_nobody_the_session(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let first = json!({"refresh_token": *alice.refresh.borrow()});
    let lost = app.post(REFRESH, &first).await.is(200);
    app.pass(30);
    let second = app.post(REFRESH, &first).await.is(200);
    // The successor that was lost is dead, now and later, and no sign of theft: the session lives on.
    let lost = json!({"refresh_token": lost.text("/refresh_token")});
    app.post(REFRESH, &lost).await.is(401);
    app.pass(60);
    app.post(REFRESH, &lost).await.is(401);
    alice.take_tokens(&second, "");
    alice.status().await;
}

on_both_engines!(two_holders_of_one_token_cannot_live_on_side_by_side);
async fn two_holders_of_one_token_cannot_live_on_side_by_side(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let shared = json!({"refresh_token": *alice.refresh.borrow()});
    let one = app.post(REFRESH, &shared).await.is(200).text("/refresh_token");
    let two = app.post(REFRESH, &shared).await.is(200).text("/refresh_token");
    app.post(REFRESH, &json!({"refresh_token": one})).await.is(401);
    let next = app.post(REFRESH, &json!({"refresh_token": two})).await.is(200);
    alice.take_tokens(&next, "");
    // The one that was shared is used for a third time: somebody has a copy.
    app.post(REFRESH, &shared).await.is(401);
    alice.get(STATUS).await.is(401);
}

on_both_engines!(a_stolen_refresh_token_ends_the_session);
async fn a_stolen_refresh_token_ends_the_session(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let stolen = json!({"refresh_token": *alice.refresh.borrow()});
    alice.refresh().await.is(200);
    alice.refresh().await.is(200);
    app.post(REFRESH, &stolen).await.is(401).refuses("invalid-token");
    alice.get(STATUS).await.is(401);
    alice.refresh().await.is(401);
    alice.sign_in().await;
    assert!(alice.event_kinds().await.contains(&"session.revoked".to_owned()));
}

on_both_engines!(a_predecessor_is_dead_after_half_a_minute);
async fn a_predecessor_is_dead_after_half_a_minute(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let first = json!({"refresh_token": *alice.refresh.borrow()});
    alice.refresh().await.is(200);
    app.pass(31);
    app.post(REFRESH, &first).await.is(401);
    alice.refresh().await.is(401);
}

on_both_engines!(a_made_up_refresh_token_ends_nothing);
async fn a_made_up_refresh_token_ends_nothing(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let real = alice.refresh.borrow().clone();
    for text in ["", "nonsense", &real[..60], &format!("{}AAAAAAAA", &real[..real.len() - 8])] {
        app.post(REFRESH, &json!({"refresh_token": text})).await.is(401).refuses("invalid-token");
    }
    alice.refresh().await.is(200);
}

on_both_engines!(of_many_refreshes_at_once_no_more_than_the_grace_allows_succeed);
async fn of_many_refreshes_at_once_no_more_than_the_grace_allows_succeed(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let body = json!({"refresh_token": *alice.refresh.borrow()});
    let replies = join_all((0..10).map(|_| app.post(REFRESH, &body))).await;
    let succeeded = replies.iter().filter(|reply| reply.status == 200).count();
    assert!((1..=2).contains(&succeeded), "{succeeded}");
}

on_both_engines!(a_session_ends_when_it_is_idle_or_old);
async fn a_session_ends_when_it_is_idle_or_old(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    app.pass(7 * 24 * 3600);
    alice.refresh().await.is(401);
    alice.sign_in().await;
    for _ in 0..4 {
        app.pass(7 * 24 * 3600 - 1);
        alice.refresh().await.is(200);
    }
    app.pass(2 * 24 * 3600 + 4);
    alice.refresh().await.is(401);
}

on_both_engines!(sessions_are_seen_and_ended);
async fn sessions_are_seen_and_ended(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let laptop = alice.elsewhere();
    laptop.sign_in().await;
    let phone = alice.elsewhere();
    phone.sign_in().await;
    let sessions = alice.get(SESSIONS).await.is(200).body["sessions"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 3);
    let own: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["acr"], "aal1");
    let laptops = laptop.get(SESSIONS).await.body["sessions"].as_array().unwrap().clone();
    let id = laptops.iter().find(|session| session["current"] == true).unwrap()["id"].as_str().unwrap().to_owned();
    alice.send("DELETE", &format!("{SESSIONS}/{id}"), &[], None).await.is(204);
    laptop.get(STATUS).await.is(401);
    alice.send("DELETE", &format!("{SESSIONS}/{id}"), &[], None).await.is(404);
    assert_eq!(alice.send("POST", &format!("{SESSIONS}/end-others"), &[], None).await.is(200).body["ended"], 1);
    phone.refresh().await.is(401);
    alice.status().await;
    let bob = app.person("bob").await;
    bob.sign_in().await;
    let bobs = bob.get(SESSIONS).await.body["sessions"][0]["id"].as_str().unwrap().to_owned();
    alice.send("DELETE", &format!("{SESSIONS}/{bobs}"), &[], None).await.is(404);
    bob.status().await;
}

on_both_engines!(signing_out_ends_the_session_at_once);
async fn signing_out_ends_the_session_at_once(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    alice.send("POST", "/auth/logout", &[], None).await.is(204);
    alice.get(STATUS).await.is(401);
    alice.refresh().await.is(401);
    alice.send("POST", "/auth/logout", &[], None).await.is(401);
}

on_both_engines!(a_changed_password_ends_everything_else_and_leaves_two_factor_on);
async fn a_changed_password_ends_everything_else_and_leaves_two_factor_on(app: &TestApp) {
    let mut alice = app.person("alice").await.with_two_factor().await;
    let laptop = alice.elsewhere();
    laptop.sign_in().await;
    let body = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    alice.post(PASSWORD, &body("wrong password", "another long password")).await.is(403);
    let short = alice.post(PASSWORD, &body(&alice.password, "short")).await.is(422);
    assert_eq!(short.body["errors"][0]["pointer"], "/new_password");
    let changed = alice.post(PASSWORD, &body(&alice.password, "another long password")).await.is(200);
    assert_eq!(changed.body["acr"], "aal2");
    laptop.get(STATUS).await.is(401);
    alice.get(STATUS).await.is(401);
    alice.take_tokens(&changed, "");
    assert_eq!(alice.status().await["enabled"], true);
    alice.login().await.is(403);
    alice.password = "another long password".into();
    assert_eq!(alice.login().await.is(200).body["result"], "second_factor_required");
    assert_eq!(alice.event_kinds().await[0], "password.changed");
}

on_both_engines!(a_password_change_needs_the_second_factor_while_it_is_on, |config| config.step_up_max_age = 1);
async fn a_password_change_needs_the_second_factor_while_it_is_on(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let mut body = json!({"current_password": alice.password, "new_password": "another long password"});
    alice.post(PASSWORD, &body).await.is(401).refuses("insufficient-user-authentication");
    body["code"] = json!(alice.fresh_code());
    alice.post(PASSWORD, &body).await.is(200);
}

on_both_engines!(ending_the_others_is_a_path_of_its_own);
async fn ending_the_others_is_a_path_of_its_own(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let reply = alice.send("DELETE", &format!("{SESSIONS}/end-others"), &[], None).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
}
