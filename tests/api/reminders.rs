//! Owners are reminded that two-factor authentication is off: after a week, once more after a month, and not for ever.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        desk::account_of,
        links::{stop_link, undo, undo_link},
        person::{Person, STATUS},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use twofold::{
    actions::{
        operator::{Whom, standing},
        reminders,
    },
    domain::account::Email,
};

const DAY: i64 = 86_400;
const STOP: &str = "/account/security/2fa/reminders/stop";
const ONE_CLICK: &str = "/account/security/2fa/reminders/one-click";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Reminds everybody whose turn it is; how many announcements of that kind there are then.
async fn reminded(app: &TestApp) -> i64 {
    while reminders::remind(&app.cx()).await.unwrap() > 0 {}
    count(app, "announcement WHERE kind = 'two_factor.reminded'")
}

/// Somebody who has switched it off, and the token with which the reminders of that are stopped.
async fn switched_off<'a>(app: &'a TestApp, name: &str) -> (Person<'a>, String) {
    let alice = app.person(name).await.with_two_factor().await;
    let account = account_of(&alice);
    let off = alice.disable(json!({})).await.is(200);
    alice.take_tokens(&off, "/tokens");
    let token = stop_link(app, &account, &off);
    (alice, token)
}

on_both_engines!(an_owner_is_reminded_after_a_week_and_after_a_month_and_then_no_more);
async fn an_owner_is_reminded_after_a_week_and_after_a_month_and_then_no_more(app: &TestApp) {
    let (alice, _) = switched_off(app, "alice").await;
    let before = alice.get(STATUS).await.is(200);
    app.pass(7 * DAY - 1);
    assert_eq!(reminded(app).await, 0);
    app.pass(1);
    assert_eq!((reminded(app).await, reminded(app).await), (1, 1));
    alice.sign_in().await;
    let status = alice.get(STATUS).await.is(200);
    assert_eq!(status.header("etag"), before.header("etag"), "nothing about the second factor has changed");
    let next: jiff::Timestamp = status.text("/reminder_at").parse().unwrap();
    assert_eq!(next.as_second() - app.now().as_second(), 30 * DAY);
    assert_eq!(alice.event_kinds().await[1], "two_factor.reminded");
    app.pass(30 * DAY - 1);
    assert_eq!(reminded(app).await, 1);
    app.pass(1);
    assert_eq!(reminded(app).await, 2);
    alice.sign_in().await;
    assert_eq!(alice.status().await.get("reminder_at"), None);
    app.pass(400 * DAY);
    assert_eq!(reminded(app).await, 2);
}

on_both_engines!(an_operator_may_want_one_reminder_alone, |config| config.reminder_again = 0);
async fn an_operator_may_want_one_reminder_alone(app: &TestApp) {
    switched_off(app, "alice").await;
    app.pass(7 * DAY);
    assert_eq!(reminded(app).await, 1);
    app.pass(400 * DAY);
    assert_eq!(reminded(app).await, 1);
}

on_both_engines!(whoever_is_protected_again_is_not_reminded);
async fn whoever_is_protected_again_is_not_reminded(app: &TestApp) {
    let (alice, _) = switched_off(app, "alice").await;
    alice.set_up().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let id = account_of(&bob);
    let off = bob.disable(json!({})).await.is(200);
    undo(app, &undo_link(app, &id, &off)).await.is(200);
    let (carol, _) = switched_off(app, "carol").await;
    let whom = || Whom::Email(Email::parse(&carol.email, "").unwrap());
    standing::suspend(&app.cx(), whom(), None).await.unwrap();
    app.pass(8 * DAY);
    assert_eq!(reminded(app).await, 0, "and nobody is who may not sign in");
    standing::resume(&app.cx(), whom(), None).await.unwrap();
    assert_eq!(reminded(app).await, 1);
}

on_both_engines!(replicas_that_remind_at_once_remind_once);
async fn replicas_that_remind_at_once_remind_once(app: &TestApp) {
    for n in 0..5 {
        switched_off(app, &format!("person{n}")).await;
    }
    app.pass(7 * DAY);
    let cx = app.cx();
    for outcome in join_all((0..10).map(|_| reminders::remind(&cx))).await {
        outcome.unwrap();
    }
    assert_eq!(reminded(app).await, 5);
}

on_both_engines!(one_click_ends_the_reminders);
async fn one_click_ends_the_reminders(app: &TestApp) {
    let ((alice, hers), (bob, his)) = (switched_off(app, "alice").await, switched_off(app, "bob").await);
    for _ in 0..2 {
        app.post(STOP, &json!({"token": hers})).await.is(204);
    }
    let status = alice.status().await;
    assert_eq!((&status["enabled"], status.get("reminder_at")), (&json!(false), None));
    assert_ne!(bob.status().await.get("reminder_at"), None);
    let press = async |query: &str, kind: (&str, &str), body: &str| {
        app.send_raw("POST", &format!("{ONE_CLICK}{query}"), &[kind], body.as_bytes().to_vec()).await
    };
    let query = format!("?token={his}");
    press(&query, FORM, "").await.is(400).refuses("malformed-request");
    press("", FORM, "List-Unsubscribe=One-Click").await.is(400).refuses("malformed-request");
    let text = press(&query, ("Content-Type", "text/plain"), "List-Unsubscribe=One-Click").await.is(415);
    assert!(text.text("/detail").contains("application/x-www-form-urlencoded"));
    assert_ne!(bob.status().await.get("reminder_at"), None);
    press(&query, FORM, "List-Unsubscribe=One-Click").await.is(204);
    let parts = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    press(&query, ("Content-Type", "multipart/form-data; boundary=x"), parts).await.is(204);
    assert_eq!(bob.status().await.get("reminder_at"), None);
    app.pass(400 * DAY);
    assert_eq!(reminded(app).await, 0);
}

on_both_engines!(a_link_ends_the_reminders_of_its_own_disable_alone);
async fn a_link_ends_the_reminders_of_its_own_disable_alone(app: &TestApp) {
    let (alice, first) = switched_off(app, "alice").await;
    let undo = undo_link(app, &account_of(&alice), &alice.get(STATUS).await);
    alice.set_up().await;
    app.post(STOP, &json!({"token": first})).await.is(204);
    alice.disable(json!({})).await.is(200);
    for token in [&first, &undo, "", "made up"] {
        app.post(STOP, &json!({"token": token})).await.is(410).refuses("link-expired");
        let form = b"List-Unsubscribe=One-Click".to_vec();
        let path = format!("{ONE_CLICK}?token={}", token.replace(' ', "+"));
        app.send_raw("POST", &path, &[FORM], form).await.is(410).refuses("link-expired");
    }
    alice.sign_in().await;
    assert_ne!(alice.status().await["reminder_at"], Value::Null);
    app.pass(7 * DAY);
    assert_eq!(reminded(app).await, 1);
}
