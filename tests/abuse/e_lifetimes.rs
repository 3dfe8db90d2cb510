//! What a change ends, everywhere and at once, and answers that must not be told apart.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{DISABLE, EVENTS, LOGIN, PASSWORD, Person, REFRESH, SECOND, SESSIONS, STATUS, TOTP_PATH},
        reply::Reply,
        wire,
    },
};
use serde_json::{Value, json};
use twofold::{
    actions::operator,
    crypto::password,
    domain::{
        account::{Email, Locale},
        password::Password,
    },
    store::accounts::NewAccount,
};

const ANOTHER: &str = "another long password";

/// The changes that end what was before.
#[derive(Clone, Copy, Debug)]
enum Change {
    Add,
    Replace,
    Remove,
    Disable,
    Password,
    ByOperator,
}

/// Makes a change; the caller's own tokens after it, where there are any.
async fn make(alice: &mut Person<'_>, change: Change) -> Option<Reply> {
    let (app, password) = (alice.app, json!({"password": alice.password}));
    let method = alice.method.borrow().clone();
    let confirm = async |more: Value| {
        let id = alice.start_enrolment(more).await;
        alice.confirm(&id, &alice.fresh_code()).await.is(200)
    };
    match change {
        Change::Add => Some(confirm(json!({})).await),
        Change::Replace => Some(confirm(json!({"replaces": method})).await),
        Change::Remove => {
            let path = format!("/account/security/2fa/methods/{method}/remove");
            Some(alice.post(&path, &password).await.is(200))
        }
        Change::Disable => Some(alice.post(DISABLE, &password).await.is(200)),
        Change::Password => {
            let body = json!({"current_password": alice.password, "new_password": ANOTHER});
            let changed = alice.post(PASSWORD, &body).await.is(200);
            alice.password = ANOTHER.into();
            Some(changed)
        }
        Change::ByOperator => {
            app.keep_out_of_sight(ANOTHER);
            let hash = password::hash_now(&Password::chosen(ANOTHER.into(), "").unwrap(), 4).unwrap();
            operator::set_password(&app.cx(), Email::parse(&alice.email, "").unwrap(), hash).await.unwrap();
            alice.password = ANOTHER.into();
            None
        }
    }
}

/// Twice as often as there are replicas, so that each of them is asked.
async fn is_refused_everywhere(app: &TestApp, status: u16, code: &str, ask: impl AsyncFn() -> Reply) {
    for _ in 0..2 * app.replicas() {
        ask().await.is(status).refuses(code);
    }
}

on_both_engines!(every_change_ends_what_was_issued_before_it);
/// E04, F12: a thief who is in already must be out when the owner changes anything, wherever he knocks next.
async fn every_change_ends_what_was_issued_before_it(app: &TestApp) {
    let changes = [Change::Add, Change::Replace, Change::Remove, Change::Disable, Change::Password, Change::ByOperator];
    for (n, change) in changes.into_iter().enumerate() {
        println!("{change:?}");
        let mut alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        if matches!(change, Change::Remove) {
            alice.set_up().await;
        }
        let thief = alice.elsewhere();
        thief.sign_in().await;
        let challenge = alice.login().await.is(200).text("/challenge");
        let mut old = Person::new(app, alice.email.clone(), alice.password.clone());
        old.access.clone_from(&alice.access);
        old.refresh.clone_from(&alice.refresh);
        let changed = make(&mut alice, change).await;

        for earlier in [&old, &thief] {
            is_refused_everywhere(app, 401, "invalid-token", || earlier.get(STATUS)).await;
            is_refused_everywhere(app, 401, "invalid-token", async || earlier.post(DISABLE, &json!({})).await).await;
        }
        let refresh = json!({"refresh_token": *thief.refresh.borrow()});
        is_refused_everywhere(app, 401, "invalid-token", || app.post(REFRESH, &refresh)).await;
        let recovery = json!({"challenge": challenge, "recovery_code": alice.recovery_codes.borrow()[0]});
        is_refused_everywhere(app, 410, "challenge-expired", || app.post(SECOND, &recovery)).await;
        let code = json!({"challenge": challenge, "code": alice.fresh_code()});
        is_refused_everywhere(app, 410, "challenge-expired", || app.post(SECOND, &code)).await;

        // The session that made the change lives on, even if its answer was lost; the operator leaves none.
        old.refresh().await.is(if changed.is_some() { 200 } else { 401 });
        let reply = alice.elsewhere().login().await.is(200);
        assert_eq!(reply.body["result"] == "signed_in", matches!(change, Change::Disable));
    }
}

on_both_engines!(all_sessions_but_ones_own_end_at_once);
/// F12: "sign out everywhere" means every token that is out there, not only the ones that are renewed.
async fn all_sessions_but_ones_own_end_at_once(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let others = [alice.elsewhere(), alice.elsewhere(), alice.elsewhere()];
    for other in &others {
        other.sign_in().await;
    }
    let ended = alice.send("POST", &format!("{SESSIONS}/end-others"), &[], None).await.is(200);
    assert_eq!(ended.body["ended"], 3);
    for other in &others {
        is_refused_everywhere(app, 401, "invalid-token", || other.get(STATUS)).await;
        is_refused_everywhere(app, 401, "invalid-token", async || other.post(TOTP_PATH, &json!({})).await).await;
        is_refused_everywhere(app, 401, "invalid-token", || other.refresh()).await;
    }
    alice.status().await;
}

on_both_engines!(what_the_operator_does_is_the_owners_to_see);
/// M03: a password that somebody else has set is the first thing that its owner must be able to find out.
async fn what_the_operator_does_is_the_owners_to_see(app: &TestApp) {
    let mut alice = app.person("alice").await.with_two_factor().await;
    make(&mut alice, Change::ByOperator).await;
    alice.sign_in().await;
    let events = alice.get(EVENTS).await.is(200).body["events"].clone();
    let events = events.as_array().unwrap();
    let event = events.iter().find(|event| event["type"] == "password.changed").unwrap();
    assert_eq!(event["actor"]["kind"], "system");
    assert_eq!(event["session_id"], Value::Null);
    assert_eq!(event["details"]["sessions"], 1);
    let own = events.iter().find(|event| event["type"] == "two_factor.enabled").unwrap();
    assert_eq!(own["actor"]["kind"], "owner");
    assert_eq!(alice.status().await["enabled"], true, "two-factor authentication stays on");
}

/// An account whose hash was imported at some cost.
async fn imported(app: &TestApp, name: &str, cost: u32) {
    let hash = password::hash_now(&Password::chosen("an imported password".into(), "").unwrap(), cost).unwrap();
    let email = Email::parse(&format!("{name}@example.test"), "").unwrap();
    let new = NewAccount { locale: Locale::ZhHans, scope: "support".into(), ..NewAccount::of(email, hash) };
    operator::add_account(&app.cx(), new).await.unwrap();
}

/// A header line whose list, where it holds one, is sorted.
fn in_order(line: &str) -> String {
    let Some((name, value)) = line.split_once(": ") else { return line.to_owned() };
    let mut values: Vec<&str> = value.split(", ").collect();
    values.sort_unstable();
    format!("{name}: {}", values.join(", "))
}

on_both_engines!(wrong_sign_ins_are_alike_to_the_byte, |config| config.bcrypt_cost = 5);
/// E06: whatever differs between "no such person" and "wrong password" is a list of customers.
async fn wrong_sign_ins_are_alike_to_the_byte(app: &TestApp) {
    app.person("off").await;
    app.person("onxx").await.with_two_factor().await;
    let former = app.person("once").await.with_two_factor().await;
    former.disable(json!({})).await.is(200);
    let locked = app.person("lock").await.with_two_factor().await;
    for _ in 0..5 {
        locked.answer_challenge(json!({"code": locked.wrong_code()})).await.is(403);
    }
    imported(app, "weak", 4).await;
    imported(app, "dear", 7).await;
    let mut told = Vec::new();
    for name in ["nobody", "off", "onxx", "once", "lock", "weak", "dear"] {
        let body = json!({"email": format!("{name}@example.test"), "password": "a guess in the dark"}).to_string();
        let request = wire::request("POST", LOGIN, "none", &body).replace("Host: x", "Host: x\r\nX-Request-Id: same");
        let exchange = wire::send(app, request).await;
        let [answer] = exchange.answers.as_slice() else { panic!("{exchange:?}") };
        assert_eq!(answer.status, 403);
        // The order of headers, and of names in them, is drawn anew for every answer.
        let mut head: Vec<String> = answer.head.split("\r\n").map(in_order).collect();
        head.retain(|line| !line.starts_with("date: "));
        head.sort();
        assert!(head.len() > 6, "{head:?}");
        told.push((name, head, String::from_utf8(answer.body.clone()).unwrap()));
    }
    for (name, head, body) in &told {
        assert_eq!((head, body), (&told[0].1, &told[0].2), "{name}");
    }
}
