//! Customers of a portal whose names at its identity provider change: what the portal then vouches for, and what not.

use crate::{
    on_both_engines,
    portal::{claims, customer, token, trusting, twofold_account},
    support::{
        TestApp,
        behind::count,
        desk::account_of,
        partner::newcomer,
        person::{DISABLE, Person, STATUS, VERIFY},
    },
};
use serde_json::{Value, json};
use twofold::{crypto::password, domain::password::Password};

/// Comes with a token that vouches for a second factor, in a browser session of its own.
fn come_vouched(person: &Person<'_>, subject: &str, sid: &str) {
    let now = person.app.now().as_second();
    let mut stated = claims(person.app, subject, sid);
    stated
        .as_object_mut()
        .unwrap()
        .extend([("acr".to_owned(), json!("urn:portal:mfa")), ("auth_time".to_owned(), json!(now))]);
    person.come_with(&token(&stated));
}

async fn proofs_of_disable(person: &Person<'_>) -> Value {
    person.status().await["actions"]["disable"]["proofs"].clone()
}

/// The portal's own program says what it knows of a person.
async fn provision(app: &TestApp, id: &str, body: &Value) {
    let program = newcomer(app, "The portal", "accounts:provision", true).await;
    program.take_token("").await;
    program.send("PUT", &format!("/partner/accounts/{id}"), &[], Some(body)).await.is(200);
    app.pass(1);
}

on_both_engines!(a_subject_that_takes_anothers_place_is_vouched_for_once_it_has_proved_our_factor, trusting);
async fn a_subject_that_takes_anothers_place_is_vouched_for_once_it_has_proved_our_factor(app: &TestApp) {
    let alice = customer(app, "alice").await;
    alice.set_up_at_portal("alice").await;
    let id = twofold_account(app, &alice).await;
    come_vouched(&alice, "alice", "two");
    assert_eq!(proofs_of_disable(&alice).await, json!(["password"]));
    let chosen = "mallory has chosen it";
    let hash = password::hash_now(&Password::chosen(chosen.into(), "").unwrap(), 4).unwrap();
    app.keep_out_of_sight(chosen);
    let moved = json!({"email": "mallory@example.test", "password_hash": hash, "subject": "mallory"});
    provision(app, &id, &moved).await;
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    alice.come_with(&token(&claims(app, "alice", "three")));
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    // What the portal vouches for is not Alice's phone.
    let mallory = Person::new(app, "mallory@example.test".into(), chosen.into());
    for sid in ["one", "two"] {
        come_vouched(&mallory, "mallory", sid);
        assert_eq!(proofs_of_disable(&mallory).await, json!(["password", "code|recovery_code"]));
        mallory.post(DISABLE, &mallory.proofs()).await.is(401).refuses("insufficient-user-authentication");
    }
    let told = "announcement WHERE kind = 'account.provisioned' AND recipient = 'alice@example.test'";
    assert_eq!(count(app, told), 1, "its owner is told, at the address of before");
    assert_eq!(count(app, "account WHERE restricted_until IS NOT NULL"), 1, "and others hold back");
    // Whoever has the phone is the owner, by whatever name the portal knows them.
    *mallory.secret.borrow_mut() = alice.secret.borrow().clone();
    app.pass(60);
    come_vouched(&mallory, "mallory", "three");
    mallory.post(VERIFY, &json!({"code": mallory.fresh_code()})).await.is(204);
    come_vouched(&mallory, "mallory", "four");
    assert_eq!(proofs_of_disable(&mallory).await, json!(["password"]));
}

on_both_engines!(a_first_subject_is_vouched_for_unless_a_second_factor_was_there_before, trusting);
async fn a_first_subject_is_vouched_for_unless_a_second_factor_was_there_before(app: &TestApp) {
    let bob = app.person("bob").await.with_two_factor().await;
    provision(app, &account_of(&bob), &json!({"email": bob.email, "subject": "bob"})).await;
    bob.get(STATUS).await.is(401).refuses("invalid-token");
    come_vouched(&bob, "bob", "one");
    assert_eq!(proofs_of_disable(&bob).await, json!(["password", "code|recovery_code"]));
    assert_eq!(count(app, "announcement WHERE kind = 'account.provisioned'"), 1);
    // Where there is none, a portal takes an account over without a word, and its owner stays signed in.
    let carol = app.person("carol").await;
    carol.sign_in().await;
    provision(app, &account_of(&carol), &json!({"email": carol.email, "subject": "carol"})).await;
    carol.get(STATUS).await.is(200);
    carol.come_with(&token(&claims(app, "carol", "one")));
    carol.set_up_at_portal("carol").await;
    come_vouched(&carol, "carol", "two");
    assert_eq!(proofs_of_disable(&carol).await, json!(["password"]));
    assert_eq!(count(app, "announcement WHERE kind = 'account.provisioned'"), 1);
}

on_both_engines!(a_phone_that_is_set_up_at_the_portal_is_proof_of_its_new_subject, trusting);
async fn a_phone_that_is_set_up_at_the_portal_is_proof_of_its_new_subject(app: &TestApp) {
    let alice = customer(app, "alice").await;
    let id = twofold_account(app, &alice).await;
    provision(app, &id, &json!({"email": alice.email, "subject": "alice-2"})).await;
    alice.come_with(&token(&claims(app, "alice-2", "one")));
    alice.set_up_at_portal("alice-2").await;
    come_vouched(&alice, "alice-2", "two");
    assert_eq!(proofs_of_disable(&alice).await, json!(["password"]));
}
