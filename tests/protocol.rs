//! The protocol of a change, interrupted between its two writes: what black-box tests cannot time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use serde_json::json;
use support::{
    TestApp,
    behind::count,
    desk,
    person::{PASSWORD, Person, STATUS},
};
use twofold::{
    actions::{
        Call, Precondition,
        reverify::{self, Ask, Proofs, Proven},
        two_factor::recovery_codes::Regenerated,
    },
    domain::{
        guesses::{BucketId, Scope},
        password::Password,
        recovery_code::RecoveryCode,
        refusal::{Refusal, Stop},
    },
    store::factors::Offered,
};

/// The call that a person's token stands for.
fn call(person: &Person<'_>, precondition: Precondition) -> Call {
    let cx = person.app.cx();
    let holder = cx.keys.signer.check(&cx.realm, &person.access.borrow(), cx.now).unwrap();
    Call { cx, holder, precondition, claim: None, is_for_setup: false }
}

async fn prove(call: &Call, password: &str) -> Result<Proven, Stop> {
    let password = Password::offered(password.to_owned(), "").unwrap();
    let proofs = Proofs { password, factor: None };
    reverify::prove(call, Ask { action: "test", proofs, quota: None, new_password: None }, |_, _| Ok(())).await
}

async fn settle(call: &Call, proven: Proven) -> Result<Regenerated, Stop> {
    reverify::settle(call, proven, |_, _| Ok(Regenerated { version: 0, codes: Vec::new() })).await
}

fn refused(outcome: Result<Regenerated, Stop>) -> Refusal {
    match outcome {
        Err(Stop::Refused(refusal)) => refusal,
        Err(Stop::Failed(fault)) => panic!("{fault}"),
        Ok(_) => panic!("it went through"),
    }
}

on_both_engines!(a_stale_version_spares_nobody_the_price_of_a_guess);
async fn a_stale_version_spares_nobody_the_price_of_a_guess(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let version = alice.get("/account/security/2fa").await.header("etag").unwrap().trim_matches('"').parse().unwrap();
    let call = call(&alice, Precondition::OneOf(vec![version]));
    let wrong = prove(&call, "a guess in the dark").await.unwrap();
    let right = prove(&call, &alice.password).await.unwrap();
    let rename = format!("/account/security/2fa/methods/{}", alice.method.borrow());
    alice.send("PATCH", &rename, &[], Some(&json!({"label": "moved"}))).await.is(200);
    assert_eq!(refused(settle(&call, wrong).await), Refusal::InvalidCredential { attempts_remaining: Some(4) });
    assert_eq!(refused(settle(&call, right).await), Refusal::VersionMismatch);
}

on_both_engines!(a_guess_that_nobody_settles_is_paid_and_ends_no_session);
async fn a_guess_that_nobody_settles_is_paid_and_ends_no_session(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let call_now = || call(&alice, Precondition::None);
    for _ in 0..5 {
        prove(&call_now(), "a guess in the dark").await.unwrap();
    }
    let retry_after = async || match prove(&call_now(), &alice.password).await {
        Err(Stop::Refused(Refusal::TooManyAttempts(limit))) => limit.retry_after,
        _ => panic!("a sixth guess was taken"),
    };
    assert_eq!(retry_after().await, 1, "they are in flight");
    app.pass(60);
    assert!(retry_after().await > 3600, "they have lapsed, and are not given back");
    alice.status().await;
}

on_both_engines!(a_proof_dies_with_a_change_of_the_account);
async fn a_proof_dies_with_a_change_of_the_account(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let call = call(&alice, Precondition::None);
    let proven = prove(&call, &alice.password).await.unwrap();
    alice.disable(json!({})).await.is(200);
    assert_eq!(refused(settle(&call, proven).await), Refusal::InvalidToken);
}

/// An enrolment of the person's that can be confirmed, which makes no use of the password's budget.
async fn second_phone(alice: &Person<'_>) -> String {
    alice.start_enrolment(json!({})).await
}

async fn confirm(alice: &Person<'_>, id: &str) {
    let confirmed = alice.confirm(id, &alice.fresh_code()).await.is(200);
    alice.take_tokens(&confirmed, "/tokens");
}

on_both_engines!(the_fifth_wrong_password_ends_the_session_whatever_moves_meanwhile);
async fn the_fifth_wrong_password_ends_the_session_whatever_moves_meanwhile(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let phone = second_phone(&alice).await;
    let call = call(&alice, Precondition::None);
    for _ in 0..4 {
        let wrong = prove(&call, "a guess in the dark").await.unwrap();
        assert!(matches!(refused(settle(&call, wrong).await), Refusal::InvalidCredential { .. }));
    }
    let fifth = prove(&call, "a guess in the dark").await.unwrap();
    confirm(&alice, &phone).await;
    assert_eq!(refused(settle(&call, fifth).await), Refusal::InvalidToken);
    alice.get(STATUS).await.is(401);
    app.pass(30);
    let kinds = alice.sign_in().await.event_kinds().await;
    assert_eq!(kinds[..2], ["login.succeeded", "session.revoked"]);
}

on_both_engines!(a_start_that_came_to_nothing_is_not_counted);
async fn a_start_that_came_to_nothing_is_not_counted(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let phone = second_phone(&alice).await;
    let call = call(&alice, Precondition::None);
    let password = Password::offered("a guess in the dark".to_owned(), "").unwrap();
    let quota = Some(BucketId::new(Scope::EnrollStart, call.holder.account));
    let ask = Ask { action: "test", proofs: Proofs { password, factor: None }, quota, new_password: None };
    let wrong = reverify::prove(&call, ask, |_, _| Ok(())).await.unwrap();
    confirm(&alice, &phone).await;
    assert_eq!(refused(settle(&call, wrong).await), Refusal::InvalidToken);
    for _ in 0..3 {
        second_phone(&alice).await;
    }
    alice.try_enrolment(json!({})).await.is(429);
}

/// What a person offers as proof when it is a bypass code, or what they take for one.
async fn prove_by(call: &Call, password: &str, code: &str) -> Proven {
    let password = Password::offered(password.to_owned(), "").unwrap();
    let factor = Some(Offered::RecoveryCode(RecoveryCode::parse(code, "").unwrap()));
    let proofs = Proofs { password, factor };
    let ask = Ask { action: "test", proofs, quota: None, new_password: None };
    reverify::prove(call, ask, |_, _| Ok(())).await.unwrap()
}

on_both_engines!(a_bypass_code_that_moved_after_it_was_paid_for_is_not_judged);
async fn a_bypass_code_that_moved_after_it_was_paid_for_is_not_judged(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, desk::account_of(&alice));
    let first = desk::bypass_code(&carla, &id).await;
    let call = call(&alice, Precondition::None);
    let replaced = prove_by(&call, &alice.password, &first).await;
    let second = desk::bypass_code(&carla, &id).await;
    assert!(matches!(refused(settle(&call, replaced).await), Refusal::InvalidCredential { .. }));
    // Of two who paid for the same one, one uses it.
    let (one, other) =
        (prove_by(&call, &alice.password, &second).await, prove_by(&call, &alice.password, &second).await);
    settle(&call, one).await.unwrap();
    assert!(matches!(refused(settle(&call, other).await), Refusal::InvalidCredential { .. }));
    // And what support has switched off meanwhile is not proved any more.
    let third = desk::bypass_code(&carla, &id).await;
    let late = prove_by(&call, &alice.password, &third).await;
    desk::ask(&carla, &id, desk::RESET).await.is(200);
    assert_eq!(refused(settle(&call, late).await), Refusal::InvalidToken);
}

on_both_engines!(the_fifth_wrong_guess_kills_a_bypass_code_whatever_moves_meanwhile);
async fn the_fifth_wrong_guess_kills_a_bypass_code_whatever_moves_meanwhile(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, desk::account_of(&alice));
    let code = desk::bypass_code(&carla, &id).await;
    let call = call(&alice, Precondition::None);
    for _ in 0..4 {
        let wrong = prove_by(&call, &alice.password, &"0".repeat(24)).await;
        assert!(matches!(refused(settle(&call, wrong).await), Refusal::InvalidCredential { .. }));
    }
    let fifth = prove_by(&call, "a guess in the dark", &code).await;
    // Another browser's change of the password moves the account, and leaves second factors as they are.
    let laptop = alice.elsewhere();
    laptop.sign_in().await;
    let change = json!({"current_password": alice.password, "new_password": alice.password});
    laptop.post(PASSWORD, &change).await.is(200);
    assert_eq!(refused(settle(&call, fifth).await), Refusal::InvalidToken);
    assert_eq!(count(app, "bypass_code"), 0);
}
