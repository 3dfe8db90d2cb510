//! O: what a remembered device keeps is a secret that can be stolen like any other.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        person::{DEVICES, LOGIN, Person, TOTP_PATH, with},
        race::race,
        reply::Reply,
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use twofold::{
    actions::operator::{self, Whom},
    crypto::password,
    domain::{account::Email, password::Password},
};

const ANOTHER: &str = "another long password";

fn asks_for_more(reply: Reply) {
    assert_eq!(reply.is(200).body["result"], "second_factor_required");
}

fn signs_in(reply: Reply) -> String {
    reply.is(200).text("/device_token")
}

async fn reuses(alice: &Person<'_>) -> usize {
    alice.sign_in().await;
    alice.event_kinds().await.iter().filter(|kind| *kind == "device.token_reused").count()
}

on_both_engines!(a_stolen_token_is_worth_nothing_without_the_password);
/// O01: whoever has the token and not the password learns nothing, and does nothing to its owner.
async fn a_stolen_token_is_worth_nothing_without_the_password(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let old = alice.have_remembered().await;
    let device = signs_in(alice.login_from(&old).await);
    let guess = json!({"email": alice.email, "password": "a guess in the dark"});
    let mut told = Vec::new();
    for more in [json!({}), json!({"device_token": device}), json!({"device_token": old}), json!({"device_token": "x"})]
    {
        let mut reply = app.post(LOGIN, &with(guess.clone(), more)).await.is(403).body;
        for differing in ["request_id", "attempts_remaining"] {
            reply.as_object_mut().unwrap().remove(differing);
        }
        told.push(reply);
    }
    assert!(told.iter().all(|reply| *reply == told[0]), "{told:?}");
    signs_in(alice.login_from(&device).await);
    assert_eq!(reuses(&alice).await, 0);
}

on_both_engines!(a_token_of_somebody_elses_changes_nothing);
/// O02: a token is for its own account, and whoever sends somebody else's does not even end it.
async fn a_token_of_somebody_elses_changes_nothing(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let replaced = alice.have_remembered().await;
    let device = signs_in(alice.login_from(&replaced).await);
    app.pass(60);
    for token in [&device, &replaced] {
        asks_for_more(bob.login_from(token).await);
    }
    let challenge = alice.login().await.is(200).text("/challenge");
    let made_up = ["", "x", "a.b.c", &"A".repeat(86), &device[..device.len() - 1], &format!("{device}A"), &challenge];
    let refresh = alice.refresh.borrow().clone();
    for token in made_up.into_iter().chain([refresh.as_str()]) {
        asks_for_more(alice.login_from(token).await);
    }
    for at in (0..device.len()).step_by(7) {
        let mut altered: Vec<char> = device.chars().collect();
        altered[at] = if altered[at] == 'A' { 'B' } else { 'A' };
        asks_for_more(alice.login_from(&altered.into_iter().collect::<String>()).await);
    }
    signs_in(alice.login_from(&device).await);
    assert_eq!((reuses(&alice).await, reuses(&bob).await), (0, 0));
}

on_both_engines!(a_copy_that_comes_second_ends_the_device_and_is_told);
/// O03: of a thief and an owner with one token, the second to come shows that there are two.
async fn a_copy_that_comes_second_ends_the_device_and_is_told(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let stolen = alice.have_remembered().await;
    let next = signs_in(alice.login_from(&stolen).await);
    // Two tabs, or an answer that was lost: it is not believed, and no alarm.
    app.pass(30);
    asks_for_more(alice.login_from(&stolen).await);
    let last = signs_in(alice.login_from(&next).await);
    assert_eq!(count(app, "device"), 1);
    asks_for_more(alice.login_from(&stolen).await);
    assert_eq!(count(app, "device"), 0, "two steps behind is behind, however soon");
    asks_for_more(alice.login_from(&last).await);
    assert_eq!(reuses(&alice).await, 1);
    assert_eq!(count(app, "announcement WHERE kind = 'device.token_reused'"), 1);
    assert_eq!(alice.get(DEVICES).await.is(200).body["devices"], json!([]));

    let stolen = alice.have_remembered().await;
    let next = signs_in(alice.login_from(&stolen).await);
    app.pass(31);
    asks_for_more(alice.login_from(&stolen).await);
    asks_for_more(alice.login_from(&next).await);
    assert_eq!(reuses(&alice).await, 2);
}

on_both_engines!(of_fifty_uses_of_one_token_at_once_one_signs_in);
/// O04: a token that is read before it is replaced lets two in.
async fn of_fifty_uses_of_one_token_at_once_one_signs_in(app: &TestApp) {
    race(app, async |n| {
        let alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        let device = alice.have_remembered().await;
        let replies = join_all((0..50).map(|_| alice.login_from(&device))).await;
        let successors: Vec<&Value> =
            replies.iter().map(|reply| &reply.body["device_token"]).filter(|token| token.is_string()).collect();
        assert_eq!(successors.len(), 1, "{replies:?}");
        // A challenge, or a password that was not computed for want of room.
        for reply in replies.iter().filter(|reply| !reply.body["device_token"].is_string()) {
            let is_asked = reply.body["result"] == "second_factor_required";
            assert!(is_asked || [429, 503].contains(&reply.status), "{} {}", reply.status, reply.body);
        }
        signs_in(alice.login_from(successors[0].as_str().unwrap()).await);
        assert_eq!(reuses(&alice).await, 0);
    })
    .await;
}

/// What ends every device of an account.
#[derive(Clone, Copy, Debug)]
enum Change {
    Add,
    Replace,
    DisableAndSetUp,
    Password,
    ByOperator,
    Scope,
}

async fn make(alice: &mut Person<'_>, change: Change) {
    let app = alice.app;
    let method = alice.method.borrow().clone();
    let confirm = async |more: Value| {
        let id = alice.start_enrolment(more).await;
        alice.confirm(&id, &alice.fresh_code()).await.is(200)
    };
    match change {
        Change::Add => drop(confirm(json!({})).await),
        Change::Replace => drop(confirm(json!({"replaces": method})).await),
        Change::DisableAndSetUp => {
            let disabled = alice.disable(json!({})).await.is(200);
            alice.take_tokens(&disabled, "/tokens");
            alice.set_up().await;
        }
        Change::Password => {
            let body = json!({"current_password": alice.password, "new_password": ANOTHER});
            alice.post("/account/password", &body).await.is(200);
            alice.password = ANOTHER.into();
        }
        Change::ByOperator => {
            let hash = password::hash_now(&Password::chosen(ANOTHER.into(), "").unwrap(), 4).unwrap();
            operator::set_password(&app.cx(), Email::parse(&alice.email, "").unwrap(), hash).await.unwrap();
            alice.password = ANOTHER.into();
        }
        Change::Scope => {
            let whom = Whom::Email(Email::parse(&alice.email, "").unwrap());
            operator::scope::grant(&app.cx(), whom, "support".into(), None).await.unwrap();
        }
    }
}

on_both_engines!(any_change_of_factors_or_password_ends_every_device);
/// O05: a device stands for the factors that it was remembered under, and for no others.
async fn any_change_of_factors_or_password_ends_every_device(app: &TestApp) {
    let changes =
        [Change::Add, Change::Replace, Change::DisableAndSetUp, Change::Password, Change::ByOperator, Change::Scope];
    for (n, change) in changes.into_iter().enumerate() {
        println!("{change:?}");
        let mut alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        let (one, other) = (alice.elsewhere().have_remembered().await, alice.have_remembered().await);
        make(&mut alice, change).await;
        for device in [&one, &other] {
            asks_for_more(alice.login_from(device).await);
        }
        assert_eq!(count(app, "device"), 0, "nothing is left of them");
        assert_eq!(reuses(&alice).await, 0);
    }
}

on_both_engines!(while_it_is_off_a_token_is_neither_asked_for_nor_given);
/// O05: a device that was remembered before a disable is not remembered after it.
async fn while_it_is_off_a_token_is_neither_asked_for_nor_given(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let device = alice.have_remembered().await;
    let disabled = alice.disable(json!({})).await.is(200);
    alice.take_tokens(&disabled, "/tokens");
    let reply = alice.login_from(&device).await.is(200);
    assert_eq!((&reply.body["result"], &reply.body["device_token"]), (&json!("signed_in"), &Value::Null));
    alice.set_up().await;
    asks_for_more(alice.login_from(&device).await);
    alice.post(TOTP_PATH, &json!({"password": alice.password})).await.is(201);
}
