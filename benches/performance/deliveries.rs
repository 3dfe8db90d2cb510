//! Telling others: how fast a receiver is told, and what callers notice of a backlog whose receivers are down.

use super::{
    Options, Outcome,
    cluster::Cluster,
    figure::{Bar, bars, median, short, table},
    folder::Folder,
    house::{self, Engine, House},
    load, machine,
    seed::{self, Person, Sort},
    server::Server,
    sql::Sql,
    stage::STATUS,
    tally::Tally,
    wire,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use twofold::{
    actions::operator::clients::{self, NewClient},
    crypto::webhook_secret::WebhookSecret,
    domain::{
        client::ClientName,
        webhook::{Kinds, Webhook, WebhookUrl},
    },
    http::server::runtime,
    store::webhooks,
};

/// Receivers that are down, and share the backlog.
const DOWN: u64 = 10;

/// How much of everything.
struct Scale {
    /// Deliveries to the fast receiver.
    drained: u64,
    /// Deliveries that wait for the receivers that are down.
    backlog: u64,
    /// Persons.
    persons: u64,
    /// Of one round of calls to one service.
    round: Duration,
    /// Rounds.
    rounds: u32,
}

impl Scale {
    fn of(is_quick: bool) -> Self {
        let seconds = Duration::from_secs;
        if is_quick {
            Self { drained: 5000, backlog: 5000, persons: 50, round: seconds(1), rounds: 3 }
        } else {
            Self { drained: 50_000, backlog: 100_000, persons: 400, round: seconds(5), rounds: 11 }
        }
    }
}

/// Runs everything and prints it.
pub fn print(options: &Options) -> Outcome<()> {
    let (folder, scale) = (Folder::make(options.log.clone())?, Scale::of(options.quick));
    let cluster = if options.is_on(Engine::Postgres) { Cluster::start(&folder)? } else { None };
    println!("{}", machine::describe(&folder, cluster.as_ref().map(Cluster::version).as_deref())?);
    let (mut found, mut rows) = (Vec::new(), Vec::new());
    let engines = [options.is_on(Engine::Sqlite).then_some(None), cluster.as_ref().map(Some)];
    for cluster in engines.into_iter().flatten() {
        let database = |name: &str| cluster.map(|cluster| cluster.database(name)).transpose();
        drain(&folder, database("drain")?, &scale, &mut found)?;
        let empty = Side::set(&folder, "empty", database("empty")?, &scale, 0)?;
        let full = Side::set(&folder, "full", database("backlog")?, &scale, scale.backlog)?;
        compare(&empty, &full, &scale, &mut found, &mut rows)?;
    }
    println!("{}", table(&["Engine", "Call", "p50 empty, ms", "p50 backlog", "p99 empty", "p99 backlog"], &rows));
    println!("{}", bars(&found));
    Ok(())
}

/// How fast one process tells a receiver that answers at once.
fn drain(folder: &Folder, postgres: Option<String>, scale: &Scale, found: &mut Vec<Bar>) -> Outcome<()> {
    let house = House::build(folder, &place("drain", postgres.as_ref()), postgres)?;
    eprintln!("draining {} deliveries on {} …", scale.drained, house.engine.name());
    let (url, taken) = receiver()?;
    let rooms = house.rooms()?;
    seed::crowd(&rooms, &seed::shared_hash()?, Sort::Secured, &[1])?;
    let ids = subscribe(&house, &[url])?;
    wait_for(&house, &ids, scale.drained)?;
    let server = serve(&house)?;
    let count = || taken.load(Ordering::Relaxed);
    let began = Instant::now();
    while count() < scale.drained / 10 {
        patience(began)?;
    }
    let (first, started) = (count(), Instant::now());
    while count() < scale.drained {
        patience(began)?;
    }
    let rate = (count() - first) as f64 / started.elapsed().as_secs_f64();
    drop(server);
    let name = format!("deliveries to one receiver, {}", house.engine.name());
    found.push(Bar::at_least(&name, rate, 500.0, "/s", count() >= scale.drained));
    Ok(())
}

/// Each engine has a folder of its own.
fn place(name: &str, postgres: Option<&String>) -> String {
    format!("{name}-{}", if postgres.is_some() { "postgres" } else { "sqlite" })
}

fn patience(began: Instant) -> Outcome<()> {
    thread::sleep(Duration::from_millis(5));
    if began.elapsed() > Duration::from_secs(300) { Err("the receiver is not told".into()) } else { Ok(()) }
}

/// An installation with its service, which stands still while it is not asked.
struct Side {
    house: House,
    server: Server,
    reads: Vec<Vec<u8>>,
    writes: Vec<Vec<u8>>,
}

impl Side {
    fn set(folder: &Folder, name: &str, postgres: Option<String>, scale: &Scale, backlog: u64) -> Outcome<Self> {
        let house = House::build(folder, &place(name, postgres.as_ref()), postgres)?;
        eprintln!("seeding {backlog} deliveries on {} …", house.engine.name());
        let numbers: Vec<u64> = (1..=scale.persons).collect();
        let persons = seed::crowd(&house.rooms()?, &seed::shared_hash()?, Sort::Secured, &numbers)?;
        // Nobody listens at the port of discard.
        let ids = subscribe(&house, &vec!["http://127.0.0.1:1999/".to_owned(); DOWN as usize])?;
        wait_for(&house, &ids, backlog / DOWN)?;
        let server = serve(&house)?;
        let reads = persons.iter().map(|person| wire::get(STATUS, &person.access)).collect();
        let writes = renames(&server, &persons)?;
        let side = Self { house, server, reads, writes };
        // What fails at first is behind it.
        thread::sleep(Duration::from_secs(3));
        side.tell(Signal::STOP)?;
        Ok(side)
    }

    fn tell(&self, signal: Signal) -> Outcome<()> {
        let pid = Pid::from_raw(i32::try_from(self.server.pid())?).ok_or("no process")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Asks it for a round: what was read, and what was written.
    fn ask(&self, scale: &Scale) -> Outcome<(Tally, Tally)> {
        self.tell(Signal::CONT)?;
        let paced = |requests: &[Vec<u8>], each: u64, length: Duration| {
            load::paced(self.server.address, 8, Duration::from_millis(each), length, requests)
        };
        paced(&self.reads, 40, Duration::from_millis(500))?;
        let both = (paced(&self.reads, 20, scale.round)?, paced(&self.writes, 80, scale.round)?);
        self.tell(Signal::STOP)?;
        Ok(both)
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        // One that stands still does not end.
        let _ = self.tell(Signal::CONT);
    }
}

/// Each round asks both sides. What is compared is the median of the rounds: a stall of the machine falls into one of
/// them, and what a backlog does falls into all.
fn compare(empty: &Side, full: &Side, scale: &Scale, found: &mut Vec<Bar>, rows: &mut Vec<Vec<String>>) -> Outcome<()> {
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for round in 0..scale.rounds {
        eprintln!("round {} on {} …", round + 1, empty.house.engine.name());
        let (without, with) = if round % 2 == 0 {
            let without = empty.ask(scale)?;
            (without, full.ask(scale)?)
        } else {
            let with = full.ask(scale)?;
            (empty.ask(scale)?, with)
        };
        reads.push([without.0, with.0]);
        writes.push([without.1, with.1]);
    }
    let waiting =
        Sql::open(&full.house.database_url)?.count("(SELECT COUNT(*) FROM delivery WHERE state = 'waiting')")?;
    for (call, rounds) in [("status", &reads), ("rename", &writes)] {
        let at = |side: usize, share: f64| median(rounds.iter().map(|round| round[side].quantile(share)).collect());
        let figures = [at(0, 0.5), at(1, 0.5), at(0, 0.99), at(1, 0.99)].map(short);
        let head = [full.house.engine.name().to_owned(), call.to_owned()];
        rows.push(head.into_iter().chain(figures).collect());
        let is_valid = rounds.iter().flatten().all(|tally| tally.is_all(&[200])) && waiting as u64 >= scale.backlog;
        let name = format!("p99 of {call} moved by a backlog, {}", full.house.engine.name());
        let moved = (at(1, 0.99) / at(0, 0.99) - 1.0) * 100.0;
        found.push(Bar::at_most(&name, moved, 20.0, " %", is_valid));
    }
    Ok(())
}

fn serve(house: &House) -> Outcome<Server> {
    Server::start(house.serve()?.env("TWOFOLD_WEBHOOKS_PRIVATE", "true").env("TWOFOLD_INSECURE", "true"))
}

/// Requests that each give a method another label than it has.
fn renames(server: &Server, persons: &[Person]) -> Outcome<Vec<Vec<u8>>> {
    let mut requests = Vec::new();
    for label in ["Pixel 9", "Pixel 10", "an old phone"] {
        for person in persons {
            let mut connection = wire::Connection::open(server.address)?;
            let reply = connection.exchange(&wire::get(STATUS, &person.access))?;
            let status: Value = serde_json::from_slice(connection.body(reply))?;
            let method = status["methods"][0]["id"].as_str().ok_or("somebody has no method")?;
            let path = format!("/account/security/2fa/methods/{method}");
            let post = wire::post(&path, Some(&person.access), &format!("{{\"label\":\"{label}\"}}"));
            requests.push([b"PATCH", &post[4..]].concat());
        }
    }
    Ok(requests)
}

/// Adds webhooks of a client that sees every account; their ids.
fn subscribe(house: &House, urls: &[String]) -> Outcome<Vec<String>> {
    let rooms = house.rooms()?;
    let cx = house::request(&rooms)?;
    let said = |stop: &dyn std::fmt::Debug| format!("{stop:?}");
    let name = ClientName::parse("Acme", "").map_err(|refusal| said(&refusal))?;
    let new = NewClient { name, scopes: "webhooks:manage".parse()?, sees_all: true, contact: None };
    runtime::System::new().block_on(async {
        let (client, _) = clients::add(&cx, new).await.map_err(|stop| said(&stop))?;
        let mut ids = Vec::new();
        for url in urls {
            let webhook = Webhook {
                id: cx.random.id(cx.now).map_err(|fault| said(&fault))?,
                client,
                url: WebhookUrl::stored(url).ok_or("no address")?,
                kinds: Kinds::ALL,
                description: None,
                created_at: cx.now,
                disabled: None,
                failing_since: None,
                previous_until: None,
            };
            ids.push(webhook.id.to_string());
            let secret = WebhookSecret::draw(cx.random).map_err(|fault| said(&fault))?;
            let insert = move |tx: &mut twofold::store::Tx<'_>| Ok(webhooks::insert(tx, &webhook, &secret)?);
            rooms.store.write("webhook", insert).await.map_err(|stop| said(&stop))?;
        }
        Ok(ids)
    })
}

/// Makes announcements that are numbered, and as many deliveries of them to each webhook as wait.
fn wait_for(house: &House, webhooks: &[String], each: u64) -> Outcome<()> {
    let now = house::now().as_millisecond();
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {each})");
    let mut statements = String::new();
    if each > 0 {
        statements += &format!(
            "INSERT INTO announcement (id, account_id, kind, at, seq, recipient, locale, facts, position) {numbers} \
             SELECT '01a20c1b-7c00-7d52-9a1e-' || CAST(100000000000 + i AS TEXT), account.id, 'two_factor.enabled', {now}, \
             1, account.email, 'en', '{{}}', i FROM n CROSS JOIN (SELECT id, email FROM account ORDER BY id LIMIT 1) account;\n\
             INSERT INTO feed (n, position) VALUES (1, {each});\n"
        );
    }
    for id in webhooks {
        statements += &format!(
            "INSERT INTO delivery (target, position, account_id, kind, created_at, due_at, attempts, state) \
             SELECT '{id}', position, account_id, kind, at, at, 0, 'waiting' FROM announcement WHERE position <= {each};\n"
        );
    }
    Sql::open(&house.database_url)?.run(&statements)
}

/// A receiver that takes everything at once, and counts it.
fn receiver() -> Outcome<(String, Arc<AtomicU64>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/hooks", listener.local_addr()?);
    let taken = Arc::<AtomicU64>::default();
    let count = taken.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = count.clone();
            thread::spawn(move || while take(&stream).is_some() && count.fetch_add(1, Ordering::Relaxed) < u64::MAX {});
        }
    });
    Ok((url, taken))
}

fn take(mut stream: &TcpStream) -> Option<()> {
    let (mut reader, mut length) = (BufReader::new(stream), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            None if line == "\r\n" => break,
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    stream.write_all(b"HTTP/1.1 204 None\r\n\r\n").ok()
}
