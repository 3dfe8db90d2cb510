//! The service itself, in this process, on a throw-away database, and one connection to it.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::Duration,
};
use tempfile::TempDir;
use totp_rs::{Builder, Secret};
use twofold::{
    actions::{Cx, Rooms, operator},
    cli,
    config::Config,
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        password,
    },
    domain::{account::Email, event::Origin, guesses, password::Password},
    http::server::{Application, runtime},
    store::{self, accounts::NewAccount},
};

/// The password of every account.
pub const PASSWORD: &str = "a long password";
/// An account that signs in by its password alone, and that nothing changes.
pub const VISITOR: &str = "visitor@example.test";
/// The one origin whose pages may call.
pub const ORIGIN: &str = "https://portal.example";

const BEGIN_MS: i64 = 2_000_000_010_000;
/// Every claim happens this much later than the one before, and every budget is refilled meanwhile.
const STEP_MS: i64 = 2_000;
const TEN_YEARS: u32 = 10 * 365 * 24 * 3600;

thread_local! {
    // One a thread, so that it goes with the test that asked for it, and so does its folder.
    static SERVICE: RefCell<Option<Service>> = const { RefCell::new(None) };
}

/// A running service.
pub struct Service {
    address: SocketAddr,
    rooms: Arc<Rooms>,
    clock: Arc<AtomicI64>,
    wire: Option<BufReader<TcpStream>>,
    owner: Option<Owner>,
    accounts: u32,
    _folder: TempDir,
}

/// Somebody who has just proved a second factor.
#[derive(Clone)]
pub struct Owner {
    /// The value of `Authorization`.
    pub bearer: String,
    /// The authenticator app.
    pub method: String,
}

/// An answer, as it came over the connection.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Runs a claim against the service of this thread.
pub fn with(claim: impl FnOnce(&mut Service)) {
    SERVICE.with_borrow_mut(|service| {
        let service = service.get_or_insert_with(Service::start);
        service.clock.fetch_add(STEP_MS, Ordering::SeqCst);
        claim(service);
    });
}

fn config(folder: &TempDir) -> Config {
    let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = Config {
        listen: free_port,
        ops_listen: free_port,
        database_url: format!("sqlite://{}/claims.db", folder.path().display()),
        bcrypt_cost: 4,
        insecure: true,
        workers: 1,
        auth_per_minute: 0,
        access_token_ttl: TEN_YEARS,
        session_idle: TEN_YEARS,
        session_max: TEN_YEARS,
        step_up_max_age: TEN_YEARS,
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        cors_origins: vec![ORIGIN.to_owned()],
        ..Config::defaults().unwrap()
    };
    let limits = &mut config.limits;
    // Bytes decide what is claimed here, not how many bytes there were before.
    for policy in [
        &mut limits.code,
        &mut limits.session_code,
        &mut limits.recovery_code,
        &mut limits.login,
        &mut limits.reauth_session,
        &mut limits.reauth_account,
        &mut limits.confirm,
        &mut limits.challenge,
        &mut limits.enroll_start,
    ] {
        *policy = guesses::Policy { free: 100, window: 1, ..guesses::Policy::default() };
    }
    config
}

impl Service {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("twofold-claims-").tempdir().unwrap();
        let config = config(&folder);
        store::migrate(&config.location().unwrap()).unwrap();
        let clock = Arc::new(AtomicI64::new(BEGIN_MS));
        let time = clock.clone();
        let tell = Arc::new(move || Timestamp::from_millisecond(time.load(Ordering::SeqCst)).unwrap());
        let keys = KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap();
        let rooms = Arc::new(cli::rooms(&config, &keys, tell).unwrap());
        let (tell_address, address) = std::sync::mpsc::channel();
        let running = rooms.clone();
        thread::spawn(move || {
            runtime::System::new().block_on(async {
                let application = Application::build(&config, running).unwrap();
                tell_address.send(application.address).unwrap();
                application.run().await.unwrap();
            });
        });
        let address = address.recv().unwrap();
        let service = Self { address, rooms, clock, wire: None, owner: None, accounts: 0, _folder: folder };
        service.add_account(VISITOR);
        service
    }

    fn add_account(&self, email: &str) {
        let hash = password::hash_now(&Password::chosen(PASSWORD.to_owned(), "").unwrap(), 4).unwrap();
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let origin = Origin { request_id: "claims".into(), ip, user_agent: "claims".into() };
        let cx = Cx::new(self.rooms.clone(), origin).unwrap();
        let email = Email::parse(email, "").unwrap();
        let adding = operator::add_account(&cx, NewAccount::of(email, hash));
        runtime::System::new().block_on(adding).unwrap();
    }

    /// Somebody with an authenticator app in service, who has just proved it.
    pub fn owner(&mut self) -> Owner {
        if let Some(owner) = &self.owner {
            return owner.clone();
        }
        self.accounts += 1;
        let email = format!("owner{}@example.test", self.accounts);
        self.add_account(&email);
        let bearer = self.sign_in(&email);
        let enrolment = self.ask("/account/security/2fa/totp", &bearer, &json!({"password": PASSWORD}));
        let secret = Secret::try_from_base32(enrolment["secret"].as_str().unwrap()).unwrap();
        let authenticator = Builder::new().with_secret(secret).with_account_name("owner").build().unwrap();
        let seconds = u64::try_from(self.clock.load(Ordering::SeqCst) / 1000).unwrap();
        let code = authenticator.generate(seconds).to_string();
        let method = enrolment["id"].as_str().unwrap().to_owned();
        let path = format!("/account/security/2fa/totp/{method}/confirm");
        let confirmed = self.ask(&path, &bearer, &json!({"code": code}));
        let bearer = format!("Bearer {}", confirmed["tokens"]["access_token"].as_str().unwrap());
        self.owner.insert(Owner { bearer, method }).clone()
    }

    /// Lets somebody else be the owner from now on: this one's tokens or password may be others now.
    pub fn forget_owner(&mut self) {
        self.owner = None;
    }

    /// Signs in by the password alone; returns the value of `Authorization`.
    pub fn sign_in(&mut self, email: &str) -> String {
        let signed_in = self.ask("/auth/login", "", &json!({"email": email, "password": PASSWORD}));
        format!("Bearer {}", signed_in["tokens"]["access_token"].as_str().unwrap())
    }

    fn ask(&mut self, path: &str, bearer: &str, body: &Value) -> Value {
        let headers = [("Authorization", bearer.as_bytes()), ("Content-Type", b"application/json")];
        let answer = self.send("POST", path, &headers, body.to_string().as_bytes());
        assert!((200..300).contains(&answer.status), "{path} answered {}", answer.status);
        answer.json()
    }

    /// Sends one request, and reads its answer to the last byte.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
        for (name, value) in headers {
            request.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        request.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
        request.extend(body);
        let mut wire = self.wire.take().unwrap_or_else(|| self.connect());
        wire.get_mut().write_all(&request).unwrap();
        let answer = Answer::read(&mut wire);
        // A second answer to one request would be the answer to a request that was smuggled into it.
        assert!(wire.buffer().is_empty(), "bytes follow the answer: {:?}", wire.buffer());
        // After a head that cannot be read the connection is closed, which on a used one is not announced.
        let is_of_service = answer.header("x-request-id").is_some();
        if is_of_service && answer.header("connection") != Some("close") {
            self.wire = Some(wire);
        }
        answer
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_nodelay(true).unwrap();
        BufReader::new(stream)
    }
}

impl Answer {
    fn read(wire: &mut BufReader<TcpStream>) -> Self {
        let status_line = line(wire);
        let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = line(wire);
            let Some((name, value)) = line.split_once(':') else {
                assert!(line.is_empty(), "{line:?} is not a header");
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Self { status, headers, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.body.resize(length, 0);
        wire.read_exact(&mut answer.body).unwrap();
        answer
    }

    /// A header's value; a header that comes twice is a mistake.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert!(values.next().is_none() || name == "vary", "{name} comes twice");
        value
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        let shown = || String::from_utf8_lossy(&self.body).into_owned();
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", shown()))
    }

    /// The kind of problem that it is.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

fn line(wire: &mut BufReader<TcpStream>) -> String {
    let mut line = Vec::new();
    wire.read_until(b'\n', &mut line).unwrap();
    let line = String::from_utf8(line).unwrap();
    let text = line.strip_suffix("\r\n").unwrap_or_else(|| panic!("the answer ends with {line:?}"));
    assert!(!text.contains(|c: char| c.is_control()), "{text:?} holds control characters");
    text.to_owned()
}
