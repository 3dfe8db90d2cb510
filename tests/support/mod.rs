//! The black box: a service of one's own on either engine, and people who use it over HTTP.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod behind;
pub mod codes;
pub mod desk;
pub mod dice;
pub mod document;
pub mod installation;
pub mod links;
pub mod log;
pub mod needles;
pub mod partner;
pub mod passkeys;
pub mod person;
pub mod pooler;
pub mod postgres;
pub mod race;
pub use postgres::fresh_database;
pub mod reply;
pub mod security_key;
pub mod wire;

use actix_web::dev::ServerHandle;
use jiff::Timestamp;
use person::Person;
use reply::Reply;
use serde_json::Value;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use twofold::{
    actions::{Cx, Rooms, audit, clock::Tell, operator},
    cli,
    config::Config,
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        password,
    },
    domain::{account::Email, anchor::Anchor, event::Origin, password::Password},
    http::{server::Application, traffic::Traffic},
    store::{self, Store, accounts::NewAccount},
    worker::{self, issuer::Source},
};

/// Some moment, the same in every run.
const BEGIN_MS: i64 = 2_000_000_010_000;

/// Runs the claim that follows on both engines, and checks afterwards what must always hold.
#[macro_export]
macro_rules! on_both_engines {
    ($claim:ident $(, $setting:expr)?) => {
        mod $claim {
            #[allow(unused_imports, reason = "a setting brings what it needs")]
            use super::*;

            #[actix_web::test]
            async fn on_sqlite() {
                run($crate::support::Engine::Sqlite).await;
            }

            #[actix_web::test]
            async fn on_postgres() {
                run($crate::support::Engine::Postgres).await;
            }

            async fn run(engine: $crate::support::Engine) {
                let settings: &[fn(&mut twofold::config::Config)] = &[$($setting)?];
                let Some(app) = $crate::support::TestApp::start(engine, settings).await else { return };
                super::$claim(&app).await;
                app.check_what_always_holds().await;
            }
        }
    };
}

/// The two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A service of this test's own, with a clock that the test moves: one process' worth on SQLite, two replicas
/// on one database on PostgreSQL. Requests go to the replicas in turn.
pub struct TestApp {
    pub config: Config,
    pub keys: KeyFile,
    pub folder: TempDir,
    replicas: Vec<Replica>,
    turn: AtomicUsize,
    http: reqwest::Client,
    clock: Arc<AtomicI64>,
    secrets: Mutex<Vec<String>>,
    /// How much others had logged before it began.
    logged_before: usize,
}

/// One of those who answer.
struct Replica {
    base: String,
    operations: String,
    rooms: Arc<Rooms>,
    traffic: Arc<Traffic>,
    server: ServerHandle,
}

impl Replica {
    fn start(config: &Config, keys: &KeyFile, tell: Tell) -> Self {
        let rooms = Arc::new(cli::rooms(config, keys, tell).unwrap());
        let application = Application::build(config, rooms.clone()).unwrap();
        let base = format!("http://{}", application.address);
        let operations = format!("http://{}", application.operations_address);
        let (traffic, server) = (application.traffic.clone(), application.handle());
        let portal = rooms.portal.clone().zip(config.portal.jwks.as_deref().map(Source::parse));
        portal.map(|(issuer, source)| actix_web::rt::spawn(worker::issuer::follow(issuer, source)));
        actix_web::rt::spawn(application.run());
        Self { base, operations, rooms, traffic, server }
    }
}

impl TestApp {
    /// Starts one; `None` where the engine is not installed.
    pub async fn start(engine: Engine, settings: &[fn(&mut Config)]) -> Option<Self> {
        log::start();
        let logged_before = log::length();
        let folder = tempfile::tempdir().unwrap();
        let database_url = match engine {
            Engine::Sqlite => format!("sqlite://{}/test.db", folder.path().display()),
            Engine::Postgres => fresh_database()?,
        };
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut config = Config {
            listen: free_port,
            ops_listen: free_port,
            database_url,
            database_pool: 10,
            database_prepared: !pooler::is_asked_for(),
            bcrypt_cost: 4,
            insecure: true,
            workers: 2,
            auth_per_minute: 0,
            ..Config::defaults().unwrap()
        };
        settings.iter().for_each(|setting| setting(&mut config));
        if engine == Engine::Sqlite {
            store::migrate(&config.location().unwrap()).unwrap();
        }
        let clock = Arc::new(AtomicI64::new(BEGIN_MS));
        let keys = KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap();
        let time = clock.clone();
        let tell: Tell = Arc::new(move || Timestamp::from_millisecond(time.load(Ordering::SeqCst)).unwrap());
        let count = if engine == Engine::Sqlite { 1 } else { 2 };
        let replicas = (0..count).map(|_| Replica::start(&config, &keys, tell.clone())).collect();
        // The service closes connections that were idle for 75 s; one that is about to be closed is not used.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        let (turn, secrets) = (AtomicUsize::new(0), Mutex::default());
        Some(Self { config, keys, folder, replicas, turn, http, clock, secrets, logged_before })
    }

    /// Where the next request goes.
    pub fn base(&self) -> &str {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.replicas[turn % self.replicas.len()].base
    }

    /// How many processes' worth of service there are.
    pub fn replicas(&self) -> usize {
        self.replicas.len()
    }

    /// The probes of the first replica.
    pub fn operations(&self) -> &str {
        &self.replicas[0].operations
    }

    /// What every replica measures, as one text.
    pub async fn metrics(&self) -> String {
        let mut all = String::new();
        for replica in &self.replicas {
            all += &reqwest::get(format!("{}/metrics", replica.operations)).await.unwrap().text().await.unwrap();
        }
        all
    }

    /// The most requests that one replica had in flight at once since this was last asked.
    pub fn take_peak(&self) -> usize {
        self.replicas.iter().map(|replica| replica.traffic.take_peak()).max().unwrap()
    }

    /// The time of the service.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock.load(Ordering::SeqCst)).unwrap()
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// An account of its own, not signed in.
    pub async fn person(&self, name: &str) -> Person<'_> {
        let password = format!("{name} has a long password");
        let email = format!("{name}@example.test");
        self.add_account(&email, &password).await;
        Person::new(self, email, password)
    }

    /// Adds an account as the operator does.
    pub async fn add_account(&self, email: &str, password: &str) -> String {
        let hash =
            password::hash_now(&Password::chosen(password.to_owned(), "").unwrap(), self.config.bcrypt_cost).unwrap();
        self.keep_out_of_sight(password);
        let email = Email::parse(email, "").unwrap();
        let added = operator::add_account(&self.cx(), NewAccount::of(email, hash)).await;
        added.unwrap().to_string()
    }

    /// A request of the operator's.
    pub fn cx(&self) -> Cx {
        let origin =
            Origin { request_id: "test".into(), ip: IpAddr::V4(Ipv4Addr::LOCALHOST), user_agent: "test".into() };
        Cx::new(self.replicas[0].rooms.clone(), origin).unwrap()
    }

    /// Anchors the audit; the anchors that were written.
    pub async fn anchor(&self) -> Vec<Anchor> {
        let mut written = Vec::new();
        audit::anchor(self.rooms(), |anchor| written.push(anchor.clone())).await.unwrap();
        written
    }

    /// What the first replica works with.
    pub fn rooms(&self) -> &Rooms {
        &self.replicas[0].rooms
    }

    /// What each replica works with.
    pub fn all_rooms(&self) -> impl Iterator<Item = &Rooms> + Clone {
        self.replicas.iter().map(|replica| &*replica.rooms)
    }

    /// What each replica works with, for workers that live on.
    pub fn shared_rooms(&self) -> impl Iterator<Item = Arc<Rooms>> {
        self.replicas.iter().map(|replica| replica.rooms.clone())
    }

    /// The store of the service, to look behind the curtain.
    pub fn store(&self) -> &Store {
        &self.rooms().store
    }

    /// Notes something that must not show in any log or file.
    pub fn keep_out_of_sight(&self, secret: &str) {
        self.secrets.lock().unwrap().push(secret.to_owned());
    }

    /// A request of nobody's.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], Some(body)).await
    }

    /// A request of nobody's.
    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    /// Any request with a JSON body or none.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Reply {
        let mut all = headers.to_vec();
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            all.push(("Content-Type", "application/json"));
        }
        self.send_raw(method, path, &all, body.map(|body| body.to_string().into_bytes()).unwrap_or_default()).await
    }

    /// Any request; its answer is judged by the document.
    pub async fn send_raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
        let reply = self.send_unjudged(method, path, headers, body).await;
        reply.judge(method, path);
        for secret in reply.secrets() {
            self.keep_out_of_sight(&secret);
        }
        reply
    }

    /// Any request whose answer is not judged by the document.
    pub async fn send_unjudged(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base())).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::read(request.send().await.unwrap()).await
    }

    /// What must hold after every test: records and state agree, every chain holds, nothing secret lies about.
    pub async fn check_what_always_holds(self) {
        self.anchor().await;
        let chains = audit::verify(&self.cx(), None).await.unwrap();
        let anchors = audit::verify_anchors(&self.cx(), Vec::new()).await.unwrap();
        if let Err(broken) = chains.and(anchors) {
            panic!("the audit does not hold: {broken}");
        }
        for replica in &self.replicas {
            replica.server.stop(true).await;
        }
        let secrets = self.secrets.lock().unwrap();
        if let Some(secret) = needles::first_found(self.logged().as_bytes(), &secrets) {
            panic!("a secret is in the log: {secret}");
        }
        for (what, bytes) in self.files() {
            if let Some(secret) = needles::first_found(&bytes, &secrets) {
                panic!("a secret is in {}: {secret}", what.display());
            }
        }
    }

    /// What was logged since it began, also by the tests beside it.
    pub fn logged(&self) -> String {
        log::since(self.logged_before)
    }

    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().flatten();
        let mut files: Vec<_> =
            entries.map(|entry| (entry.path(), std::fs::read(entry.path()).unwrap_or_default())).collect();
        files.push((PathBuf::new(), Vec::new()));
        files
    }
}
