//! An installation on this machine, run by the program itself.
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

use super::{
    person::{LOGIN, TOTP_PATH, authenticator},
    pooler,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant, SystemTime},
};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct horse battery";

/// An installation: its folder, its keys, its database.
pub struct Installation {
    pub folder: TempDir,
    pub database_url: String,
    logs: AtomicUsize,
}

/// A `serve` of an installation; it is killed when it is dropped.
pub struct Served {
    pub child: Child,
    pub base: String,
    pub ready_line: String,
    _stdout: BufReader<ChildStdout>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Installation {
    /// A folder with keys, and a database that is not migrated yet.
    pub fn new(database_url: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = format!("sqlite://{}/twofold.db", folder.path().display());
        let installation = Self { folder, database_url: database_url.unwrap_or(own), logs: AtomicUsize::new(0) };
        installation.succeeds(&["keys", "generate", "--out", &installation.path("keys.toml")]);
        installation
    }

    /// One that is ready to serve.
    pub fn ready(database_url: Option<String>) -> Self {
        let installation = Self::new(database_url);
        installation.succeeds(&["migrate"]);
        installation
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_twofold"));
        command
            .env_clear()
            .env("TWOFOLD_DATABASE_URL", &self.database_url)
            .env("TWOFOLD_KEYS", self.path("keys.toml"))
            .env("TWOFOLD_LISTEN", "127.0.0.1:0")
            .env("TWOFOLD_OPS_LISTEN", "127.0.0.1:0")
            .env("TWOFOLD_BCRYPT_COST", "4")
            .env("TWOFOLD_INSECURE", "1")
            .env("TWOFOLD_AUTH_PER_MINUTE", "0")
            .env("TWOFOLD_DATABASE_PREPARED", if pooler::is_asked_for() { "0" } else { "1" });
        command
    }

    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that fails early reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    pub fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, "");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn add_account(&self, email: &str) -> String {
        let output =
            self.run(&["account", "add", "--email", email, "--password-stdin", "--json"], &format!("{PASSWORD}\n"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// The one sentence with which `serve` refuses to start.
    pub fn refusal(&self, setting: impl FnOnce(&mut Command)) -> String {
        let mut command = self.command();
        setting(command.arg("serve"));
        let output = command.output().unwrap();
        let sentence = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{sentence}");
        assert_eq!(sentence.trim_end().lines().count(), 1, "{sentence}");
        sentence
    }

    /// The keys, as the file has them.
    pub fn keys(&self) -> toml::Table {
        fs::read_to_string(self.path("keys.toml")).unwrap().parse().unwrap()
    }

    /// Other keys from now on.
    pub fn write_keys(&self, keys: &toml::Table) {
        fs::write(self.path("keys.toml"), keys.to_string()).unwrap();
    }

    /// What all `serve`s of it have logged.
    pub fn logged(&self) -> String {
        let logs = (0..self.logs.load(Ordering::SeqCst)).map(|n| fs::read_to_string(self.path(&format!("log-{n}"))));
        logs.map(Result::unwrap).collect()
    }

    pub fn serve(&self) -> Served {
        self.serve_with(|_| {})
    }

    pub fn serve_with(&self, setting: impl FnOnce(&mut Command)) -> Served {
        let mut command = self.command();
        setting(command.arg("serve"));
        self.start(command)
    }

    /// Starts what is to be a `serve`; where it refuses, `base` is empty.
    pub fn start(&self, mut command: Command) -> Served {
        let log = self.path(&format!("log-{}", self.logs.fetch_add(1, Ordering::SeqCst)));
        let log = fs::File::create(log).unwrap();
        Served::attach(command.stdout(Stdio::piped()).stderr(log).spawn().unwrap())
    }
}

impl Served {
    /// A process that is to serve, once it has said where.
    pub fn attach(mut child: Child) -> Self {
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready_line = String::new();
        stdout.read_line(&mut ready_line).unwrap();
        let base =
            ready_line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default().to_owned();
        Self { child, base, ready_line, _stdout: stdout }
    }

    /// Where its probes are.
    pub fn operations(&self) -> String {
        let addresses: Vec<&str> = self.ready_line.split(|c: char| c.is_whitespace() || c == ')').collect();
        addresses.iter().filter(|word| word.starts_with("http://")).nth(1).unwrap().to_string()
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(format!("{}{path}", self.base)).bearer_auth(token).json(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    pub async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let request = reqwest::Client::new().get(format!("{}{path}", self.base)).bearer_auth(token);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    pub async fn login(&self, email: &str) -> Value {
        let (status, body) = self.post(LOGIN, "", &json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Signs in and sets two-factor authentication up: token and secret; the code of now is used up.
    pub async fn set_up(&self, email: &str) -> (String, String) {
        let token = text(&self.login(email).await["tokens"]["access_token"]);
        let (_, enrolment) = self.post(TOTP_PATH, &token, &json!({"password": PASSWORD})).await;
        let secret = text(&enrolment["secret"]);
        let path = format!("{TOTP_PATH}/{}/confirm", text(&enrolment["id"]));
        let (status, confirmed) = self.post(&path, &token, &json!({"code": code_in(&secret, 0)})).await;
        assert_eq!(status, 200, "{confirmed}");
        (text(&confirmed["tokens"]["access_token"]), secret)
    }

    /// Its number among processes.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Asks it to end, and waits for its exit code.
    pub fn terminate(&mut self) -> i32 {
        self.signal(Signal::TERM);
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(began.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The time of the machine.
pub fn seconds() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// The code that the authenticator shows so many steps from now.
pub fn code_in(secret: &str, steps: i64) -> String {
    authenticator(secret).generate(seconds().saturating_add_signed(steps * 30)).to_string()
}
