//! A mail server of a test's own, and the certificates that it has.
#![allow(clippy::disallowed_methods, reason = "the environment says whether it is required")]

use crate::support::installation::Installation;
use serde_json::Value;
use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// An authority, a server's certificate for `localhost` from it, and one from somebody else.
const CERTIFICATES: &str = "set -e
    for name in ca other; do
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$name \
        -keyout $name.key -out $name.pem
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout of-$name.key -out csr
      printf 'subjectAltName=DNS:localhost\\n' >names
      openssl x509 -req -in csr -CA $name.pem -CAkey $name.key -CAcreateserial -days 2 -extfile names -out of-$name.pem
    done";

/// A mail server; it ends when it is dropped.
pub struct Post {
    child: Child,
    pub port: u16,
    told: Arc<Mutex<Vec<Value>>>,
}

impl Drop for Post {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python that has a mail server; none where there is none, unless it is required.
pub fn python() -> Option<&'static str> {
    let has_it = |python: &&str| {
        let tried = Command::new(python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has_it);
    if found.is_none() {
        assert!(env::var("TWOFOLD_TEST_SMTP").as_deref() != Ok("required"), "aiosmtpd is required and not installed");
        eprintln!("skipped: aiosmtpd, which is Debian's python3-aiosmtpd, is not installed");
    }
    found
}

/// Makes the certificates in the folder of an installation.
pub fn certify(installation: &Installation) {
    let made = Command::new("sh").args(["-c", CERTIFICATES]).current_dir(installation.folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

impl Post {
    /// Starts one at `port`, or at any where it is 0; `line` and `manner` are those of `server.py`, `authority` is whose
    /// certificate it has.
    pub fn open(installation: &Installation, port: u16, line: &str, manner: &str, authority: &str) -> Self {
        let mut command = Command::new(python().unwrap());
        command.args(["tests/mail/server.py", &port.to_string(), line, manner]);
        if line != "clear" {
            let file = |end: &str| installation.path(&format!("of-{authority}.{end}"));
            command.args([file("pem"), file("key")]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (lines, telling) = (BufReader::new(child.stdout.take().unwrap()).lines(), told.clone());
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                telling.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let mut post = Self { child, port: 0, told };
        let ready = post.wait("ready", 1);
        post.port = u16::try_from(ready[0]["port"].as_u64().unwrap()).unwrap();
        post
    }

    /// What it was told at a step so far.
    pub fn told(&self, step: &str) -> Vec<Value> {
        self.told.lock().unwrap().iter().filter(|told| told["step"] == step).cloned().collect()
    }

    /// Waits until it was told so many things at a step.
    pub fn wait(&self, step: &str, count: usize) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let told = self.told(step);
            if told.len() >= count {
                return told;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{step}: {:?}", self.told.lock().unwrap());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A header of a message.
pub fn header(message: &Value, name: &str) -> String {
    let headers = message["headers"].as_array().unwrap();
    let mut of_name = headers.iter().filter(|header| header[0].as_str().unwrap().eq_ignore_ascii_case(name));
    let value = of_name.next().map(|header| header[1].as_str().unwrap().to_owned()).unwrap_or_default();
    assert!(of_name.next().is_none(), "{name} stands twice");
    value
}
