//! The cheap paths: reads, and writes that take a code or a token. What bounds them is the engine.

use super::{
    Outcome, bare,
    figure::{Bar, Limit, Report, short},
    house::Engine,
    load::{Closed, Order},
    stage::{STATUS, Scale, Stage},
    tally::Tally,
    wire::Connection,
};

const READERS: usize = 16;
/// Connections of those who write.
pub const WRITERS: usize = 64;
/// Rounds that the bare answer and the status take turns in, so that a neighbour disturbs both alike.
const ROUNDS: u32 = 3;

/// The status, in turns with the bare answer.
pub fn status(stage: &Stage, report: &mut Report) -> Outcome<()> {
    let requests = stage.reads(STATUS);
    let mut connection = Connection::open(stage.server.address)?;
    let reply = connection.exchange(&requests[0])?;
    let bytes = connection.body(reply).len();
    let server = bare::start(bytes)?;
    let plan = Closed {
        targets: &[server.address],
        connections: READERS,
        requests: &requests,
        order: Order::Random,
        warm: stage.scale.warm,
        length: stage.scale.length / ROUNDS,
    };
    let (mut bare, mut found): (Option<Tally>, Option<Tally>) = (None, None);
    for _ in 0..ROUNDS {
        let round = plan.run(&|| server.cpu())?;
        bare = Some(bare.map_or(round.clone(), |bare| bare.join(round)));
        let round = stage.drive("status", READERS, &requests, Order::Random, plan.length)?.tally;
        found = Some(found.map_or(round.clone(), |found| found.join(round)));
    }
    let bare = bare.unwrap_or_default();
    let mut figure = stage.figure("status", READERS, found.unwrap_or_default());
    let cpu = figure.tally.micros_each() / bare.micros_each();
    let rate = figure.tally.rate() / bare.rate();
    figure.ratio = format!("{} × the bare rate, {} × its CPU", short(rate), short(cpu));
    if stage.house.engine == Engine::Sqlite {
        let (is_valid, micros) = (figure.is_valid() && bare.is_all(&[200]), short(figure.tally.micros_each()));
        let name = format!("status, SQLite: server CPU against the bare answer's ({micros} µs)");
        report.bars.push(Bar::at_most(&name, cpu, 9.0, " ×", is_valid));
        report.bars.push(Bar::at_least(
            "status, SQLite: requests/s against the bare answer's",
            rate,
            0.22,
            " ×",
            is_valid,
        ));
    }
    report.limits.push(Limit {
        name: format!(
            "bare actix answer of {bytes} bytes, {READERS} connections (beside {})",
            stage.house.engine.name()
        ),
        rate: bare.rate(),
        note: format!("{} µs of CPU each, p99 {} ms", short(bare.micros_each()), short(bare.quantile(0.99))),
    });
    report.figures.push(figure);
    let requests = stage.first_reads();
    report.figures.push(stage.drive("status, new tokens", READERS, &requests, Order::Once, stage.scale.length)?);
    Ok(())
}

/// The security log.
pub fn events(stage: &Stage, report: &mut Report) -> Outcome<()> {
    let requests = stage.reads("/account/security/events");
    report.figures.push(stage.drive("events", READERS, &requests, Order::Random, stage.scale.length)?);
    Ok(())
}

/// The second factor on prepared challenges, and what the same statements cost without the house's engine.
pub fn second_factor(
    stage: &mut Stage,
    report: &mut Report,
    rehearse: impl FnOnce(Scale) -> Outcome<(f64, Vec<Limit>)>,
) -> Outcome<()> {
    let requests = stage.answers()?;
    let mut figure = stage.drive("second-factor", WRITERS, &requests, Order::Once, stage.scale.length)?;
    eprintln!("the same statements in other hands …");
    let (limit, limits) = rehearse(stage.scale)?;
    let (rate, is_valid) = (figure.tally.rate(), figure.is_valid());
    let against = rate / limit;
    match stage.house.engine {
        Engine::Sqlite => {
            figure.ratio = format!("{} × the same with a pool and a transaction each", short(against));
            report.bars.push(Bar::at_least("second-factor, SQLite, 64 connections", rate, 5000.0, "/s", is_valid));
            let name = "second-factor, SQLite: against a pool and a transaction each";
            report.bars.push(Bar::at_least(name, against, 4.0, " ×", is_valid));
        }
        Engine::Postgres => {
            figure.ratio = format!("{} × pgbench with the same statements", short(against));
            report.bars.push(Bar::at_least("second-factor, PostgreSQL: against pgbench", against, 0.6, " ×", is_valid));
        }
    }
    report.limits.extend(limits);
    report.figures.push(figure);
    Ok(())
}

/// Fresh pairs for refresh tokens.
pub fn refresh(stage: &Stage, report: &mut Report) -> Outcome<()> {
    let requests = stage.refreshes();
    report.figures.push(stage.drive("refresh", WRITERS, &requests, Order::Once, stage.scale.length)?);
    Ok(())
}

/// Step-ups. Those who answered a challenge wait for their next code.
pub fn verify(stage: &mut Stage, report: &mut Report) -> Outcome<()> {
    let requests = stage.verifications()?;
    report.figures.push(stage.drive("verify", WRITERS, &requests, Order::Once, stage.scale.length)?);
    Ok(())
}
