//! Codes that are sent, as whoever sends them gets them.

use super::{
    TestApp,
    person::{LOGIN, Person, SECOND, with},
};
use serde_json::{Value, json};
use twofold::{
    actions::codes::{self, Sent},
    config::{Config, SmsGateway},
    domain::method::Kind,
    store::sent_codes::Note,
};

pub const EMAIL_PATH: &str = "/account/security/2fa/email";
pub const SMS_PATH: &str = "/account/security/2fa/sms";
pub const NUMBER: &str = "+60123456789";

/// Codes go by mail and by SMS. Nobody sends them; tests take them out of the hands of whoever would.
pub fn by_both(config: &mut Config) {
    config.mail.url = Some("smtp://localhost?tls=none".to_owned());
    config.mail.from = Some("security@example.test".to_owned());
    config.mail.public_url = Some("https://security.example.test".to_owned());
    config.sms.gateway = Some(SmsGateway::Kannel);
}

/// Where methods of a kind are enrolled.
pub fn path(kind: Kind) -> &'static str {
    if kind == Kind::Sms { SMS_PATH } else { EMAIL_PATH }
}

/// What is to be sent now, all of it; it counts as sent.
pub async fn sent(app: &TestApp, kind: Kind) -> Vec<Note> {
    let notes = codes::claim(app.rooms(), kind, 1000).await.unwrap();
    for note in &notes {
        app.keep_out_of_sight(&note.code.reveal());
        codes::settle(app.rooms(), note.clone(), Sent::Taken).await.unwrap();
    }
    notes
}

/// The one code that is to be sent now.
pub async fn code(app: &TestApp, kind: Kind) -> String {
    let notes = sent(app, kind).await;
    assert_eq!(notes.len(), 1, "{notes:?}");
    notes[0].code.reveal()
}

/// Another code than that.
pub fn other(code: &str) -> String {
    format!("{:08}", (code.parse::<u32>().unwrap() + 1) % 100_000_000)
}

/// Starts an enrolment; its id, and the code that was sent.
pub async fn enrol(person: &Person<'_>, kind: Kind, more: Value) -> (String, String) {
    let phone = if kind == Kind::Sms { json!({"phone": NUMBER}) } else { json!({}) };
    let body = with(with(json!({"password": person.password}), phone), more);
    let started = person.post(path(kind), &body).await.is(201);
    (started.text("/id"), code(person.app, kind).await)
}

/// Sets a method up whose codes are sent; its id.
pub async fn set_up(person: &Person<'_>, kind: Kind, more: Value) -> String {
    let (id, code) = enrol(person, kind, more).await;
    let reply = person.post(&format!("{}/{id}/confirm", path(kind)), &json!({"code": code})).await.is(200);
    person.take_tokens(&reply, "/tokens");
    if !reply.body["recovery_codes"].is_null() {
        *person.recovery_codes.borrow_mut() = reply.texts("/recovery_codes");
    }
    id
}

/// Gives the password, and asks for a code: the challenge, and the code that was sent.
pub async fn challenged(person: &Person<'_>, kind: Kind) -> (String, String) {
    let body = json!({"email": person.email, "password": person.password});
    let challenge = person.app.post(LOGIN, &body).await.is(200).text("/challenge");
    person.app.post(&format!("{SECOND}/start"), &json!({"challenge": challenge, "method": kind})).await.is(200);
    let code = code(person.app, kind).await;
    (challenge, code)
}

/// An answer to a challenge.
pub fn answer(challenge: &str, kind: Kind, code: &str) -> Value {
    json!({"challenge": challenge, "method": kind, "code": code})
}
