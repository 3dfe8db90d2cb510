//! The dear paths: each takes a bcrypt, and they must leave the others alone.

use super::{
    Outcome,
    figure::{Bar, Limit, Report, short},
    house::Engine,
    limits::{self, Bcrypt},
    load::{Order, flooded, paced},
    process, seed,
    stage::{STATUS, Stage},
    wire,
};
use serde_json::json;
use std::time::Duration;

const PROVERS: usize = 16;
/// The threads of the gate, on which bcrypt runs and nothing else.
const GATE: &str = "gate-";
const FLOOD: usize = 32;
/// 16 connections, 20 a second each.
const PACED: u32 = 16;
const EACH: Duration = Duration::from_millis(50);

/// Sign-ins by password.
pub fn login(stage: &Stage, report: &mut Report) -> Outcome<()> {
    let requests = stage.sign_ins();
    report.figures.push(stage.drive("login", PROVERS, &requests, Order::Once, stage.scale.dear)?);
    Ok(())
}

/// The job that the service is for, beside as many bare bcrypts as the cores take before and after it.
pub fn disable(stage: &Stage, hash: &str, report: &mut Report) -> Outcome<()> {
    let requests = stage.disables();
    let before = limits::bcrypt(hash, stage.scale.dear / 2)?;
    let own = || process::cpu_of_threads_but(stage.server.pid(), GATE);
    let used = own();
    let mut figure = stage.drive("disable", PROVERS, &requests, Order::Once, stage.scale.dear)?;
    let beyond = own().saturating_sub(used);
    let after = limits::bcrypt(hash, stage.scale.dear / 2)?;
    let bare = Bcrypt { rate: (before.rate + after.rate) / 2.0, cpu: (before.cpu + after.cpu) / 2 };

    let (rate, is_valid) = (figure.tally.rate() / bare.rate, figure.is_valid());
    // The threads' clock ran through the warm-up and the drain too, so every answer counts for it.
    let beyond = beyond.as_secs_f64() * 1e3 / figure.tally.answers().max(1) as f64;
    let difference = figure.tally.micros_each() / 1e3 - bare.cpu.as_secs_f64() * 1e3;
    figure.ratio = format!("{} × as many bare bcrypts", short(rate));
    let engine = stage.house.engine.name();
    report.limits.push(Limit {
        name: format!("bcrypt at cost {} on every core (beside disable on {engine})", seed::COST),
        rate: bare.rate,
        note: format!(
            "{} ms of CPU each; with the service {} ms more",
            short(bare.cpu.as_secs_f64() * 1e3),
            short(difference)
        ),
    });
    let name = format!("disable, {engine}: requests/s against bare bcrypts");
    report.bars.push(Bar::at_least(&name, rate, 0.95, " ×", is_valid));
    let name = format!("disable, {engine}: server CPU a request outside the bcrypt threads");
    report.bars.push(Bar::at_most(&name, beyond, 0.3, " ms", is_valid));
    report.figures.push(figure);
    Ok(())
}

/// Paced status reads: alone, and while clients send passwords of addresses that nobody has.
pub fn flood(stage: &Stage, report: &mut Report) -> Outcome<()> {
    let (target, requests) = (stage.server.address, stage.reads(STATUS));
    let (length, engine) = (stage.scale.dear * 3, stage.house.engine);
    eprintln!("paced status on {} …", engine.name());
    let read = |length| paced(target, PACED, EACH, length, &requests);
    let idle = stage.figure("status, paced, idle", PACED as usize, read(stage.scale.dear)?);
    eprintln!("paced status on {}, in a flood of passwords …", engine.name());
    let password = |n: usize| {
        let body = json!({"email": format!("flood-{n}@bench.test"), "password": seed::PASSWORD}).to_string();
        wire::post("/auth/login", None, &body)
    };
    let (busy, flood) = flooded(target, FLOOD, &password, || read(length))?;
    let busy = stage.figure("status, paced, in the flood", PACED as usize, busy);
    let mut flood = stage.figure("the flood: login", FLOOD, flood);
    // An address that nobody has, or no room for it in time; never 429, which would cost nothing.
    flood.expected = &[403, 503];
    let is_valid = idle.is_valid() && busy.is_valid() && flood.is_valid();
    let (calm, wild) = (idle.tally.quantile(0.99), busy.tally.quantile(0.99));
    if engine == Engine::Sqlite {
        report.bars.push(Bar::at_most(
            "status p99 in the flood, SQLite: against idle",
            wild / calm,
            10.0,
            " ×",
            is_valid,
        ));
        report.bars.push(Bar::at_most("status p99 in the flood, SQLite", wild, 20.0, " ms", is_valid));
        let unanswered = busy.tally.unanswered + flood.tally.unanswered;
        report.bars.push(Bar::at_most(
            "requests of the flood and beside it without an answer",
            unanswered as f64,
            0.0,
            "",
            true,
        ));
    }
    report.figures.extend([idle, busy, flood]);
    Ok(())
}
