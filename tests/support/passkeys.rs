//! An installation that has passkeys, and people who have them.

use super::{
    person::{Person, SECOND, VERIFY, with},
    reply::Reply,
    security_key::{Algorithm, Flaw, SecurityKey},
};
use serde_json::{Value, json};
use twofold::config::Config;

/// The domain that passkeys are bound to.
pub const DOMAIN: &str = "example.com";
/// The origin of the page that may ask for them.
pub const ORIGIN: &str = "https://portal.example.com";

/// An installation with passkeys for a page, two apps of one system, and one of another.
pub fn passkeys(config: &mut Config) {
    let certificate = |byte: &str| [byte; 32].join(":");
    config.webauthn.rp_id = Some(DOMAIN.to_owned());
    config.webauthn.origins = vec![ORIGIN.to_owned()];
    config.webauthn.android = vec![
        format!("com.example.portal={}", certificate("AB")),
        format!("com.example.desk={}", certificate("12")),
        format!("com.example.portal={}", certificate("CD")),
    ];
    config.webauthn.apple = vec!["ABCDE12345.com.example.portal".to_owned()];
}

/// Where passkeys are enrolled.
pub const PASSKEYS: &str = "/account/security/2fa/passkeys";
/// Where a session asks for a proof.
pub const START: &str = "/account/security/2fa/verify/start";
/// Where a sign-in does.
pub const SECOND_START: &str = "/auth/login/second-factor/start";

/// A security key at the page's browser.
pub fn key() -> SecurityKey {
    SecurityKey::new(Algorithm::Es256, ORIGIN)
}

/// Asks to start an enrolment.
pub async fn try_enrolment(person: &Person<'_>, more: Value) -> Reply {
    person.post(PASSKEYS, &with(json!({"password": person.password}), more)).await
}

/// Makes a passkey with a key; its method, and the answer to the confirm.
pub async fn make(person: &Person<'_>, key: &SecurityKey, more: Value, flaw: &Flaw) -> (String, Reply) {
    let begun = try_enrolment(person, more).await.is(201);
    let credential = key.create(&begun.body["public_key"], flaw).unwrap();
    let id = begun.text("/id");
    let reply = confirm(person, &id, &credential).await;
    (id, reply)
}

/// Confirms an enrolment.
pub async fn confirm(person: &Person<'_>, id: &str, credential: &Value) -> Reply {
    person.post(&format!("{PASSKEYS}/{id}/confirm"), &json!({"credential": credential})).await
}

/// Sets a passkey up and takes what comes with it; its method.
pub async fn set_up(person: &Person<'_>, key: &SecurityKey, more: Value) -> String {
    let (id, reply) = make(person, key, more, &Flaw::None).await;
    let reply = reply.is(200);
    person.take_tokens(&reply, "/tokens");
    if !reply.body["recovery_codes"].is_null() {
        *person.recovery_codes.borrow_mut() = reply.texts("/recovery_codes");
    }
    id
}

/// What the session's next proof is asked by.
pub async fn asked(person: &Person<'_>) -> Value {
    person.post(START, &json!({"method": "passkey"})).await.is(200).body["public_key"].clone()
}

/// Proves a passkey in the session.
pub async fn verify(person: &Person<'_>, key: &SecurityKey, flaw: &Flaw) -> Reply {
    let credential = key.get(&asked(person).await, flaw);
    person.post(VERIFY, &json!({"credential": credential})).await
}

/// Signs in by the password, and has a passkey asked for: the challenge, and what it is asked by.
pub async fn challenged(person: &Person<'_>) -> (String, Value) {
    let challenge = person.login().await.is(200).text("/challenge");
    let started = person.app.post(SECOND_START, &json!({"challenge": challenge, "method": "passkey"})).await.is(200);
    (challenge, started.body["public_key"].clone())
}

/// Signs in by the password and a passkey; the answer to the latter.
pub async fn sign_in(person: &Person<'_>, key: &SecurityKey, flaw: &Flaw) -> Reply {
    let (challenge, public_key) = challenged(person).await;
    let answer = json!({"challenge": challenge, "credential": key.get(&public_key, flaw)});
    person.app.post(SECOND, &answer).await
}
