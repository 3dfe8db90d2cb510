//! The line between a customer and the service: everything that was asked and answered is written down.

use crate::support::dice::Dice;
use reqwest::Method;
use serde_json::Value;
use std::{cell::RefCell, rc::Rc, time::Duration};

/// Longer than the service takes to give up on anything.
const PATIENCE: Duration = Duration::from_secs(12);

/// Where the replicas are at this moment.
pub type Bases = Rc<RefCell<Vec<String>>>;

/// What a request wanted, and with it what its success must have recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Login,
    LoginByCode,
    LoginByRecoveryCode,
    Start,
    Confirm,
    Disable,
    Regenerate,
    Code,
    RecoveryCode,
    Guess,
    Read,
    Refresh,
}

/// One request, and the answer if one came.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its `X-Request-Id`, which its events bear.
    pub id: String,
    pub wish: Wish,
    /// What it would use up.
    pub credential: Option<String>,
    /// Its idempotency key.
    pub key: Option<String>,
    pub status: Option<u16>,
    pub body: Value,
    /// Whether the answer was that of an earlier request with the same key.
    pub is_replay: bool,
}

/// What a request says beside its path.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub body: Value,
    credential: Option<String>,
    key: Option<String>,
}

impl Ask {
    /// With a body.
    pub fn with(body: Value) -> Self {
        Self { body, ..Self::default() }
    }

    /// It would use this up.
    pub fn using(self, credential: String) -> Self {
        Self { credential: Some(credential), ..self }
    }

    /// Under an idempotency key.
    pub fn under(self, key: String) -> Self {
        Self { key: Some(key), ..self }
    }
}

/// One customer's line.
pub struct Line {
    pub log: Vec<Entry>,
    pub dice: Dice,
    bases: Bases,
    http: reqwest::Client,
}

impl Line {
    pub fn new(bases: Bases, dice: Dice) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self { log: Vec::new(), dice, bases, http }
    }

    /// Sends a request to one of the replicas, and notes what came of it.
    pub async fn send(&mut self, method: Method, path: &str, token: &str, wish: Wish, ask: Ask) -> Entry {
        let id = format!("r{:016x}", self.dice.next());
        let url = format!("{}{path}", self.base());
        let mut request = self.http.request(method, url).header("X-Request-Id", &id);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(key) = &ask.key {
            request = request.header("Idempotency-Key", key);
        }
        if !ask.body.is_null() {
            request = request.json(&ask.body);
        }
        let Ask { credential, key, .. } = ask;
        let mut entry = Entry { id, wish, credential, key, status: None, body: Value::Null, is_replay: false };
        if let Ok(response) = request.send().await {
            let status = response.status().as_u16();
            let is_replay = response.headers().contains_key("idempotent-replayed");
            // An answer counts when it has arrived whole.
            if let Ok(body) = response.bytes().await {
                entry.status = Some(status);
                entry.is_replay = is_replay;
                entry.body = serde_json::from_slice(&body).unwrap_or_default();
            }
        }
        assert!(entry.status.is_none_or(|status| status < 500 || status == 503), "{entry:?}");
        self.log.push(entry.clone());
        entry
    }

    fn base(&mut self) -> String {
        let bases = self.bases.borrow();
        bases[usize::try_from(self.dice.below(bases.len() as u64)).unwrap()].clone()
    }
}
