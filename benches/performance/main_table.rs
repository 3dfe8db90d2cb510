//! The main table: every path on both engines, the limits, and the verdicts.

use super::{
    Options, Outcome,
    cluster::Cluster,
    dear,
    figure::{Bar, Report, median},
    folder::Folder,
    house::{Engine, House},
    limits::{self, Rehearsal},
    machine, paths, pgbench, pooled, seed,
    server::time_to_first_answer,
    stage::{STATUS, Scale, Stage},
    wire,
};
use std::time::Duration;

/// How often the start is timed.
const STARTS: usize = 5;

/// Runs everything that is asked for and prints it.
pub fn print(options: &Options) -> Outcome<()> {
    let folder = Folder::make(options.log.clone())?;
    let cluster = if options.is_on(Engine::Postgres) { Cluster::start(&folder)? } else { None };
    println!("{}", machine::describe(&folder, cluster.as_ref().map(Cluster::version).as_deref())?);
    let hash = seed::shared_hash()?;
    let mut report = Report::default();
    if options.is_on(Engine::Sqlite) {
        sqlite(options, &folder, &hash, &mut report)?;
    }
    if let Some(cluster) = &cluster {
        postgres(options, &folder, cluster, &hash, &mut report)?;
    }
    report.print();
    Ok(())
}

fn sqlite(options: &Options, folder: &Folder, hash: &str, report: &mut Report) -> Outcome<()> {
    let scale = Scale::of(options.quick, Engine::Sqlite);
    eprintln!("seeding {} accounts on SQLite …", scale.accounts());
    let mut start = Duration::ZERO;
    let house = House::build(folder, "sqlite", None)?;
    let mut stage = Stage::set(house, scale, hash, |house, readers| {
        let request = wire::get(STATUS, &readers[0].access);
        let times = (0..STARTS).map(|_| time_to_first_answer(house, &request)).collect::<Outcome<Vec<_>>>()?;
        start = median(times);
        Ok(())
    })?;
    report.bars.push(Bar::at_most(
        "start to first 200, SQLite (median of 5)",
        start.as_secs_f64() * 1e3,
        100.0,
        " ms",
        true,
    ));
    let idle = stage.idle_megabytes()?;
    report.bars.push(Bar::at_most("memory idle, SQLite", idle, 20.0, " MB", true));
    let rehearse = |scale: Scale| {
        let rehearsal = Rehearsal::prepare(House::build(folder, "copies", None)?, hash, scale.copies)?;
        let one = limits::one_commit(&rehearsal, scale.length / 2)?;
        let bare = limits::connection_each(&rehearsal, scale.length)?;
        let pool = pooled::measure(&rehearsal, scale)?;
        rehearsal.check()?;
        Ok((pool.rate, vec![one, bare, pool]))
    };
    all(options, &mut stage, hash, report, rehearse)?;
    let end = stage.server.megabytes();
    report.bars.push(Bar::at_most("memory after everything, SQLite", end, 80.0, " MB", true));
    Ok(())
}

fn postgres(options: &Options, folder: &Folder, cluster: &Cluster, hash: &str, report: &mut Report) -> Outcome<()> {
    let scale = Scale::of(options.quick, Engine::Postgres);
    eprintln!("seeding {} accounts on PostgreSQL …", scale.accounts());
    let house = House::build(folder, "on-postgres", Some(cluster.database("twofold")?))?;
    let settle = |house: &House, _: &[seed::Person]| super::sql::Sql::open(&house.database_url)?.run("VACUUM ANALYZE");
    let mut stage = Stage::set(house, scale, hash, settle)?;
    let rehearse = |scale: Scale| {
        let house = House::build(folder, "copies-on-postgres", Some(cluster.database("copies")?))?;
        let rehearsal = Rehearsal::prepare(house, hash, pgbench::copies(scale.copies))?;
        let best = pgbench::best(cluster, &rehearsal, "copies", scale.copies)?;
        rehearsal.check()?;
        Ok((best.rate, vec![best]))
    };
    all(options, &mut stage, hash, report, rehearse)
}

/// Every path. The disable comes first: what it costs beside its bcrypt is little, and the service anchors the
/// audit a minute after its start. The verify comes well after the second factor, whose codes are used up.
fn all(
    options: &Options,
    stage: &mut Stage,
    hash: &str,
    report: &mut Report,
    rehearse: impl FnOnce(Scale) -> Outcome<(f64, Vec<super::figure::Limit>)>,
) -> Outcome<()> {
    if options.wants("disable") {
        dear::disable(stage, hash, report)?;
    }
    if options.wants("status") {
        paths::status(stage, report)?;
    }
    if options.wants("events") {
        paths::events(stage, report)?;
    }
    if options.wants("second-factor") {
        paths::second_factor(stage, report, rehearse)?;
    }
    if options.wants("refresh") {
        paths::refresh(stage, report)?;
    }
    if options.wants("login") {
        dear::login(stage, report)?;
    }
    if options.wants("verify") {
        paths::verify(stage, report)?;
    }
    if options.wants("flood") {
        dear::flood(stage, report)?;
    }
    Ok(())
}
