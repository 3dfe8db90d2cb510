//! Somebody who integrates with the service, by what a sandbox tells.

use crate::support::{
    installation::text,
    person::{LOGIN, SECOND, authenticator},
};
use reqwest::{Client, RequestBuilder, Response};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

const FORM: &str = "application/x-www-form-urlencoded";
/// A mail comes within so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A sandbox, and whoever uses it; it is killed when it is dropped.
pub struct Integrator {
    child: Child,
    folder: TempDir,
    client: Client,
    base: String,
    service: String,
    /// What it said at the start.
    pub introduction: String,
    _stdout: BufReader<ChildStdout>,
}

/// An answer.
pub struct Reply {
    pub status: u16,
    pub body: Value,
}

impl Reply {
    /// The body, when the status is this one.
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

impl Drop for Integrator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Integrator {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_twofold"))
            .args(["demo", "--sandbox", "--listen", "127.0.0.1:0"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut introduction = String::new();
        while !introduction.contains("/sandbox/reset") {
            assert_ne!(stdout.read_line(&mut introduction).unwrap(), 0, "it ended: {introduction}");
        }
        let address = |before: &str| {
            let address = introduction.split_once(before).unwrap().1.split_whitespace().next().unwrap();
            address.trim_end_matches([',', ':']).to_owned()
        };
        let (service, base) = (address("The service is at "), address("The sandbox is at "));
        // The service of before a reset has closed its connections.
        let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Self { child, folder, client, base, service, introduction, _stdout: stdout }
    }

    /// Asks it to end; it leaves nothing behind.
    pub fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        assert_eq!(fs::read_dir(self.folder.path().join("target")).unwrap().count(), 0, "it cleans up");
    }

    /// Asks the sandbox.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.base));
        reply(body.iter().fold(request, |request, body| request.json(body))).await
    }

    /// A page of the sandbox.
    pub async fn page(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    /// All that the sandbox tells.
    pub async fn told(&self) -> Value {
        self.ask("GET", "/sandbox", None).await.is(200)
    }

    /// What it tells of an account.
    pub async fn account(&self, name: &str) -> Value {
        let told = self.told().await;
        let email = format!("{name}@example.test");
        told["accounts"].as_array().unwrap().iter().find(|account| account["email"] == *email).unwrap().clone()
    }

    /// Lets time pass.
    pub async fn advance(&self, seconds: u32) -> Value {
        self.ask("POST", "/sandbox/clock", Some(&json!({"advance": seconds}))).await.is(200)
    }

    /// Messages that were caught.
    pub async fn messages(&self, which: &str) -> Vec<Value> {
        let body = self.ask("GET", &format!("/sandbox/messages?{which}"), None).await.is(200);
        body["messages"].as_array().unwrap().clone()
    }

    /// Somebody who is not the service calls a hook.
    pub async fn forge(&self, hook: &str, signature: Option<&str>) {
        let request = self.client.post(format!("{}/sandbox/hooks/{hook}", self.base)).json(&json!({"type": "forged"}));
        let request = request.header("webhook-id", "1").header("webhook-timestamp", "1");
        let request = signature.iter().fold(request, |request, value| request.header("webhook-signature", *value));
        assert_eq!(reply(request).await.status, 204);
    }

    /// The newest of these messages, once there is one.
    pub async fn message(&self, which: &str) -> Value {
        let began = Instant::now();
        loop {
            if let Some(message) = self.messages(which).await.into_iter().next() {
                return message;
            }
            assert!(began.elapsed() < PATIENCE, "no message: {which}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks the service.
    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        reply(self.client.post(format!("{}{path}", self.service)).bearer_auth(token).json(body)).await
    }

    /// Asks the service.
    pub async fn get(&self, path: &str, token: &str) -> Reply {
        reply(self.client.get(format!("{}{path}", self.service)).bearer_auth(token)).await
    }

    /// Somebody signs in, with a code by the clock of the sandbox where one is asked for.
    pub async fn sign_in(&self, name: &str) -> String {
        let account = self.account(name).await;
        let credentials = json!({"email": account["email"], "password": account["password"]});
        let mut signed_in = self.post(LOGIN, "", &credentials).await.is(200);
        if signed_in["result"] == "second_factor_required" {
            let now: jiff::Timestamp = text(&self.told().await["now"]).parse().unwrap();
            let seconds = now.as_second().unsigned_abs();
            let code = authenticator(&text(&account["totp"]["secret"])).generate(seconds).to_string();
            let answer = json!({"challenge": signed_in["challenge"], "code": code});
            signed_in = self.post(SECOND, "", &answer).await.is(200);
        }
        text(&signed_in["tokens"]["access_token"])
    }

    /// Somebody signs in once more: a code is good once, so it must be the next one.
    pub async fn sign_in_later(&self, name: &str) -> String {
        self.advance(30).await;
        self.sign_in(name).await
    }

    /// A token of the partner's client.
    pub async fn partner_token(&self) -> String {
        let client = &self.told().await["client"];
        let request = self.client.post(format!("{}/oauth/token", self.service));
        let request = request.basic_auth(text(&client["id"]), Some(text(&client["secret"])));
        let granted = reply(request.header("content-type", FORM).body("grant_type=client_credentials")).await;
        text(&granted.is(200)["access_token"])
    }
}

async fn reply(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply { status: response.status().as_u16(), body: response.json().await.unwrap_or_default() }
}
