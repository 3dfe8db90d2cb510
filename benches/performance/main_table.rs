//! The main table: every path on both engines, and the verdicts.

use super::{
    Options, Outcome, bare,
    figure::{self, Bar, Figure, Limit},
    folder::Folder,
    house::House,
    load::{Closed, Order},
    machine, seed,
    stage::{STATUS, Scale, Stage},
    tally::Tally,
    wire::Connection,
};
use std::time::Duration;

/// Runs everything that is asked for and prints it.
pub fn print(options: &Options) -> Outcome<()> {
    let folder = Folder::make()?;
    println!("{}", machine::describe(&folder, None)?);
    let hash = seed::shared_hash()?;
    let mut stage = Stage::set(House::build(&folder, "sqlite", None)?, scale(options), &hash, |_| Ok(()))?;
    let (mut figures, mut limits, mut bars) = (Vec::new(), Vec::new(), Vec::new());
    status(&mut stage, &mut figures, &mut limits, &mut bars)?;
    println!("{}\n{}\n{}", figure::figures(&figures), figure::limits(&limits), figure::bars(&bars));
    Ok(())
}

fn scale(options: &Options) -> Scale {
    let quick = Scale {
        warm: Duration::from_millis(200),
        length: Duration::from_secs(1),
        dear: Duration::from_secs(3),
        readers: 200,
        provers: 60,
        answerers: 3000,
    };
    let full = Scale {
        warm: Duration::from_millis(500),
        length: Duration::from_secs(5),
        dear: Duration::from_secs(10),
        readers: 1000,
        provers: 400,
        answerers: 40_000,
    };
    if options.quick { quick } else { full }
}

fn status(stage: &mut Stage, figures: &mut Vec<Figure>, limits: &mut Vec<Limit>, bars: &mut Vec<Bar>) -> Outcome<()> {
    let requests = stage.reads(STATUS);
    let mut connection = Connection::open(stage.server.address)?;
    let reply = connection.exchange(&requests[0])?;
    let server = bare::start(connection.body(reply).len())?;
    let bare = Closed {
        targets: &[server.address],
        connections: 16,
        requests: &requests,
        order: Order::Random,
        warm: stage.scale.warm,
        length: stage.scale.length,
    }
    .run(&|| server.cpu())?;
    let figure = stage.drive("status", 16, &requests, Order::Random, stage.scale.length)?;
    bars.push(Bar::at_most("cpu", figure.tally.micros_each() / bare.micros_each(), 9.0, " x", true));
    bars.push(Bar::at_least("rate", figure.tally.rate() / bare.rate(), 0.22, " x", true));
    limits.push(Limit { name: "bare".into(), rate: bare.rate(), note: format!("{}", bare.micros_each()) });
    let _: &Tally = &bare;
    figures.push(figure);
    Ok(())
}
