//! The walk of the demo: what a customer does, as requests over HTTP, each printed with its answer.

use super::out;
use crate::{
    actions::clock::Tell,
    domain::totp::{Step, TotpSecret},
};
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};

const SHOWN_CHARS: usize = 44;

/// A front-end on foot.
struct Walker<'a> {
    agent: ureq::Agent,
    base: &'a str,
    token: Option<String>,
    step: u32,
}

/// Walks the whole story; the error says at which step it did not hold.
pub fn walk(base: &str, email: &str, password: &str, clock: &Tell) -> Result<(), String> {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut walker = Walker { agent, base, token: None, step: 0 };
    let credentials = json!({"email": email, "password": password});

    out::done("A customer turns two-factor authentication on and off again.\n");
    let signed_in = walker.post("Sign in with the password", "/auth/login", &credentials, 200)?;
    expect(&signed_in["result"], "signed_in")?;
    walker.token = text(&signed_in["tokens"]["access_token"]);

    let status = walker.get("Look at two-factor authentication: it can be set up", "/account/security/2fa")?;
    expect(&status["actions"]["setup"]["allowed"], true)?;
    expect(&status["actions"]["manage"]["allowed"], false)?;

    let proof = json!({"password": password, "label": "Pixel 9"});
    let enrolment = walker.post("Set it up: scan the secret", "/account/security/2fa/totp", &proof, 201)?;
    let secret = secret_of(&enrolment)?;
    let now = Step::at(clock());
    let confirm = format!("/account/security/2fa/totp/{}/confirm", text(&enrolment["id"]).unwrap_or_default());
    let code = json!({"code": secret.code(now)});
    let confirmed = walker.post("Confirm with the first code", &confirm, &code, 200)?;
    expect(&confirmed["status"]["enabled"], true)?;
    walker.token = text(&confirmed["tokens"]["access_token"]);

    walker.post("Sign out", "/auth/logout", &Value::Null, 204)?;
    walker.token = None;

    let asked = walker.post("Sign in again: the second factor is asked for", "/auth/login", &credentials, 200)?;
    expect(&asked["result"], "second_factor_required")?;
    // The code of this step was used to confirm; the next one is accepted a step early.
    let answer = json!({"challenge": asked["challenge"], "code": secret.code(Step(now.0 + 1))});
    let signed_in = walker.post("Answer with the next code", "/auth/login/second-factor", &answer, 200)?;
    walker.token = text(&signed_in["tokens"]["access_token"]);

    let status = walker.get("Manage two-factor authentication: offered while it is on", "/account/security/2fa")?;
    expect(&status["actions"]["manage"]["allowed"], true)?;

    let proof = json!({"password": password, "reason": "new_phone"});
    let disabled = walker.post("Disable 2FA with the password", "/account/security/2fa/disable", &proof, 200)?;
    expect(&disabled["enabled"], false)?;
    out::done(format_args!("      > {}\n", text(&disabled["message"]).unwrap_or_default()));
    walker.token = None;

    let signed_in = walker.post("Sign in by password alone", "/auth/login", &credentials, 200)?;
    expect(&signed_in["result"], "signed_in")?;
    out::done("The story held.");
    Ok(())
}

impl Walker<'_> {
    fn get(&mut self, title: &str, path: &str) -> Result<Value, String> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = request.call().map_err(|error| format!("{title}: {error}"))?;
        self.show(title, &format!("GET {path}"), response, 200)
    }

    fn post(&mut self, title: &str, path: &str, body: &Value, expected: u16) -> Result<Value, String> {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let sent = if body.is_null() { request.send_empty() } else { request.send_json(body) };
        let response = sent.map_err(|error| format!("{title}: {error}"))?;
        self.show(title, &format!("POST {path}"), response, expected)
    }

    fn show(
        &mut self,
        title: &str,
        call: &str,
        mut response: ureq::http::Response<ureq::Body>,
        expected: u16,
    ) -> Result<Value, String> {
        self.step += 1;
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_string().map_err(|error| format!("{title}: {error}"))?;
        let body: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
        out::done(format_args!(
            "{:>3}. {title}\n      {call}\n      {status} {}\n",
            self.step,
            if body.is_null() { String::new() } else { shortened(&body).to_string() }
        ));
        if status == expected {
            Ok(body)
        } else {
            Err(format!("step {}, {title}: {status} instead of {expected}", self.step))
        }
    }
}

fn secret_of(enrolment: &Value) -> Result<TotpSecret, String> {
    let secret = text(&enrolment["secret"]).unwrap_or_default();
    let bytes = BASE32_NOPAD.decode(secret.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(TotpSecret::from_bytes).ok_or_else(|| "the enrolment has no secret".to_owned())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn expect(value: &Value, expected: impl Into<Value>) -> Result<(), String> {
    let expected = expected.into();
    if *value == expected { Ok(()) } else { Err(format!("{value} instead of {expected}")) }
}

/// The body on one line, with long texts and lists cut.
fn shortened(body: &Value) -> Value {
    match body {
        Value::String(text) if text.chars().count() > SHOWN_CHARS => {
            Value::String(text.chars().take(SHOWN_CHARS).chain("…".chars()).collect())
        }
        Value::Array(items) if items.len() > 2 => {
            let rest = Value::String(format!("and {} more", items.len() - 1));
            Value::Array(items.iter().take(1).map(shortened).chain([rest]).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(shortened).collect()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), shortened(value))).collect())
        }
        other => other.clone(),
    }
}
