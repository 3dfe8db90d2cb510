//! Customers of a portal that has an identity provider of its own, and come with its tokens.

use crate::{
    on_both_engines,
    support::{
        TestApp, links,
        person::{DISABLE, LOGIN, Person, SESSIONS, STATUS, TOTP_PATH, VERIFY},
    },
};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};
use tempfile::TempDir;
use twofold::{
    config::Config,
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        keyring::Keyring,
        password,
        token::TokenKey,
    },
    domain::{
        account::{Email, Subject},
        password::Password,
    },
    store::accounts::NewAccount,
};

const ISSUER: &str = "https://login.portal.test";
const AUDIENCE: &str = "https://portal.test/security";

/// The portal's identity provider: the keys that it signs with, and the file that it publishes them in.
struct Portal {
    keys: Keyring,
    other: Keyring,
    folder: TempDir,
}

/// Names the set of keys that one test changes.
static NEXT: AtomicUsize = AtomicUsize::new(0);

static PORTAL: LazyLock<Portal> = LazyLock::new(|| {
    let ring = || Keyring::new(&KeyFile::generate(SigningAlgorithm::Es256, false).unwrap()).unwrap();
    let portal = Portal { keys: ring(), other: ring(), folder: tempfile::tempdir().unwrap() };
    fs::write(portal.published(), &portal.keys.signer.jwks).unwrap();
    portal
});

impl Portal {
    fn published(&self) -> PathBuf {
        self.folder.path().join("jwks.json")
    }

    fn key(&self) -> &TokenKey {
        &self.keys.signer.keys[0]
    }
}

pub(super) fn trusting(config: &mut Config) {
    config.portal.issuer = Some(ISSUER.into());
    config.portal.audience = Some(AUDIENCE.into());
    config.portal.jwks = Some(PORTAL.published().display().to_string());
    config.portal.algorithm = "ES256".into();
    config.portal.aal2 = vec!["urn:portal:mfa".into()];
}

/// What the provider says of Alice now, in her browser session `sid`.
pub(super) fn claims(app: &TestApp, subject: &str, sid: &str) -> Value {
    let now = app.now().as_second();
    json!({"iss": ISSUER, "aud": [AUDIENCE, "other"], "sub": subject, "sid": sid, "iat": now, "exp": now + 300})
}

fn token_of(key: &TokenKey, header: &Value, claims: &Value) -> String {
    use data_encoding::BASE64URL_NOPAD;
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key.private, key.algorithm).unwrap();
    format!("{message}.{signature}")
}

fn header() -> Value {
    json!({"alg": "ES256", "typ": "at+jwt", "kid": PORTAL.key().id, "x5t": "ignored"})
}

pub(super) fn token(claims: &Value) -> String {
    token_of(PORTAL.key(), &header(), claims)
}

/// A person whom the provider knows as `name`; her password is provisioned with the account.
pub(super) async fn customer<'a>(app: &'a TestApp, name: &str) -> Person<'a> {
    let (email, password) = (format!("{name}@example.test"), format!("{name} has a long password"));
    let hash = password::hash_now(&Password::chosen(password.clone(), "").unwrap(), 4).unwrap();
    let subject = Some(Subject::parse(name, "").unwrap());
    let new = NewAccount { subject, ..NewAccount::of(Email::parse(&email, "").unwrap(), hash) };
    twofold::actions::operator::add_account(&app.cx(), new).await.unwrap();
    let person = Person::new(app, email, password);
    person.come_with(&token(&claims(app, name, "one")));
    person
}

impl Person<'_> {
    pub(super) fn come_with(&self, token: &str) {
        *self.access.borrow_mut() = token.to_owned();
    }

    pub(super) fn proofs(&self) -> Value {
        json!({"password": self.password})
    }

    /// Sets two-factor authentication up, and comes with the next token of the session.
    pub(super) async fn set_up_at_portal(&self, subject: &str) {
        let started = self.post(TOTP_PATH, &self.proofs()).await.is(201);
        *self.secret.borrow_mut() = started.text("/secret");
        let confirm = format!("{TOTP_PATH}/{}/confirm", started.text("/id"));
        let confirmed = self.post(&confirm, &json!({"code": self.fresh_code()})).await.is(200);
        assert!(confirmed.body["tokens"].is_null(), "its tokens are the portal's");
        self.get(STATUS).await.is(401).refuses("invalid-token");
        self.app.pass(1);
        self.come_with(&token(&claims(self.app, subject, "one")));
    }
}

on_both_engines!(a_customer_of_the_portal_sets_up_and_disables_with_its_tokens, trusting);
async fn a_customer_of_the_portal_sets_up_and_disables_with_its_tokens(app: &TestApp) {
    let alice = customer(app, "alice").await;
    assert_eq!(alice.status().await["enabled"], false);
    alice.set_up_at_portal("alice").await;
    // The factor was proved to us in this very session.
    assert_eq!(alice.status().await["actions"]["disable"]["proofs"], json!(["password"]));
    let disabled = alice.post(DISABLE, &alice.proofs()).await.is(200);
    assert!(disabled.body["tokens"].is_null());
    assert_eq!(disabled.body["message"], "Your account is no longer protected by an authenticator app.");
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    app.pass(1);
    alice.come_with(&token(&claims(app, "alice", "one")));
    assert_eq!(alice.status().await["enabled"], false);
    // Who signs in here is served beside.
    let bob = app.person("bob").await;
    bob.sign_in().await.status().await;
}

on_both_engines!(a_token_that_is_not_the_portals_for_us_now_is_refused, trusting);
async fn a_token_that_is_not_the_portals_for_us_now_is_refused(app: &TestApp) {
    let alice = customer(app, "alice").await;
    alice.status().await;
    let now = app.now().as_second();
    for (pointer, value) in [
        ("iss", json!("https://login.portal.test/")),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", Value::Null),
        ("sub", json!("mallory")),
        ("sub", json!("Alice")),
        ("sub", json!("")),
        ("exp", json!(now)),
        ("exp", Value::Null),
        ("exp", json!("never")),
        ("nbf", json!(now + 31)),
        ("iat", json!(now + 31)),
        ("iat", Value::Null),
        ("auth_time", json!(now + 31)),
    ] {
        let mut wrong = claims(app, "alice", "one");
        match value.is_null() {
            true => drop(wrong.as_object_mut().unwrap().remove(pointer)),
            false => wrong[pointer] = value.clone(),
        }
        alice.come_with(&token(&wrong));
        let reply = alice.get(STATUS).await;
        assert_eq!(reply.status, 401, "{pointer}: {value}");
    }
    let good = claims(app, "alice", "one");
    let (other, published) = (&PORTAL.other.signer.keys[0], PORTAL.key());
    for (key, name, value) in [
        (published, "alg", json!("none")),
        (published, "alg", json!("HS256")),
        (published, "alg", json!("ES384")),
        (published, "typ", json!("JWT")),
        (published, "typ", json!("id+jwt")),
        (published, "crit", json!(["b64"])),
        (published, "kid", json!("unknown")),
        (other, "kid", json!(published.id)),
        (other, "kid", json!(other.id)),
        (other, "jwk", serde_json::from_str::<Value>(&PORTAL.other.signer.jwks).unwrap()["keys"][0].clone()),
    ] {
        let mut header = header();
        header[name] = value.clone();
        alice.come_with(&token_of(key, &header, &good));
        let reply = alice.get(STATUS).await;
        assert_eq!(reply.status, 401, "{name}: {value}");
    }
    alice.come_with(&token(&good));
    alice.status().await;
}

on_both_engines!(the_portal_vouches_for_a_second_factor_only_by_what_was_agreed, trusting);
async fn the_portal_vouches_for_a_second_factor_only_by_what_was_agreed(app: &TestApp) {
    let alice = customer(app, "alice").await;
    alice.set_up_at_portal("alice").await;
    let now = app.now().as_second();
    let long_ago = now - 43_201;
    for (acr, auth_time, is_enough) in [
        ("urn:portal:mfa", json!(now), true),
        ("urn:portal:mfa", json!(long_ago), false),
        ("urn:portal:mfa", Value::Null, false),
        ("urn:portal:pwd", json!(now), false),
        ("aal2", json!(now), false),
    ] {
        let mut stated = claims(app, "alice", "two");
        stated["acr"] = json!(acr);
        stated.as_object_mut().unwrap().extend((!auth_time.is_null()).then(|| ("auth_time".to_owned(), auth_time)));
        alice.come_with(&token(&stated));
        let proofs = alice.status().await["actions"]["disable"]["proofs"].clone();
        let expected = if is_enough { json!(["password"]) } else { json!(["password", "code|recovery_code"]) };
        assert_eq!(proofs, expected, "{stated}");
    }
    alice.post(DISABLE, &alice.proofs()).await.is(401).refuses("insufficient-user-authentication");
}

on_both_engines!(a_proof_counts_for_the_session_that_it_was_made_in, trusting);
async fn a_proof_counts_for_the_session_that_it_was_made_in(app: &TestApp) {
    let alice = customer(app, "alice").await;
    alice.set_up_at_portal("alice").await;
    alice.come_with(&token(&claims(app, "alice", "two")));
    alice.post(DISABLE, &alice.proofs()).await.is(401).refuses("insufficient-user-authentication");
    alice.post(VERIFY, &json!({"code": alice.fresh_code()})).await.is(204);
    let other = alice.elsewhere();
    other.come_with(&token(&claims(app, "alice", "three")));
    other.post(DISABLE, &other.proofs()).await.is(401).refuses("insufficient-user-authentication");
    // A token that names no session is a session of its own.
    let mut nameless = claims(app, "alice", "");
    nameless.as_object_mut().unwrap().remove("sid");
    other.come_with(&token(&nameless));
    other.post(DISABLE, &other.proofs()).await.is(401).refuses("insufficient-user-authentication");
    alice.post(DISABLE, &alice.proofs()).await.is(200);
}

on_both_engines!(a_session_of_the_portals_is_seen_and_stays_ended, trusting);
async fn a_session_of_the_portals_is_seen_and_stays_ended(app: &TestApp) {
    let alice = customer(app, "alice").await;
    alice.status().await;
    let thief = alice.elsewhere();
    thief.come_with(&token(&claims(app, "alice", "stolen")));
    thief.status().await;
    let sessions = alice.get(SESSIONS).await.is(200);
    let all = sessions.body["sessions"].as_array().unwrap().clone();
    let other = all.iter().find(|session| session["current"] == false).unwrap();
    assert_eq!(all.len(), 2);
    let path = format!("{SESSIONS}/{}", other["id"].as_str().unwrap());
    alice.send("DELETE", &path, &[], None).await.is(204);
    for _ in 0..3 {
        thief.get(STATUS).await.is(401).refuses("invalid-token");
        // The portal renews its token, again and again.
        app.pass(299);
        thief.come_with(&token(&claims(app, "alice", "stolen")));
    }
    thief.get(STATUS).await.is(401).refuses("invalid-token");
    alice.come_with(&token(&claims(app, "alice", "one")));
    alice.status().await;
    assert_eq!(alice.get(SESSIONS).await.is(200).body["sessions"].as_array().unwrap().len(), 1);
}

on_both_engines!(a_session_that_is_quiet_between_two_tokens_ends_with_the_others, trusting);
async fn a_session_that_is_quiet_between_two_tokens_ends_with_the_others(app: &TestApp) {
    let alice = customer(app, "alice").await;
    alice.set_up_at_portal("alice").await;
    let thief = alice.elsewhere();
    thief.come_with(&token(&claims(app, "alice", "stolen")));
    thief.post(VERIFY, &json!({"code": alice.fresh_code()})).await.is(204);
    // The stolen token has expired, and the next one of its session is yet to come.
    app.pass(301);
    alice.come_with(&token(&claims(app, "alice", "one")));
    let disabled = alice.post(DISABLE, &alice.proofs()).await.is(200);
    assert_eq!(disabled.body["revoked"]["sessions"], 1);
    app.pass(1);
    alice.come_with(&token(&claims(app, "alice", "one")));
    alice.set_up_at_portal("alice").await;
    thief.come_with(&token(&claims(app, "alice", "stolen")));
    thief.get(STATUS).await.is(401).refuses("invalid-token");
    // Neither after days of silence.
    app.pass(10 * 86_400);
    thief.come_with(&token(&claims(app, "alice", "stolen")));
    thief.get(STATUS).await.is(401).refuses("invalid-token");
}

on_both_engines!(tokens_without_a_session_bring_no_new_guesses, trusting);
async fn tokens_without_a_session_bring_no_new_guesses(app: &TestApp) {
    let alice = customer(app, "alice").await;
    alice.set_up_at_portal("alice").await;
    let mut judged = 0;
    for n in 0..20 {
        let mut stated = claims(app, "alice", "");
        stated.as_object_mut().unwrap().remove("sid");
        stated["acr"] = json!("urn:portal:mfa");
        stated["auth_time"] = json!(app.now().as_second() - 100_000 - n);
        alice.come_with(&token(&stated));
        judged += i32::from(alice.post(VERIFY, &json!({"code": alice.wrong_code()})).await.status == 403);
    }
    assert_eq!(judged, 5);
}

on_both_engines!(first_requests_of_one_session_at_once_begin_it_once, trusting);
async fn first_requests_of_one_session_at_once_begin_it_once(app: &TestApp) {
    let alice = customer(app, "alice").await;
    let replies = futures_util::future::join_all((0..20).map(|_| alice.get(STATUS))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(alice.get(SESSIONS).await.is(200).body["sessions"].as_array().unwrap().len(), 1);
}

on_both_engines!(five_wrong_passwords_end_the_session_of_the_portals, trusting);
async fn five_wrong_passwords_end_the_session_of_the_portals(app: &TestApp) {
    let alice = customer(app, "alice").await;
    for _ in 0..5 {
        alice.post(TOTP_PATH, &json!({"password": "a wrong password"})).await.is(403);
    }
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    let elsewhere = alice.elsewhere();
    elsewhere.come_with(&token(&claims(app, "alice", "two")));
    elsewhere.status().await;
}

on_both_engines!(where_the_portal_signs_in_there_is_no_sign_in_here, |config| {
    trusting(config);
    config.sign_in = false;
});
async fn where_the_portal_signs_in_there_is_no_sign_in_here(app: &TestApp) {
    let alice = customer(app, "alice").await;
    app.send_unjudged("POST", LOGIN, &[], b"{}".to_vec()).await.is(404).refuses("not-found");
    assert_eq!(app.send_unjudged("GET", "/", &[], Vec::new()).await.status, 404);
    alice.status().await;
}

on_both_engines!(a_customer_of_the_portal_takes_a_disable_back, |config| {
    trusting(config);
    config.sign_in = false;
});
async fn a_customer_of_the_portal_takes_a_disable_back(app: &TestApp) {
    let alice = customer(app, "alice").await;
    let account = twofold_account(app, &alice).await;
    alice.set_up_at_portal("alice").await;
    let disabled = alice.post(DISABLE, &alice.proofs()).await.is(200);
    // The links of our mails lead to our page, also where nobody signs in to it.
    for path in ["/undo", "/reminders", "/web/main.js"] {
        assert_eq!(app.send_unjudged("GET", path, &[], Vec::new()).await.status, 200, "{path}");
    }
    links::undo(app, &links::undo_link(app, &account, &disabled)).await.is(200);
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    app.pass(30);
    // The portal lets whoever has its password in again; what is asked for here is another one now, and the phone.
    alice.come_with(&token(&claims(app, "alice", "two")));
    assert_eq!(alice.status().await["enabled"], true);
    let proofs = |password: &str| json!({"password": password, "code": alice.fresh_code()});
    alice.post(DISABLE, &proofs(&alice.password)).await.is(403).refuses("invalid-credential");
    app.pass(30);
    alice.post(DISABLE, &proofs(links::NEW_PASSWORD)).await.is(200);
}

/// The id of a customer's account, which no token of the portal's tells.
pub(super) async fn twofold_account(app: &TestApp, person: &Person<'_>) -> String {
    let email = Email::parse(&person.email, "").unwrap();
    let account = app.store().read("test", move |db| Ok(twofold::store::accounts::by_email(db, &email)?));
    account.await.unwrap().unwrap().id.to_string()
}

on_both_engines!(a_key_that_is_new_is_fetched_and_one_that_is_withdrawn_counts_no_more, |config| {
    trusting(config);
    let own = PORTAL.folder.path().join(format!("{}.json", NEXT.fetch_add(1, Ordering::Relaxed)));
    fs::copy(PORTAL.published(), &own).unwrap();
    config.portal.jwks = Some(own.display().to_string());
});
async fn a_key_that_is_new_is_fetched_and_one_that_is_withdrawn_counts_no_more(app: &TestApp) {
    let alice = customer(app, "alice").await;
    alice.status().await;
    let old = alice.access.borrow().clone();
    let (other, published) = (&PORTAL.other.signer, app.config.portal.jwks.as_ref().unwrap());
    fs::write(published, &other.jwks).unwrap();
    let mut header = header();
    header["kid"] = json!(other.keys[0].id);
    alice.come_with(&token_of(&other.keys[0], &header, &claims(app, "alice", "one")));
    for _ in 0..app.replicas() {
        alice.status().await;
    }
    alice.come_with(&old);
    alice.get(STATUS).await.is(401).refuses("invalid-token");
}
