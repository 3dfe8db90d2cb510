//! The benchmark of the house: `cargo bench` starts the release service on each engine, seeds it, drives it
//! over HTTP, and prints what it did beside what the machine could do, measured in the same run.
//!
//! Every figure counts only when every answer was the expected one: a refusal is fast, and no code is used
//! twice. `docs/performance.md` says what each line means.

mod bare;
mod cluster;
mod copies;
mod dear;
mod deliveries;
mod figure;
mod folder;
mod growth;
mod house;
mod limits;
mod load;
mod machine;
mod main_table;
mod paths;
mod pgbench;
mod pooled;
mod process;
mod replicas;
mod seed;
mod server;
mod sql;
mod stage;
mod statement;
mod tally;
mod wire;

use clap::Parser;
use std::{error::Error, process::ExitCode};

/// What can go wrong ends the run, with a sentence.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measures the service and its limits.
#[derive(Parser)]
#[command(name = "cargo bench --")]
struct Options {
    /// What is measured.
    #[arg(value_enum, default_value_t = Table::Main)]
    table: Table,
    /// A rehearsal: short runs, few accounts. Its figures count for nothing.
    #[arg(long)]
    quick: bool,
    /// One engine alone.
    #[arg(long, value_enum)]
    engine: Option<house::Engine>,
    /// The paths alone whose name contains this.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// No more accounts than this in the table of growth: ten million take 10 GB.
    #[arg(long, value_name = "ACCOUNTS")]
    largest: Option<u64>,
    /// Appends the services' log lines to this file, to see why an answer was not the expected one. Otherwise
    /// they go to `/dev/null`: at full load they are many megabytes a second.
    #[arg(long, value_name = "FILE")]
    log: Option<std::path::PathBuf>,
    /// Cargo says so.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Table {
    /// Every path on both engines.
    Main,
    /// The same among a thousand accounts, a million and ten million; on SQLite, unless the engine is named.
    Growth,
    /// One, two and four processes on one PostgreSQL.
    Replicas,
    /// Telling others: how fast, and what callers notice of a backlog.
    Deliveries,
}

impl Options {
    /// Whether a path is asked for.
    fn wants(&self, path: &str) -> bool {
        self.only.as_ref().is_none_or(|part| path.contains(part.as_str()))
    }

    /// Whether an engine is asked for.
    fn is_on(&self, engine: house::Engine) -> bool {
        self.engine.is_none_or(|only| only == engine)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let outcome = match arguments.get(1..) {
        Some([name, bytes]) if name == bare::ARGUMENT => bytes.parse().map_err(Into::into).and_then(bare::serve),
        Some([name, folder]) if name == pooled::ARGUMENT => pooled::serve(folder.into()),
        _ => run(&Options::parse()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("performance: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Outcome<()> {
    match options.table {
        Table::Main => main_table::print(options),
        Table::Growth => growth::print(options),
        Table::Replicas => replicas::print(options),
        Table::Deliveries => deliveries::print(options),
    }
}
