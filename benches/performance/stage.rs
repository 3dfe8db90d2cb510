//! One engine on the stage: an installation, its crowd, the running service, and the load on each path.

use super::{
    Outcome,
    figure::Figure,
    house::{Engine, House},
    load::{Closed, Order},
    seed::{self, Person, Sort},
    server::Server,
    tally::Tally,
    wire,
};
use serde_json::json;
use std::time::Duration;

/// The status, the path that everybody takes.
pub const STATUS: &str = "/account/security/2fa";

/// How much of everything.
#[derive(Clone, Copy)]
pub struct Scale {
    /// Before the counting.
    pub warm: Duration,
    /// Counted, for what can be repeated.
    pub length: Duration,
    /// Counted, where each request takes a bcrypt.
    pub dear: Duration,
    /// Persons who read.
    pub readers: usize,
    /// Persons who prove a password, once each.
    pub provers: usize,
    /// Persons who answer a challenge, once each.
    pub answerers: usize,
    /// Copies whose statements are said without the service; pgbench acts for so many a number of clients.
    pub copies: u64,
}

impl Scale {
    /// For the main table. PostgreSQL takes fewer writes in the same time.
    pub fn of(is_quick: bool, engine: Engine) -> Self {
        let seconds = Duration::from_secs;
        let (length, dear, readers, provers) =
            if is_quick { (seconds(1), seconds(3), 200, 60) } else { (seconds(6), seconds(10), 1000, 400) };
        let (answerers, copies) = match (is_quick, engine) {
            (true, Engine::Sqlite) => (3000, 8000),
            (true, Engine::Postgres) => (3000, 2000),
            (false, Engine::Sqlite) => (60_000, 60_000),
            (false, Engine::Postgres) => (12_000, 6000),
        };
        Self { warm: Duration::from_millis(300), length, dear, readers, provers, answerers, copies }
    }

    /// Persons in all.
    pub fn accounts(&self) -> usize {
        self.readers + 2 * self.provers + self.answerers
    }
}

/// The service and its persons.
pub struct Stage {
    /// The installation.
    pub house: House,
    /// The running service.
    pub server: Server,
    /// How much of everything.
    pub scale: Scale,
    /// Persons who read; nothing changes about them.
    pub readers: Vec<Person>,
    /// Persons who sign in by password.
    pub logins: Vec<Person>,
    /// Persons who switch it off.
    pub disablers: Vec<Person>,
    /// Persons who answer challenges, and refresh and verify afterwards.
    pub answerers: Vec<Person>,
}

impl Stage {
    /// Seeds the crowd and starts the service; `prepare` sees the installation in between.
    pub fn set(
        house: House,
        scale: Scale,
        hash: &str,
        prepare: impl FnOnce(&House, &[Person]) -> Outcome<()>,
    ) -> Outcome<Self> {
        let rooms = house.rooms()?;
        let numbers: Vec<u64> = (1..=scale.accounts() as u64).collect();
        let mut readers = seed::crowd(&rooms, hash, Sort::Secured, &numbers)?;
        seed::anchor(&rooms)?;
        drop(rooms);
        prepare(&house, &readers)?;
        let mut logins = readers.split_off(scale.readers);
        let mut disablers = logins.split_off(scale.provers);
        let answerers = disablers.split_off(scale.provers);
        let server = Server::of(&house)?;
        Ok(Self { house, server, scale, readers, logins, disablers, answerers })
    }

    /// Memory of the service before any load, in MB: it has answered one request.
    pub fn idle_megabytes(&self) -> Outcome<f64> {
        let mut connection = wire::Connection::open(self.server.address)?;
        connection.exchange(&wire::get(STATUS, &self.readers[0].access))?;
        std::thread::sleep(Duration::from_secs(1));
        Ok(self.server.megabytes())
    }

    /// Sends requests over so many connections, and notes what became of them.
    pub fn drive(
        &self,
        path: &'static str,
        connections: usize,
        requests: &[Vec<u8>],
        order: Order,
        length: Duration,
    ) -> Outcome<Figure> {
        eprintln!("{path} on {} …", self.house.engine.name());
        let targets = [self.server.address];
        let warm = self.scale.warm;
        let tally =
            Closed { targets: &targets, connections, requests, order, warm, length }.run(&|| self.server.cpu())?;
        Ok(self.figure(path, connections, tally))
    }

    /// A figure of this stage.
    pub fn figure(&self, path: &'static str, connections: usize, tally: Tally) -> Figure {
        Figure {
            path,
            engine: self.house.engine,
            connections,
            tally,
            expected: &[200],
            megabytes: self.server.megabytes(),
            ratio: String::new(),
        }
    }

    /// A read of each reader's.
    pub fn reads(&self, path: &str) -> Vec<Vec<u8>> {
        self.readers.iter().map(|person| wire::get(path, &person.access)).collect()
    }

    /// A read of the status of each answerer's, whose tokens the service has not seen yet.
    pub fn first_reads(&self) -> Vec<Vec<u8>> {
        self.answerers.iter().map(|person| wire::get(STATUS, &person.access)).collect()
    }

    /// A code for each challenge, of the step of now. Where somebody has used that one, the next is awaited.
    pub fn answers(&mut self) -> Outcome<Vec<Vec<u8>>> {
        codes(&mut self.answerers, |person, code| {
            let body = json!({"challenge": person.challenge, "code": code}).to_string();
            wire::post("/auth/login/second-factor", None, &body)
        })
    }

    /// A step-up for each answerer.
    pub fn verifications(&mut self) -> Outcome<Vec<Vec<u8>>> {
        codes(&mut self.answerers, |person, code| {
            wire::post("/account/security/2fa/verify", Some(&person.access), &json!({"code": code}).to_string())
        })
    }

    /// A refresh for each answerer.
    pub fn refreshes(&self) -> Vec<Vec<u8>> {
        let body = |person: &Person| json!({"refresh_token": person.refresh}).to_string();
        self.answerers.iter().map(|person| wire::post("/auth/token/refresh", None, &body(person))).collect()
    }

    /// A sign-in by password for each of those who do.
    pub fn sign_ins(&self) -> Vec<Vec<u8>> {
        let body = |person: &Person| json!({"email": person.email, "password": seed::PASSWORD}).to_string();
        self.logins.iter().map(|person| wire::post("/auth/login", None, &body(person))).collect()
    }

    /// A disable for each of those who do.
    pub fn disables(&self) -> Vec<Vec<u8>> {
        let body = json!({"password": seed::PASSWORD, "reason": "new_phone"}).to_string();
        let disable = |person: &Person| wire::post("/account/security/2fa/disable", Some(&person.access), &body);
        self.disablers.iter().map(disable).collect()
    }
}

fn codes(persons: &mut [Person], request: impl Fn(&Person, String) -> Vec<u8>) -> Outcome<Vec<Vec<u8>>> {
    let mut requests = Vec::with_capacity(persons.len());
    for person in persons {
        let code = loop {
            match person.code() {
                Some(code) => break code,
                None => std::thread::sleep(Duration::from_millis(200)),
            }
        };
        requests.push(request(person, code));
    }
    Ok(requests)
}
