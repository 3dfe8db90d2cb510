//! What the policy requires and forbids, and the check-up.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        desk, links,
        person::{CODES, DEVICES, DISABLE, EVENTS, PASSWORD, Person, SESSIONS, STATUS, TOTP_PATH, VERIFY},
        reply::Reply,
    },
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use twofold::{
    actions::operator::{Whom, requirement},
    config::Config,
    domain::{account::Email, policy::Required},
};

const DAY: i64 = 24 * 3600;
const PREVIEW: &str = "/account/security/2fa/disable/preview";
const OVERVIEW: &str = "/account/security";

fn of_all(config: &mut Config) {
    config.policy.required = Required::All;
}

fn of_some(config: &mut Config) {
    config.policy.required = Required::Listed;
}

fn whom(person: &Person<'_>) -> Whom {
    Whom::Email(Email::parse(&person.email, "").unwrap())
}

fn audience(token: &str) -> String {
    let claims = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["aud"].as_str().unwrap().to_owned()
}

/// Signs in with the password alone; whether nothing but setting it up is possible.
async fn must_set_up(person: &Person<'_>) -> bool {
    let reply = person.login().await.is(200);
    person.take_tokens(&reply, "/tokens");
    let setup_required = reply.body["setup_required"].as_bool().unwrap();
    let own = reply.text("/tokens/access_token");
    assert_eq!(audience(&own).ends_with("/two-factor-setup"), setup_required);
    setup_required
}

fn is_forbidden(reply: Reply) {
    let reply = reply.is(403).refuses("forbidden-by-policy");
    assert_eq!(reply.body["alternatives"], json!(["replace", "add", "regenerate_recovery_codes"]));
}

on_both_engines!(whoever_must_have_it_cannot_switch_it_off, of_all);
async fn whoever_must_have_it_cannot_switch_it_off(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    alice.disable(json!({})).await.is(409).refuses("two-factor-not-enabled");
    alice.set_up().await;
    let status = alice.status().await;
    assert_eq!(status["actions"]["disable"], json!({"allowed": false, "reason": "forbidden-by-policy"}));
    assert_eq!(status["actions"]["replace"]["allowed"], true);
    is_forbidden(alice.get(PREVIEW).await);
    is_forbidden(alice.disable(json!({"code": alice.fresh_code()})).await);
    // It is said before anybody is asked for more, and costs no guess.
    let aal1 = alice.elsewhere();
    aal1.have_remembered().await;
    for _ in 0..20 {
        is_forbidden(alice.post(DISABLE, &json!({"password": "a wrong password"})).await);
    }
    alice.post(CODES, &json!({"password": alice.password})).await.is(200);
    let id = alice.start_enrolment(json!({"replaces": *alice.method.borrow()})).await;
    alice.confirm(&id, &alice.fresh_code()).await.is(200);
    assert_eq!(alice.elsewhere().login().await.body["result"], "second_factor_required");
}

on_both_engines!(where_nobody_may_switch_it_off_nobody_must_have_it, |config| config.policy.disable_allowed = false);
async fn where_nobody_may_switch_it_off_nobody_must_have_it(app: &TestApp) {
    let alice = app.person("alice").await;
    assert!(!must_set_up(&alice).await);
    app.pass(100 * DAY);
    assert!(!must_set_up(&alice).await);
    alice.set_up().await;
    is_forbidden(alice.disable(json!({})).await);
    assert_eq!(alice.status().await["required"], Value::Null);
    let policy = app.get("/.well-known/two-factor-policy").await.is(200).body;
    assert_eq!((&policy["required"], &policy["disable_allowed"]), (&json!("none"), &json!(false)));
    // Support helps whoever has lost everything.
    let carla = desk::agent(app, "carla").await;
    desk::ask(&carla, &desk::account_of(&alice), desk::RESET).await.is(200);
}

on_both_engines!(an_owner_has_two_weeks_from_the_first_sign_in, of_all);
async fn an_owner_has_two_weeks_from_the_first_sign_in(app: &TestApp) {
    let alice = app.person("alice").await;
    app.pass(100 * DAY);
    assert!(!must_set_up(&alice).await);
    let (since, status) = (app.now(), alice.status().await);
    assert_eq!(status["required"]["since"], since.to_string());
    app.pass(14 * DAY - 1);
    assert!(!must_set_up(&alice).await);
    assert_eq!(alice.status().await["required"], status["required"], "it began once");
    alice.get(SESSIONS).await.is(200);
    app.pass(1);
    for (verb, path) in [("GET", SESSIONS), ("GET", EVENTS), ("GET", DEVICES), ("GET", PREVIEW)] {
        alice.send(verb, path, &[], None).await.is(403).refuses("two-factor-setup-required");
    }
    alice.get(OVERVIEW).await.is(200);
    alice.refresh().await.is(200);
    assert!(audience(&alice.access.borrow()).ends_with("/two-factor-setup"), "a session that went on");
}

on_both_engines!(whoever_has_no_time_left_sets_it_up_and_is_free, of_all);
async fn whoever_has_no_time_left_sets_it_up_and_is_free(app: &TestApp) {
    let alice = app.person("alice").await;
    assert!(!must_set_up(&alice).await);
    app.pass(14 * DAY);
    assert!(must_set_up(&alice).await);
    let change = json!({"current_password": alice.password, "new_password": "another long password"});
    let end_others = format!("{SESSIONS}/end-others");
    for (path, body) in [(PASSWORD, &change), (&end_others, &json!({})), (VERIFY, &json!({"code": "123456"}))] {
        alice.post(path, body).await.is(403).refuses("two-factor-setup-required");
    }
    let given_up = alice.start_enrolment(json!({})).await;
    alice.get(&format!("{TOTP_PATH}/{given_up}")).await.is(200);
    alice.send("DELETE", &format!("{TOTP_PATH}/{given_up}"), &[], None).await.is(204);
    alice.set_up().await;
    assert!(!audience(&alice.access.borrow()).ends_with("/two-factor-setup"));
    alice.get(SESSIONS).await.is(200);
    let bob = app.person("bob").await;
    assert!(!must_set_up(&bob).await, "his own time begins now");
    app.pass(14 * DAY);
    assert!(must_set_up(&bob).await);
    bob.send("POST", "/auth/logout", &[], None).await.is(204);
}

on_both_engines!(the_time_is_had_once_whatever_comes_between, of_some);
async fn the_time_is_had_once_whatever_comes_between(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    assert!(requirement::require(&app.cx(), whom(&alice), None).await.unwrap().what);
    assert!(!requirement::require(&app.cx(), whom(&alice), None).await.unwrap().what);
    alice.sign_in().await;
    let required = alice.status().await["required"].clone();
    assert_eq!(required["since"], app.now().to_string());
    app.pass(15 * DAY);
    // Support switches it off, since everything is lost.
    let carla = desk::agent(app, "carla").await;
    let account = desk::account_of(&alice);
    let reset = desk::ask(&carla, &account, desk::RESET).await.is(200);
    assert!(must_set_up(&alice).await, "it had its time");
    // The list forgets and remembers; the time is where it was.
    assert!(requirement::release(&app.cx(), whom(&alice), None).await.unwrap().what);
    assert!(!must_set_up(&alice).await);
    assert_eq!(alice.status().await["required"], Value::Null);
    assert!(requirement::require(&app.cx(), whom(&alice), None).await.unwrap().what);
    assert!(must_set_up(&alice).await);
    assert_eq!(alice.status().await["required"], required);
    let link = links::undo_link(app, &account, &reset);
    let undone = links::undo(app, &link).await.is(200);
    assert_eq!(undone.body["restored"]["methods"], 1, "an undo only ever raises");
    assert_eq!(count(app, "audit WHERE kind = 'two_factor.required'"), 2);
    assert_eq!(count(app, "announcement WHERE kind = 'two_factor.required'"), 2, "she is told");
}

on_both_engines!(of_whom_it_is_not_required_nothing_is_asked, of_some);
async fn of_whom_it_is_not_required_nothing_is_asked(app: &TestApp) {
    let alice = app.person("alice").await;
    assert!(!must_set_up(&alice).await);
    app.pass(100 * DAY);
    assert!(!must_set_up(&alice).await);
    assert_eq!(alice.status().await["required"], Value::Null);
    alice.set_up().await;
    alice.disable(json!({})).await.is(200);
}

on_both_engines!(a_list_that_is_not_looked_at_asks_nothing_of_anybody);
async fn a_list_that_is_not_looked_at_asks_nothing_of_anybody(app: &TestApp) {
    let alice = app.person("alice").await;
    assert!(requirement::require(&app.cx(), whom(&alice), None).await.unwrap().what);
    assert!(!must_set_up(&alice).await);
    app.pass(100 * DAY);
    assert!(!must_set_up(&alice).await);
    assert_eq!(count(app, "announcement WHERE kind = 'two_factor.required'"), 0);
}

on_both_engines!(a_check_up_is_due_a_month_after_set_up_and_then_once_a_year);
async fn a_check_up_is_due_a_month_after_set_up_and_then_once_a_year(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    assert_eq!(alice.status().await["checkup_due_at"], Value::Null);
    alice.set_up().await;
    let due = async |days: i64, seconds_ago: i64| {
        let at = app.now().as_second() - seconds_ago + days * DAY;
        let status = alice.status().await;
        let due: jiff::Timestamp = status["checkup_due_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(due.as_second(), at, "{status}");
    };
    due(28, 30).await;
    // A recovery code says nothing about the phone; a code of it does.
    let recovery = json!({"recovery_code": alice.recovery_codes.borrow()[0]});
    let verified = alice.post(VERIFY, &recovery).await.is(200);
    alice.take_tokens(&verified, "");
    due(28, 30).await;
    app.pass(30);
    let verified = alice.verify(&alice.fresh_code()).await.is(200);
    alice.take_tokens(&verified, "");
    due(365, 0).await;
    let id = alice.start_enrolment(json!({"replaces": *alice.method.borrow()})).await;
    let moved = alice.confirm(&id, &alice.fresh_code()).await.is(200);
    alice.take_tokens(&moved, "/tokens");
    due(28, 0).await;
    assert_eq!(alice.get(OVERVIEW).await.body["two_factor"], alice.status().await);
}

on_both_engines!(where_nobody_is_asked_no_check_up_is_due, |config| {
    config.policy.checkup_after = 0;
    config.policy.checkup_every = 0;
});
async fn where_nobody_is_asked_no_check_up_is_due(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    assert_eq!(alice.status().await["checkup_due_at"], Value::Null);
    let verified = alice.verify(&alice.fresh_code()).await.is(200);
    alice.take_tokens(&verified, "");
    assert_eq!(alice.get(STATUS).await.body["checkup_due_at"], Value::Null);
}
