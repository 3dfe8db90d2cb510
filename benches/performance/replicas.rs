//! Replicas: one, two and four `serve` on one PostgreSQL, and what they have in common.

use super::{
    Options, Outcome,
    cluster::Cluster,
    figure::{short, table},
    folder::Folder,
    house::House,
    load::{Closed, Order},
    machine, process, seed,
    server::Server,
    sql::Sql,
    stage::{STATUS, Scale, Stage},
    tally::Tally,
};
use std::{cell::Cell, time::Duration};

const COUNTS: [usize; 3] = [1, 2, 4];
const CONNECTIONS: usize = 64;

/// What a run used, in cores.
struct Used {
    services: f64,
    database: f64,
    load: f64,
    idle: f64,
}

/// Measures each number of replicas and prints the table.
pub fn print(options: &Options) -> Outcome<()> {
    let folder = Folder::make(options.log.clone())?;
    let cluster = Cluster::start(&folder)?.ok_or("no PostgreSQL server is installed")?;
    println!("{}", machine::describe(&folder, Some(&cluster.version()))?);
    let hash = seed::shared_hash()?;
    let mut scale = Scale::of(options.quick, super::house::Engine::Postgres);
    // Everybody answers once, so each number of replicas has answerers of its own.
    scale.answerers *= 2;
    let house = House::build(&folder, "replicas", Some(cluster.database("replicas")?))?;
    let settle = |house: &House, _: &[seed::Person]| Sql::open(&house.database_url)?.run("VACUUM ANALYZE");
    let mut stage = Stage::set(house, scale, &hash, settle)?;
    let reads = stage.reads(STATUS);
    let mut rows = Vec::new();
    let share = stage.answerers.len() / COUNTS.len();
    for count in COUNTS {
        let more = (1..count).map(|_| Server::of(&stage.house)).collect::<Outcome<Vec<_>>>()?;
        let servers: Vec<&Server> = std::iter::once(&stage.server).chain(&more).collect();
        eprintln!("{count} replicas …");
        let (tally, used) = run(&cluster, &servers, &reads, Order::Random, &scale)?;
        rows.push(row(count, "status", &tally, &used));
        let rest = stage.answerers.split_off(share.min(stage.answerers.len()));
        let answers = stage.answers()?;
        let servers: Vec<&Server> = std::iter::once(&stage.server).chain(&more).collect();
        let (tally, used) = run(&cluster, &servers, &answers, Order::Once, &scale)?;
        rows.push(row(count, "second-factor", &tally, &used));
        stage.answerers = rest;
    }
    let head = [
        "Replicas",
        "Path",
        "Requests/s",
        "p50 ms",
        "p99 ms",
        "Cores: services",
        "PostgreSQL",
        "load",
        "Saturated",
        "Answers",
    ];
    println!("{}", table(&head, &rows));
    Ok(())
}

fn run(
    cluster: &Cluster,
    servers: &[&Server],
    requests: &[Vec<u8>],
    order: Order,
    scale: &Scale,
) -> Outcome<(Tally, Used)> {
    let targets: Vec<_> = servers.iter().map(|server| server.address).collect();
    let services = || servers.iter().map(|server| server.cpu()).sum::<Duration>();
    // The load asks twice, where the counting begins and where it ends.
    let asked = Cell::new([[Duration::ZERO; 3]; 2]);
    let cpu = || {
        asked.set([asked.get()[1], [cluster.cpu(), process::cpu(std::process::id()), process::idle()]]);
        services()
    };
    let (warm, length) = (scale.warm, scale.length);
    let tally = Closed { targets: &targets, connections: CONNECTIONS, requests, order, warm, length }.run(&cpu)?;
    let [before, after] = asked.get();
    let cores = |used: Duration| used.as_secs_f64() / tally.elapsed.as_secs_f64();
    let [database, load, idle] = [0, 1, 2].map(|at| cores(after[at].saturating_sub(before[at])));
    let used = Used { services: cores(tally.cpu), database, load, idle };
    Ok((tally, used))
}

fn row(count: usize, path: &str, tally: &Tally, used: &Used) -> Vec<String> {
    let void = if tally.is_all(&[200]) { "" } else { "**void** " };
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    let ours = (used.services + used.database + used.load) / cores * 100.0;
    let saturated = match used.idle / cores {
        idle if idle <= 0.1 => format!("the cores: {ours:.0} % of {cores} ours, {:.0} % idle", idle * 100.0),
        idle => format!("the disk, or locks: {ours:.0} % of {cores} cores ours, {:.0} % idle", idle * 100.0),
    };
    vec![
        count.to_string(),
        path.to_owned(),
        format!("{void}{}", short(tally.rate())),
        short(tally.quantile(0.5)),
        short(tally.quantile(0.99)),
        short(used.services),
        short(used.database),
        short(used.load),
        saturated,
        tally.statuses(),
    ]
}
