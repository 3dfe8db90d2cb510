//! A customer who uses the service while it breaks.

use super::line::{Ask, Bases, Entry, Line, Wish};
use crate::support::{
    dice::Dice,
    installation::{PASSWORD, seconds},
    person::{CODES, DISABLE, LOGIN, REFRESH, SECOND, STATUS, TOTP_PATH, VERIFY, authenticator},
};
use reqwest::Method;
use serde_json::{Value, json};

/// One customer with one account and one browser.
pub struct Customer {
    pub email: String,
    /// What must not be readable anywhere.
    pub secrets: Vec<String>,
    pub line: Line,
    pub access: String,
    refresh: String,
    /// Access tokens from before a change that was acknowledged.
    dead_tokens: Vec<String>,
    /// The pending enrolment, its secret, and the last time step that was sent to confirm it.
    pending: Option<(String, String, u64)>,
    /// The live secret, and the last time step that may be used up.
    secret: Option<(String, u64)>,
    recovery_codes: Vec<String>,
}

impl Customer {
    pub fn new(email: String, bases: Bases, seed: u64) -> Self {
        let line = Line::new(bases, Dice::new(seed));
        let (secrets, dead_tokens, recovery_codes) = (Vec::new(), Vec::new(), Vec::new());
        let (access, refresh, pending, secret) = (String::new(), String::new(), None, None);
        Self { email, line, secrets, access, refresh, dead_tokens, pending, secret, recovery_codes }
    }

    /// Does one thing or another.
    pub async fn act(&mut self) {
        if self.access.is_empty() {
            return self.sign_in().await;
        }
        match self.line.dice.below(12) {
            0 => self.sign_in().await,
            1..=3 if self.secret.is_none() => self.set_up().await,
            1 | 2 => self.disable().await,
            3 => self.regenerate().await,
            4 | 5 => self.use_recovery_code().await,
            6 => self.use_code().await,
            7 => self.use_something_again().await,
            8 => self.guess().await,
            9 => self.use_dead_token().await,
            _ => {
                self.get(STATUS).await;
            }
        }
    }

    /// Signs in, with a recovery code or a code where it is asked for one.
    pub async fn sign_in(&mut self) {
        let credentials = json!({"email": self.email, "password": PASSWORD});
        let answer = self.line.send(Method::POST, LOGIN, "", Wish::Login, Ask::with(credentials)).await;
        if answer.status != Some(200) {
            return;
        }
        if answer.body["result"] == "signed_in" {
            // Off, perhaps by a disable whose answer was lost.
            self.secret = None;
            return self.take_tokens(&answer.body["tokens"]);
        }
        if self.secret.is_none() {
            // On, by a confirm whose answer was lost.
            self.secret = self.pending.take().map(|(_, secret, sent)| (secret, sent));
        }
        let challenge = answer.body["challenge"].as_str().unwrap().to_owned();
        self.secrets.push(challenge.clone());
        let answer = match self.next_code() {
            Some((code, credential)) => {
                let body = json!({"challenge": challenge, "code": code});
                self.line.send(Method::POST, SECOND, "", Wish::LoginByCode, Ask::with(body).using(credential)).await
            }
            None => {
                let Some(code) = self.recovery_codes.pop() else { return };
                let body = json!({"challenge": challenge, "recovery_code": code});
                let ask = Ask::with(body).using(code);
                self.line.send(Method::POST, SECOND, "", Wish::LoginByRecoveryCode, ask).await
            }
        };
        if answer.status == Some(200) {
            self.take_tokens(&answer.body["tokens"]);
        }
    }

    /// Trades the refresh token in.
    pub async fn refresh(&mut self) -> bool {
        let body = json!({"refresh_token": self.refresh});
        let answer = self.line.send(Method::POST, REFRESH, "", Wish::Refresh, Ask::with(body)).await;
        if answer.status == Some(200) {
            self.take_tokens(&answer.body);
        }
        answer.status == Some(200)
    }

    /// Sets two-factor authentication up.
    pub async fn set_up(&mut self) {
        let start = self.post(TOTP_PATH, Wish::Start, Ask::with(json!({"password": PASSWORD}))).await;
        if start.status == Some(201) {
            let member = |name: &str| start.body[name].as_str().unwrap().to_owned();
            self.pending = Some((member("id"), member("secret"), 0));
            self.secrets.push(member("secret"));
        }
        self.confirm().await;
    }

    async fn confirm(&mut self) {
        let Some((id, secret, sent)) = &mut self.pending else { return };
        let step = seconds() / 30;
        *sent = step;
        let (id, secret) = (id.clone(), secret.clone());
        let body = json!({"code": code_of(&secret, step)});
        let path = format!("{TOTP_PATH}/{id}/confirm");
        let ask = Ask::with(body).using(format!("{secret} {step}"));
        let answer = self.post(&path, Wish::Confirm, ask).await;
        if answer.status == Some(200) {
            self.enabled(&answer.body, secret, step);
        }
    }

    fn enabled(&mut self, body: &Value, secret: String, step: u64) {
        (self.pending, self.secret) = (None, Some((secret, step)));
        self.take_codes(body);
        self.take_tokens_of_change(&body["tokens"]);
    }

    /// Disables it, under an idempotency key; an answer that was lost is asked for again by [`Self::settle`].
    pub async fn disable(&mut self) {
        let key = format!("disable-{}", self.line.dice.next());
        self.disable_under(key).await;
    }

    async fn disable_under(&mut self, key: String) -> Entry {
        let mut ask = Ask::with(json!({"password": PASSWORD})).under(key);
        // The key's fingerprint leaves proofs out, so a repeated request may bring another one.
        if let Some(code) = self.recovery_codes.pop() {
            ask.body["recovery_code"] = json!(code);
            ask = ask.using(code);
        }
        let answer = self.post(DISABLE, Wish::Disable, ask).await;
        if answer.status == Some(200) {
            (self.secret, self.pending) = (None, None);
            self.recovery_codes.clear();
            if answer.is_replay { self.access.clear() } else { self.take_tokens_of_change(&answer.body["tokens"]) }
        }
        answer
    }

    async fn regenerate(&mut self) {
        let Some(code) = self.recovery_codes.pop() else { return };
        let body = json!({"password": PASSWORD, "recovery_code": code});
        let answer = self.post(CODES, Wish::Regenerate, Ask::with(body).using(code)).await;
        if answer.status == Some(200) {
            self.take_codes(&answer.body);
        }
    }

    async fn use_recovery_code(&mut self) {
        let Some(code) = self.recovery_codes.pop() else { return };
        let body = json!({"recovery_code": code});
        let answer = self.post(VERIFY, Wish::RecoveryCode, Ask::with(body).using(code)).await;
        self.stepped_up(&answer);
    }

    async fn use_code(&mut self) {
        let Some((code, credential)) = self.next_code() else { return };
        let body = json!({"code": code});
        let answer = self.post(VERIFY, Wish::Code, Ask::with(body).using(credential)).await;
        self.stepped_up(&answer);
    }

    /// Sends something again that was accepted, or may have been.
    async fn use_something_again(&mut self) {
        let is_use = |entry: &&Entry| matches!(entry.wish, Wish::Code | Wish::RecoveryCode);
        let used: Vec<Entry> =
            self.line.log.iter().filter(is_use).filter(|entry| entry.status != Some(403)).cloned().collect();
        let Some(entry) = used.last() else { return };
        let credential = entry.credential.clone().unwrap();
        let body = match entry.wish {
            Wish::Code => {
                let (secret, step) = credential.split_once(' ').unwrap();
                json!({"code": code_of(secret, step.parse().unwrap())})
            }
            _ => json!({"recovery_code": credential}),
        };
        let wish = entry.wish;
        let answer = self.post(VERIFY, wish, Ask::with(body).using(credential)).await;
        self.stepped_up(&answer);
    }

    /// Guesses the password inside the session.
    pub async fn guess(&mut self) {
        let mut body = json!({"password": "a guess in the dark"});
        if self.secret.is_some() {
            // A recovery code that is none, so that the guess is judged whatever the token's assurance.
            body["recovery_code"] = json!("000000-000000-000000-000000");
        }
        self.post(DISABLE, Wish::Guess, Ask::with(body).using(self.session())).await;
    }

    async fn use_dead_token(&mut self) {
        let Some(token) = self.dead_tokens.last().cloned() else { return };
        let body = json!({"password": PASSWORD});
        let answer = self.line.send(Method::POST, DISABLE, &token, Wish::Guess, Ask::with(body)).await;
        assert!(
            matches!(answer.status, None | Some(401 | 503)),
            "a token from before a change still works: {answer:?}"
        );
    }

    /// Finds out what became of a disable whose answer was lost, by sending it again under its key.
    pub async fn settle(&mut self) {
        let unclear = |entry: &Entry| entry.wish == Wish::Disable && matches!(entry.status, None | Some(503));
        let Some(key) = self.line.log.last().filter(|entry| unclear(entry)).and_then(|entry| entry.key.clone()) else {
            return;
        };
        // Where it took effect, the access token is dead, and the session lives.
        if self.get(STATUS).await.status == Some(401) && !self.refresh().await {
            return;
        }
        let answer = self.disable_under(key).await;
        assert!(
            matches!(answer.status, None | Some(200 | 401 | 403 | 409 | 429 | 503)),
            "a repeated disable: {answer:?}"
        );
    }

    /// What the service says about the account at the end: its status, and all its events, oldest first.
    pub async fn account(&mut self) -> Option<(Entry, Vec<Value>)> {
        let mut status = self.get(STATUS).await;
        if status.status == Some(401) {
            // The session may live on; where it does not, it takes a sign-in.
            if !self.refresh().await {
                self.access.clear();
                self.sign_in().await;
            }
            status = self.get(STATUS).await;
        }
        if status.status != Some(200) {
            return None;
        }
        let mut events = Vec::new();
        let mut path = "/account/security/events?limit=100".to_owned();
        loop {
            let page = self.get(&path).await;
            assert_eq!(page.status, Some(200), "{page:?}");
            events.extend(page.body["events"].as_array().unwrap().clone());
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("/account/security/events?limit=100&cursor={cursor}");
        }
        events.reverse();
        Some((status, events))
    }

    /// The session that the access token speaks for.
    pub fn session(&self) -> String {
        let claims = self.access.split('.').nth(1).unwrap_or_default();
        let claims = data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap_or_default();
        serde_json::from_slice::<Value>(&claims).map_or_else(|_| String::new(), |claims| claims["sid"].to_string())
    }

    fn stepped_up(&mut self, answer: &Entry) {
        if answer.status == Some(200) {
            self.take_tokens(&answer.body);
        }
    }

    fn take_tokens(&mut self, tokens: &Value) {
        for (member, kept) in [("access_token", &mut self.access), ("refresh_token", &mut self.refresh)] {
            tokens[member].as_str().unwrap().clone_into(kept);
            self.secrets.push(kept.clone());
        }
    }

    fn take_tokens_of_change(&mut self, tokens: &Value) {
        self.dead_tokens.push(self.access.clone());
        self.take_tokens(tokens);
    }

    fn take_codes(&mut self, body: &Value) {
        if let Some(codes) = body["recovery_codes"].as_array() {
            self.recovery_codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
            self.secrets.extend(self.recovery_codes.clone());
        }
    }

    /// A code that was never sent, if the authenticator has one: of this time step or of the next.
    fn next_code(&mut self) -> Option<(String, String)> {
        let (secret, last) = self.secret.as_mut()?;
        let now = seconds() / 30;
        let step = (*last + 1).max(now);
        if step > now + 1 {
            return None;
        }
        *last = step;
        Some((code_of(secret, step), format!("{secret} {step}")))
    }

    async fn get(&mut self, path: &str) -> Entry {
        self.authorised(Method::GET, path, Wish::Read, Ask::default()).await
    }

    async fn post(&mut self, path: &str, wish: Wish, ask: Ask) -> Entry {
        self.authorised(Method::POST, path, wish, ask).await
    }

    async fn authorised(&mut self, method: Method, path: &str, wish: Wish, ask: Ask) -> Entry {
        let token = self.access.clone();
        let answer = self.line.send(method, path, &token, wish, ask).await;
        if answer.status == Some(401) && answer.body["code"] == "invalid-token" && wish != Wish::Read {
            // The session ended, or an answer with new tokens was lost.
            self.access.clear();
        }
        answer
    }
}

fn code_of(secret: &str, step: u64) -> String {
    authenticator(secret).generate(step * 30).to_string()
}
