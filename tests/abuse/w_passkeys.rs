//! W: passkeys, by whoever has a signature that was made once, a copy of a key, or a page of their own.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        desk::account_of,
        passkeys::*,
        person::{Person, SECOND, VERIFY},
        reply::Reply,
        security_key::{Flaw, SecurityKey},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use twofold::config::Config;

/// Wide budgets: it is the proof that must be refused here, not the guess.
fn patient(config: &mut Config) {
    passkeys(config);
    for budget in [&mut config.limits.code, &mut config.limits.session_code, &mut config.limits.challenge] {
        (budget.free, budget.ends_at, budget.cap_day, budget.cap_month) = (1000, 0, 0, 0);
    }
    config.limits.confirm.ends_at = 1000;
    config.limits.enroll_start.free = 1000;
}

async fn with_passkey<'a>(app: &'a TestApp, name: &str) -> (Person<'a>, SecurityKey) {
    let (person, key) = (app.person(name).await, key());
    person.sign_in().await;
    set_up(&person, &key, json!({})).await;
    (person, key)
}

/// What is wrong in one thing, and must be refused for it.
fn flaws() -> Vec<Flaw> {
    vec![
        Flaw::Origin("https://portal.example.com.evil.test"),
        Flaw::Origin("https://desk.example.com"),
        Flaw::InsideOf("https://evil.test"),
        Flaw::Domain("evil.test"),
        Flaw::OtherCeremony,
        Flaw::Challenge,
        Flaw::NobodyPresent,
    ]
}

fn refused(reply: Reply) {
    reply.is(403).refuses("invalid-credential");
}

fn succeeded(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| reply.status == 200).count()
}

async fn proves(person: &Person<'_>, credential: &Value) -> Reply {
    person.post(VERIFY, &json!({"credential": credential})).await
}

on_both_engines!(of_fifty_uses_of_a_signature_at_once_one_succeeds, patient);
/// W01: a signature is replayed by whoever sees it, at every replica at once.
async fn of_fifty_uses_of_a_signature_at_once_one_succeeds(app: &TestApp) {
    let (alice, key) = with_passkey(app, "alice").await;
    let credential = key.get(&asked(&alice).await, &Flaw::None);
    let replies = join_all((0..50).map(|_| proves(&alice, &credential))).await;
    assert_eq!(succeeded(&replies), 1);
    replies.into_iter().filter(|reply| reply.status != 200).for_each(refused);

    let (challenge, public_key) = challenged(&alice).await;
    let answer = json!({"challenge": challenge, "credential": key.get(&public_key, &Flaw::None)});
    let replies = join_all((0..50).map(|_| app.post(SECOND, &answer))).await;
    assert_eq!(succeeded(&replies), 1);
    for reply in replies.into_iter().filter(|reply| reply.status != 200) {
        reply.is(410).refuses("challenge-expired");
    }
    assert_eq!(count(app, "ceremony"), 0);
}

on_both_engines!(of_fifty_confirms_of_a_passkey_at_once_one_succeeds, patient);
/// W01: so is what was made at its registration.
async fn of_fifty_confirms_of_a_passkey_at_once_one_succeeds(app: &TestApp) {
    let (alice, key) = (app.person("alice").await, key());
    alice.sign_in().await;
    let begun = try_enrolment(&alice, json!({})).await.is(201);
    let credential = key.create(&begun.body["public_key"], &Flaw::None).unwrap();
    let id = begun.text("/id");
    let replies = join_all((0..50).map(|_| confirm(&alice, &id, &credential))).await;
    assert_eq!(succeeded(&replies), 1);
    assert_eq!((count(app, "passkey"), count(app, "ceremony")), (1, 0));
}

on_both_engines!(a_signature_works_once_and_for_what_it_was_asked_for, patient);
/// W02: a signature of a sign-in, which the owner was talked into, switches something off; or the reverse.
async fn a_signature_works_once_and_for_what_it_was_asked_for(app: &TestApp) {
    let (alice, key) = with_passkey(app, "alice").await;
    let for_session = key.get(&asked(&alice).await, &Flaw::None);
    let (challenge, public_key) = challenged(&alice).await;
    let for_sign_in = key.get(&public_key, &Flaw::None);
    refused(proves(&alice, &for_sign_in).await);
    refused(app.post(SECOND, &json!({"challenge": challenge, "credential": for_session})).await);
    let (other, _) = challenged(&alice).await;
    refused(app.post(SECOND, &json!({"challenge": other, "credential": for_sign_in})).await);
    // Another session of the same person asks for itself.
    let elsewhere = alice.elsewhere();
    let signed_in = sign_in(&alice, &key, &Flaw::None).await.is(200);
    elsewhere.take_tokens(&signed_in, "/tokens");
    refused(proves(&elsewhere, &for_session).await);
    // Only what was asked for last counts.
    asked(&alice).await;
    refused(proves(&alice, &for_session).await);
    // Each of them, at last, where it belongs, once; its count must not be behind that of a later one.
    let fresh = key.get(&asked(&alice).await, &Flaw::None);
    proves(&alice, &fresh).await.is(200);
    refused(proves(&alice, &fresh).await);
}

on_both_engines!(a_signature_of_another_page_or_person_is_refused, patient);
/// W03: a page that looks like ours asks for a signature and hands it on; what is signed says where it was made.
async fn a_signature_of_another_page_or_person_is_refused(app: &TestApp) {
    let (alice, key) = with_passkey(app, "alice").await;
    let (mallory, his) = with_passkey(app, "mallory").await;
    let mut flaws = flaws();
    flaws.extend([Flaw::Signature, Flaw::Backup, Flaw::UserHandle([7; 16]), Flaw::CredentialId(his.last_id())]);
    for flaw in flaws {
        refused(verify(&alice, &key, &flaw).await);
        refused(sign_in(&alice, &key, &flaw).await);
    }
    // His own key, at her challenge; his own signature, in his session, is good.
    refused(proves(&alice, &his.get(&asked(&alice).await, &Flaw::None)).await);
    refused(sign_in(&alice, &his, &Flaw::None).await);
    verify(&mallory, &his, &Flaw::None).await.is(200);
    verify(&alice, &key, &Flaw::None).await.is(200);
    let failed = count(app, "audit WHERE kind = 'reauthentication.failed'");
    assert_eq!(failed, 12, "each is an event");
}

on_both_engines!(a_new_passkey_of_another_page_is_refused, patient);
/// W03: so does a page that has the owner make a passkey.
async fn a_new_passkey_of_another_page_is_refused(app: &TestApp) {
    let (alice, key) = (app.person("alice").await, key());
    alice.sign_in().await;
    for flaw in flaws() {
        refused(make(&alice, &key, json!({}), &flaw).await.1);
    }
    // What was made for one enrolment confirms no other.
    let one = try_enrolment(&alice, json!({})).await.is(201);
    let credential = key.create(&one.body["public_key"], &Flaw::None).unwrap();
    let other = try_enrolment(&alice, json!({})).await.is(201);
    refused(confirm(&alice, &other.text("/id"), &credential).await);
    confirm(&alice, &one.text("/id"), &credential).await.is(410).refuses("enrolment-expired");
    assert_eq!(count(app, "passkey"), 0);
}

on_both_engines!(a_copy_of_a_key_is_refused_and_its_owner_is_told, patient);
/// W04: whoever has a copy of a key uses it beside the owner.
async fn a_copy_of_a_key_is_refused_and_its_owner_is_told(app: &TestApp) {
    let (alice, key) = with_passkey(app, "alice").await;
    let account = account_of(&alice);
    let told = || count(app, &format!("audit WHERE account_id = '{account}' AND kind = 'passkey.counter_went_back'"));
    key.counter.set(10);
    sign_in(&alice, &key, &Flaw::None).await.is(200);
    // It counts one up before it signs.
    for behind in [10, 9, 0] {
        key.counter.set(behind);
        refused(sign_in(&alice, &key, &Flaw::None).await);
        key.counter.set(behind);
        refused(verify(&alice, &key, &Flaw::None).await);
    }
    assert_eq!(told(), 6);
    // Without the key nobody makes it look copied.
    key.counter.set(0);
    refused(verify(&alice, &key, &Flaw::Signature).await);
    assert_eq!(told(), 6);
    // The owner is not locked out by whoever has the copy.
    key.counter.set(11);
    let signed_in = sign_in(&alice, &key, &Flaw::None).await.is(200);
    alice.take_tokens(&signed_in, "/tokens");
    let events = alice.event_kinds().await;
    assert!(events.contains(&"passkey.counter_went_back".to_owned()));
}

on_both_engines!(a_signature_is_worth_nothing_once_factors_have_changed_or_time_has_passed, patient);
/// W05: a signature is kept for later.
async fn a_signature_is_worth_nothing_once_factors_have_changed_or_time_has_passed(app: &TestApp) {
    let (alice, key) = with_passkey(app, "alice").await;
    let late = key.get(&asked(&alice).await, &Flaw::None);
    app.pass(300);
    refused(proves(&alice, &late).await);
    let (challenge, public_key) = challenged(&alice).await;
    let at_sign_in = json!({"challenge": challenge, "credential": key.get(&public_key, &Flaw::None)});
    let in_session = key.get(&asked(&alice).await, &Flaw::None);
    // Another key joins: whatever was asked for before is void.
    let other = crate::support::passkeys::key();
    let method = set_up(&alice, &other, json!({})).await;
    app.post(SECOND, &at_sign_in).await.is(410).refuses("challenge-expired");
    refused(proves(&alice, &in_session).await);
    // The other key leaves: its signatures go with it.
    let in_session = other.get(&asked(&alice).await, &Flaw::None);
    let path = format!("/account/security/2fa/methods/{method}/remove");
    let removed = alice.post(&path, &json!({"password": alice.password})).await.is(200);
    alice.take_tokens(&removed, "/tokens");
    refused(proves(&alice, &in_session).await);
    let unasked = other.get(&asked(&alice).await, &Flaw::None);
    refused(proves(&alice, &unasked).await);
}

on_both_engines!(guesses_with_a_credential_are_paid_like_any_other, passkeys);
/// W06: credentials are sent by the thousand, since each costs us a signature to check.
async fn guesses_with_a_credential_are_paid_like_any_other(app: &TestApp) {
    let (alice, key) = with_passkey(app, "alice").await;
    for _ in 0..5 {
        refused(sign_in(&alice, &key, &Flaw::Signature).await);
    }
    sign_in(&alice, &key, &Flaw::None).await.is(429).refuses("too-many-attempts");
    // The session that has proved it to us is not locked out by that.
    verify(&alice, &key, &Flaw::None).await.is(200);
}
