//! A person with an account, a browser, and an authenticator app that is not ours.

use super::{TestApp, reply::Reply};
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use totp_rs::{Builder, Secret, Totp};

pub const STATUS: &str = "/account/security/2fa";
pub const TOTP_PATH: &str = "/account/security/2fa/totp";
pub const DISABLE: &str = "/account/security/2fa/disable";
pub const VERIFY: &str = "/account/security/2fa/verify";
pub const CODES: &str = "/account/security/2fa/recovery-codes";
pub const LOGIN: &str = "/auth/login";
pub const SECOND: &str = "/auth/login/second-factor";
pub const REFRESH: &str = "/auth/token/refresh";
pub const PASSWORD: &str = "/account/password";
pub const SESSIONS: &str = "/account/security/sessions";
pub const EVENTS: &str = "/account/security/events";
pub const DEVICES: &str = "/account/security/devices";

/// One person at one browser.
pub struct Person<'a> {
    pub app: &'a TestApp,
    pub email: String,
    pub password: String,
    pub access: RefCell<String>,
    pub refresh: RefCell<String>,
    /// The authenticator's secret in base 32, and its method.
    pub secret: RefCell<String>,
    pub method: RefCell<String>,
    pub recovery_codes: RefCell<Vec<String>>,
    /// The last step whose code was shown to the service, from whichever browser.
    last_step: Rc<Cell<i64>>,
}

impl<'a> Person<'a> {
    /// Somebody who is not signed in.
    pub fn new(app: &'a TestApp, email: String, password: String) -> Self {
        Self {
            app,
            email,
            password,
            access: RefCell::default(),
            refresh: RefCell::default(),
            secret: RefCell::default(),
            method: RefCell::default(),
            recovery_codes: RefCell::default(),
            last_step: Rc::default(),
        }
    }

    /// The same person at another browser, with the same authenticator.
    pub fn elsewhere(&self) -> Self {
        let mut other = Self::new(self.app, self.email.clone(), self.password.clone());
        other.secret.clone_from(&self.secret);
        other.method.clone_from(&self.method);
        other.recovery_codes.clone_from(&self.recovery_codes);
        other.last_step = self.last_step.clone();
        other
    }

    // --- the authenticator ---

    /// The code that the authenticator shows `steps` from now.
    pub fn code_in(&self, steps: i64) -> String {
        let seconds = self.app.now().as_second() + steps * 30;
        authenticator(&self.secret.borrow()).generate(u64::try_from(seconds).unwrap()).to_string()
    }

    /// The code that it shows now.
    pub fn code(&self) -> String {
        self.code_in(0)
    }

    /// The next code that was not shown before; waits for it where it must.
    pub fn fresh_code(&self) -> String {
        let step = self.app.now().as_second() / 30;
        if step <= self.last_step.get() {
            self.app.pass((self.last_step.get() + 1) * 30 - self.app.now().as_second());
        }
        self.last_step.set(self.app.now().as_second() / 30);
        self.code()
    }

    /// Six digits that are right at no time near.
    pub fn wrong_code(&self) -> String {
        let near: Vec<String> = (-130..=130).map(|steps| self.code_in(steps)).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }

    // --- the browser ---

    /// A request with the person's token.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Reply {
        let bearer = format!("Bearer {}", self.access.borrow());
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        self.app.send(method, path, &all, body).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], Some(body)).await
    }

    /// A request under an idempotency key.
    pub async fn post_once(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[("Idempotency-Key", key)], Some(body)).await
    }

    pub async fn status(&self) -> Value {
        self.get(STATUS).await.is(200).body
    }

    /// Takes the tokens of an answer into use.
    pub fn take_tokens(&self, reply: &Reply, pointer: &str) {
        *self.access.borrow_mut() = reply.text(&format!("{pointer}/access_token"));
        *self.refresh.borrow_mut() = reply.text(&format!("{pointer}/refresh_token"));
    }

    // --- what the person does ---

    /// Sends the password to the sign-in.
    pub async fn login(&self) -> Reply {
        self.app.post(LOGIN, &json!({"email": self.email, "password": self.password})).await
    }

    /// Signs in, with the second factor where it is asked for.
    pub async fn sign_in(&self) -> &Self {
        let reply = self.login().await.is(200);
        if reply.body["result"] == "signed_in" {
            self.take_tokens(&reply, "/tokens");
            return self;
        }
        let answer = json!({"challenge": reply.text("/challenge"), "code": self.fresh_code()});
        let reply = self.app.post(SECOND, &answer).await.is(200);
        self.take_tokens(&reply, "/tokens");
        self
    }

    /// Signs in again where the session's access token has run out meanwhile.
    pub async fn sign_in_again_if_needed(&self) {
        if self.get(STATUS).await.status == 401 {
            self.refresh().await.is(200);
        }
    }

    /// Starts an enrolment; returns its id.
    pub async fn start_enrolment(&self, more: Value) -> String {
        let reply = self.try_enrolment(more).await.is(201);
        *self.secret.borrow_mut() = reply.text("/secret");
        reply.text("/id")
    }

    /// Asks to start an enrolment.
    pub async fn try_enrolment(&self, more: Value) -> Reply {
        self.post(TOTP_PATH, &with(json!({"password": self.password}), more)).await
    }

    /// Confirms an enrolment with the code of now.
    pub async fn confirm(&self, id: &str, code: &str) -> Reply {
        self.post(&format!("{TOTP_PATH}/{id}/confirm"), &json!({"code": code})).await
    }

    /// Sets two-factor authentication up, and waits for the next code.
    pub async fn set_up(&self) -> &Self {
        let id = self.start_enrolment(json!({})).await;
        let code = self.fresh_code();
        let reply = self.confirm(&id, &code).await.is(200);
        self.take_tokens(&reply, "/tokens");
        *self.method.borrow_mut() = id;
        if !reply.body["recovery_codes"].is_null() {
            *self.recovery_codes.borrow_mut() = reply.texts("/recovery_codes");
        }
        self.app.pass(30);
        self
    }

    /// Signs in and sets two-factor authentication up.
    pub async fn with_two_factor(self) -> Self {
        self.sign_in().await;
        self.set_up().await;
        self
    }

    /// Disables two-factor authentication with the password and whatever else.
    pub async fn disable(&self, more: Value) -> Reply {
        self.post(DISABLE, &with(json!({"password": self.password}), more)).await
    }

    /// Verifies a code in the session.
    pub async fn verify(&self, code: &str) -> Reply {
        self.post(VERIFY, &json!({"code": code})).await
    }

    /// Signs in at another browser with the code of now, whatever this browser does.
    pub async fn verify_elsewhere(&self) {
        self.elsewhere().sign_in().await;
    }

    /// Signs in by the password and then proves the second factor as given; the answer of the latter.
    pub async fn answer_challenge(&self, factor: Value) -> Reply {
        let challenge = self.login().await.is(200).text("/challenge");
        self.app.post(SECOND, &with(json!({"challenge": challenge}), factor)).await
    }

    /// Signs in with both factors and has the browser remembered; what the browser keeps for that.
    pub async fn have_remembered(&self) -> String {
        let factor = json!({"code": self.fresh_code(), "remember_device": true});
        let reply = self.answer_challenge(factor).await.is(200);
        self.take_tokens(&reply, "/tokens");
        reply.text("/device_token")
    }

    /// Sends the password to the sign-in, and what a remembered browser keeps.
    pub async fn login_from(&self, device: &str) -> Reply {
        let body = json!({"email": self.email, "password": self.password, "device_token": device});
        self.app.post(LOGIN, &body).await
    }

    /// Trades the refresh token for a fresh pair.
    pub async fn refresh(&self) -> Reply {
        let reply = self.app.post(REFRESH, &json!({"refresh_token": *self.refresh.borrow()})).await;
        if reply.status == 200 {
            self.take_tokens(&reply, "");
        }
        reply
    }

    /// The kinds of the person's events, newest first.
    pub async fn event_kinds(&self) -> Vec<String> {
        let page = self.get(&format!("{EVENTS}?limit=100")).await.is(200);
        page.body["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// An independent implementation of RFC 6238.
pub fn authenticator(secret: &str) -> Totp {
    Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).with_account_name("anybody").build().unwrap()
}

/// Two objects as one.
pub fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}
