//! Growth: the same measurements among a thousand accounts, a million and ten million.
//!
//! Few of them are persons that can act, made by the house's own code; the others are copies. Both come in
//! turns and their ids lie between each other, so the persons' rows are spread over every tree and heap.

use super::{
    Options, Outcome,
    cluster::Cluster,
    copies::{self, Extent, Numbers},
    figure::{Bar, Figure, short, table},
    folder::Folder,
    house::{Engine, House},
    load::Order,
    machine,
    seed::{self, Person, Sort},
    server::Server,
    sql::Sql,
    stage::{STATUS, Scale, Stage},
    tally::Tally,
};
use std::{
    fs,
    time::{Duration, Instant},
};

const SIZES: [u64; 3] = [1_000, 1_000_000, 10_000_000];
const QUICK: [u64; 3] = [1_000, 10_000, 100_000];
const CHUNKS: u64 = 100;
/// Persons who act; among a thousand, everybody does. No more than the service remembers tokens of, so that
/// what grows from size to size is the database alone.
const PERSONS: u64 = 5_000;
/// Rounds in which the sizes take turns.
const ROUNDS: u32 = 3;
/// Accounts with many events.
const BUSY: u64 = 100_000;
const EVENTS: i64 = 50;
/// Templates have numbers that no account has.
const TEMPLATES: [(u64, Sort); 3] =
    [(0xfade_0000_0001, Sort::Plain), (0xfade_0000_0002, Sort::Secured), (0xfade_0000_0003, Sort::Busy(EVENTS))];

/// One size on the stage.
struct Size {
    accounts: u64,
    seeding: Duration,
    bytes: u64,
    stage: Stage,
    busy: Vec<Person>,
    figures: Vec<Figure>,
}

/// Measures every size and prints the table.
pub fn print(options: &Options) -> Outcome<()> {
    let folder = Folder::make(options.log.clone())?;
    let engine = options.engine.unwrap_or(Engine::Sqlite);
    let cluster = if engine == Engine::Postgres { Cluster::start(&folder)? } else { None };
    println!("{}", machine::describe(&folder, cluster.as_ref().map(Cluster::version).as_deref())?);
    let hash = seed::shared_hash()?;
    let sizes = if options.quick { QUICK } else { SIZES };
    let mut found = Vec::new();
    for accounts in sizes.into_iter().filter(|size| options.largest.is_none_or(|largest| *size <= largest)) {
        found.push(size(options, &folder, cluster.as_ref(), &hash, accounts)?);
    }
    status(&mut found)?;
    found.iter_mut().try_for_each(rest)?;
    println!("{}\n{}", verdicts(&found), rows(&found));
    Ok(())
}

fn size(options: &Options, folder: &Folder, cluster: Option<&Cluster>, hash: &str, accounts: u64) -> Outcome<Size> {
    eprintln!("seeding {accounts} accounts …");
    let began = Instant::now();
    let database = cluster.map(|cluster| cluster.database(&format!("grown_to_{accounts}"))).transpose()?;
    let house = House::build(folder, &format!("grown-{accounts}"), database)?;
    let acting = accounts.min(if options.quick { 1000 } else { PERSONS });
    let (readers, busy) = populate(&house, hash, accounts, accounts / acting)?;
    let (seeding, bytes) = (began.elapsed(), bytes(&house)?);
    eprintln!("{accounts} accounts took {} s and {} GB", short(seeding.as_secs_f64()), short(bytes as f64 / 1e9));
    let scale = Scale::of(options.quick, house.engine);
    let server = Server::of(&house)?;
    let nobody = || Vec::<Person>::new();
    let stage = Stage { house, server, scale, readers, logins: nobody(), disablers: nobody(), answerers: nobody() };
    Ok(Size { accounts, seeding, bytes, stage, busy, figures: Vec::new() })
}

/// The status, in turns, so that a neighbour disturbs all sizes alike.
fn status(sizes: &mut [Size]) -> Outcome<()> {
    for size in sizes.iter_mut() {
        let (reads, length) = (size.stage.reads(STATUS), size.stage.scale.length);
        size.figures.push(size.stage.drive("status, each person once", 16, &reads, Order::Once, length)?);
    }
    let mut found = vec![None; sizes.len()];
    for _ in 0..ROUNDS {
        for (size, found) in sizes.iter().zip(&mut found) {
            let (reads, length) = (size.stage.reads(STATUS), size.stage.scale.length / ROUNDS);
            let round = size.stage.drive("status", 16, &reads, Order::Random, length)?.tally;
            *found = Some(match found.take() {
                Some(before) => Tally::join(before, round),
                None => round,
            });
        }
    }
    for (size, found) in sizes.iter_mut().zip(found) {
        size.figures.push(size.stage.figure("status", 16, found.unwrap_or_default()));
    }
    Ok(())
}

fn rest(size: &mut Size) -> Outcome<()> {
    let (length, stage) = (size.stage.scale.length, &mut size.stage);
    stage.answerers = std::mem::replace(&mut stage.readers, std::mem::take(&mut size.busy));
    let reads = stage.reads("/account/security/events");
    size.figures.push(stage.drive("events", 16, &reads, Order::Random, length)?);
    let answers = stage.answers()?;
    size.figures.push(stage.drive("second-factor", 64, &answers, Order::Once, length)?);
    size.figures.push(stage.drive("refresh", 64, &stage.refreshes(), Order::Once, length)?);
    Ok(())
}

/// Persons who act, and persons with many events, among copies of others.
fn populate(house: &House, hash: &str, accounts: u64, stride: u64) -> Outcome<(Vec<Person>, Vec<Person>)> {
    let rooms = house.rooms()?;
    for (number, sort) in TEMPLATES {
        seed::crowd(&rooms, hash, sort, &[number])?;
    }
    seed::anchor(&rooms)?;
    let mut sql = Sql::open(&house.database_url)?;
    sql.run(match house.engine {
        Engine::Sqlite => "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 50000; PRAGMA cache_size = -200000",
        Engine::Postgres => "SET session_replication_role = replica; SET synchronous_commit = off",
    })?;
    let (mut persons, mut busy) = (Vec::new(), Vec::new());
    let chunk = accounts.div_ceil(CHUNKS);
    for from in (0..accounts).step_by(usize::try_from(chunk)?) {
        let until = (from + chunk).min(accounts);
        let acting: Vec<u64> = (from..until).filter(|number| number % stride == 0).collect();
        let (many, few): (Vec<u64>, Vec<u64>) = acting.into_iter().partition(|number| number / stride % 10 == 5);
        persons.extend(seed::crowd(&rooms, hash, Sort::Secured, &few)?);
        busy.extend(seed::crowd(&rooms, hash, Sort::Busy(EVENTS), &many)?);
        fill(&mut sql, house.engine, (from, until), stride, accounts)?;
    }
    // Between two anchors of a running service lies a minute.
    seed::anchor(&rooms)?;
    drop(rooms);
    sql.run(match house.engine {
        Engine::Sqlite => "PRAGMA wal_checkpoint(TRUNCATE)",
        Engine::Postgres => "VACUUM ANALYZE",
    })?;
    Ok((persons, busy))
}

fn fill(sql: &mut Sql, engine: Engine, range: (u64, u64), stride: u64, accounts: u64) -> Outcome<()> {
    if stride == 1 {
        return Ok(());
    }
    let every = (accounts / BUSY).max(10);
    let is_secured = format!("i % {stride} <> 0 AND i % 10 = 0");
    let is_busy = format!("i % {every} = 1");
    let is_plain = format!("i % {stride} <> 0 AND i % 10 <> 0 AND i % {every} <> 1");
    for ((template, _), filter) in TEMPLATES.into_iter().zip([is_plain, is_secured, is_busy]) {
        let numbers = Numbers { from: range.0, until: range.1, step: 1, filter: &filter };
        copies::make(sql, engine, template, Extent::Lasting, &numbers)?;
    }
    Ok(())
}

fn bytes(house: &House) -> Outcome<u64> {
    match house.engine {
        Engine::Sqlite => Ok(fs::metadata(house.file())?.len()),
        Engine::Postgres => {
            let bytes = Sql::open(&house.database_url)?.count("pg_database_size(current_database())")?;
            Ok(bytes.unsigned_abs())
        }
    }
}

fn rows(sizes: &[Size]) -> String {
    let head = [
        "Accounts",
        "Seeding s",
        "Size GB",
        "Path",
        "Requests/s",
        "p50 ms",
        "p99 ms",
        "Server CPU µs",
        "Memory MB",
        "Answers",
    ];
    let mut rows = Vec::new();
    for size in sizes {
        for figure in &size.figures {
            let (tally, void) = (&figure.tally, if figure.is_valid() { "" } else { "**void** " });
            rows.push(vec![
                short(size.accounts as f64),
                short(size.seeding.as_secs_f64()),
                short(size.bytes as f64 / 1e9),
                figure.path.to_owned(),
                format!("{void}{}", short(tally.rate())),
                short(tally.quantile(0.5)),
                short(tally.quantile(0.99)),
                short(tally.micros_each()),
                short(figure.megabytes),
                tally.statuses(),
            ]);
        }
    }
    table(&head, &rows)
}

fn verdicts(sizes: &[Size]) -> String {
    let status = |size: &Size| {
        let figure = size.figures.iter().find(|figure| figure.path == "status");
        figure.map(|figure| (figure.tally.quantile(0.5), figure.is_valid())).unwrap_or_default()
    };
    let Some((first, last)) = sizes.first().zip(sizes.last()) else { return String::new() };
    let ((small, one), (large, other)) = (status(first), status(last));
    let name =
        format!("status p50 at {} accounts against {}", short(last.accounts as f64), short(first.accounts as f64));
    super::figure::bars(&[Bar::at_most(&name, large / small, 1.3, " ×", one && other)])
}
