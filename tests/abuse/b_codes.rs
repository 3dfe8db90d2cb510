//! B: the codes of authenticator apps: their time, their forms, their single use, their budget.

use crate::{
    on_both_engines,
    support::{
        TestApp, fresh_database,
        installation::{Installation, code_in},
        person::{CODES, DISABLE, PASSWORD, Person, SECOND, STATUS, TOTP_PATH, VERIFY, with},
        race::race,
        reply::Reply,
    },
};
use futures_util::future::{join_all, LocalBoxFuture};
use serde_json::{Value, json};

pub const METHODS: &str = "/account/security/2fa/methods";

/// Everywhere that a second factor is taken, but for the confirm, which takes the code of its own enrolment.
pub const DOORS: [&str; 8] =
    ["sign-in", "verify", "enrol", "replace", "regenerate", "remove", "change-password", "disable"];

/// Shows a second factor at one of [`DOORS`]; where that takes another method, it is `spare`.
pub async fn show(person: &Person<'_>, door: &str, factor: Value, spare: &str) -> Reply {
    let proofs = with(json!({"password": person.password}), factor.clone());
    let passwords = json!({"current_password": person.password, "new_password": person.password});
    match door {
        "sign-in" => person.answer_challenge(factor).await,
        "verify" => person.post(VERIFY, &factor).await,
        "enrol" => person.post(TOTP_PATH, &proofs).await,
        "replace" => person.post(TOTP_PATH, &with(proofs, json!({"replaces": spare}))).await,
        "regenerate" => person.post(CODES, &proofs).await,
        "remove" => person.post(&format!("{METHODS}/{spare}/remove"), &proofs).await,
        "change-password" => person.post(PASSWORD, &with(passwords, factor)).await,
        _ => person.post(DISABLE, &proofs).await,
    }
}

/// Budgets that no claim comes near: it is the code that must be refused, not the guess.
pub fn wide(config: &mut twofold::config::Config) {
    let limits = &mut config.limits;
    let all = [
        &mut limits.code,
        &mut limits.session_code,
        &mut limits.recovery_code,
        &mut limits.login,
        &mut limits.reauth_session,
        &mut limits.reauth_account,
        &mut limits.challenge,
        &mut limits.enroll_start,
    ];
    for policy in all {
        (policy.free, policy.ends_at, policy.cap_day, policy.cap_month) = (1000, 0, 0, 0);
    }
}

/// Sets further authenticators up, and goes on with the first one.
pub async fn with_spares<const N: usize>(person: &Person<'_>) -> [String; N] {
    let (secret, method) = (person.secret.borrow().clone(), person.method.borrow().clone());
    let mut spares = [const { String::new() }; N];
    for spare in &mut spares {
        spare.clone_from(&*person.set_up().await.method.borrow());
    }
    (*person.secret.borrow_mut(), *person.method.borrow_mut()) = (secret, method);
    spares
}

/// Takes up the session after a change that made its tokens old.
async fn take_tokens_of(person: &Person<'_>, reply: &Reply) {
    for pointer in ["/tokens", ""] {
        if reply.body.pointer(&format!("{pointer}/access_token")).is_some() {
            person.take_tokens(reply, pointer);
        }
    }
}

on_both_engines!(the_window_is_the_same_at_every_door, super::wide);
/// B02: one door with a wider window is the window that an attacker uses.
async fn the_window_is_the_same_at_every_door(app: &TestApp) {
    for door in DOORS.into_iter().chain(["confirm"]) {
        let person = app.person(door).await.with_two_factor().await;
        let [spare] = with_spares(&person).await;
        let start = if door == "confirm" { person.start_enrolment(json!({})).await } else { String::new() };
        app.pass(90);
        let tries = async |steps: i64| {
            let code = person.code_in(steps);
            match door {
                "confirm" => person.confirm(&start, &code).await,
                _ => show(&person, door, json!({"code": code}), &spare).await,
            }
        };
        // A confirm says how wrong the phone's clock is.
        let refused = if door == "confirm" { 422 } else { 403 };
        tries(-2).await.is(refused);
        tries(2).await.is(refused);
        // What is accepted is later than what was accepted before, so the window is walked through upwards.
        let first = tries(-1).await;
        assert!([200, 201].contains(&first.status), "{door}: {}", first.body);
        take_tokens_of(&person, &first).await;
    }
    for (n, steps) in [0, 1].into_iter().enumerate() {
        for door in DOORS {
            let person = app.person(&format!("{door}{n}")).await.with_two_factor().await;
            let [spare] = with_spares(&person).await;
            app.pass(90);
            let reply = show(&person, door, json!({"code": person.code_in(steps)}), &spare).await;
            assert!([200, 201].contains(&reply.status), "{door} {steps}: {}", reply.body);
        }
    }
}

on_both_engines!(a_used_code_looks_like_a_wrong_one_and_is_written_down);
/// B03: an answer of its own would tell who looks over a shoulder that the code was right a moment ago.
async fn a_used_code_looks_like_a_wrong_one_and_is_written_down(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let code = alice.fresh_code();
    alice.answer_challenge(json!({"code": code})).await.is(200);
    let used = alice.answer_challenge(json!({"code": code})).await.is(403).refuses("invalid-credential");
    let wrong = bob.answer_challenge(json!({"code": bob.wrong_code()})).await.is(403);
    let without_id = |reply: Reply| with(reply.body, json!({"request_id": null}));
    assert_eq!(without_id(used), without_id(wrong));
    assert_eq!(alice.event_kinds().await[..2], ["login.second_factor_failed", "login.succeeded"]);
}

on_both_engines!(a_code_that_passed_one_door_passes_no_other, super::wide);
/// B05: a memory of used codes for each purpose is a second use for each further purpose (nebula-mesh).
async fn a_code_that_passed_one_door_passes_no_other(app: &TestApp) {
    // After a disable there is nothing left to show it to: that is A12.
    for first in DOORS.into_iter().filter(|door| *door != "disable").chain(["confirm"]) {
        let person = app.person(first).await.with_two_factor().await;
        let [spare, other] = with_spares(&person).await;
        let code = if first == "confirm" {
            let id = person.start_enrolment(json!({})).await;
            let code = person.fresh_code();
            take_tokens_of(&person, &person.confirm(&id, &code).await.is(200)).await;
            code
        } else {
            let code = person.fresh_code();
            let reply = show(&person, first, json!({"code": code}), &spare).await;
            assert!([200, 201].contains(&reply.status), "{first}: {}", reply.body);
            take_tokens_of(&person, &reply).await;
            code
        };
        let before = person.get(STATUS).await.is(200);
        for second in DOORS {
            let reply = show(&person, second, json!({"code": code}), &other).await;
            assert_eq!((reply.status, &reply.body["code"]), (403, &json!("invalid-credential")), "{first}, {second}");
        }
        assert_eq!(before.header("etag"), person.get(STATUS).await.is(200).header("etag"));
        // It was the code, and nothing else: the next one passes.
        person.disable(json!({"code": person.fresh_code()})).await.is(200);
    }
}

on_both_engines!(the_fifth_wrong_code_is_the_fifth_whatever_passwords_were_right_between);
/// B10: the password is what the attacker has; proving it once more must not buy another guess.
async fn the_fifth_wrong_code_is_the_fifth_whatever_passwords_were_right_between(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for left in [4, 3, 2, 1] {
        let reply = alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
        assert_eq!(reply.body["attempts_remaining"], left);
    }
    for _ in 0..10 {
        alice.login().await.is(200);
    }
    let fifth = alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    assert_eq!(fifth.body["attempts_remaining"], 0);
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(429).refuses("too-many-attempts");
}
