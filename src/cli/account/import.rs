//! `account import`: accounts from a file.

use super::tell;
use crate::{
    actions::operator::import::{self as importing, Manner, Summary},
    cli::{Failure, act},
    config::Config,
    domain::transfer::{self, Source},
};
use clap::Args;
use serde_json::json;
use std::{
    fs,
    io::{Read, stdin},
};

/// What to import, and how.
#[derive(Args)]
pub struct Import {
    /// The file; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: String,
    /// Who wrote it: twofold (CSV or JSON lines), django-allauth (dumpdata), keycloak (export of a realm).
    #[arg(long, value_name = "SYSTEM", default_value = "twofold")]
    from: Source,
    /// Check every row, also against the accounts that are there, and import nothing.
    #[arg(long)]
    dry_run: bool,
    /// Pass over rows whose account is there already, with the same password hash and subject.
    #[arg(long)]
    resume: bool,
    /// Rows that are imported in one transaction: all of them, or none.
    #[arg(long, value_name = "ROWS", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch: u16,
    /// Take accounts whose password cannot be checked here; nobody signs in to them until it is set.
    #[arg(long)]
    without_password: bool,
    /// Take TOTP secrets that are shorter than 128 bits (80 bits are common in old ones).
    #[arg(long)]
    short_secrets: bool,
    /// Take accounts whose only second factor cannot be taken: they sign in by password alone.
    #[arg(long)]
    lose_factors: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Imports accounts.
pub fn import(config: &Config, import: Import) -> Result<(), Failure> {
    let bytes = bytes(&import.file)?;
    let refused = |bad| Failure::new(format!("{}: {bad}", import.file));
    let rows = transfer::read(import.from, &bytes).map_err(refused)?;
    let manner = Manner {
        source: import.from.name(),
        batch: import.batch.into(),
        dry_run: import.dry_run,
        resume: import.resume,
        without_password: import.without_password,
        short_secrets: import.short_secrets,
        lose_factors: import.lose_factors,
    };
    let report = |place, unfit: &importing::Unfit| eprintln!("{place}: {unfit}");
    let summary = act(config, async move |cx: &_| importing::import(cx, rows, manner, report).await)?;
    let mut object = json!(summary);
    object["dry_run"] = import.dry_run.into();
    tell(import.json, &object, &sentence(&summary, import.dry_run));
    match summary.bad {
        0 => Ok(()),
        1 => Err(Failure::new("1 row is bad")),
        bad => Err(Failure::new(format!("{bad} rows are bad"))),
    }
}

fn bytes(file: &str) -> Result<Vec<u8>, Failure> {
    if file != "-" {
        return fs::read(file).map_err(|error| Failure::new(format!("{file}: {error}")));
    }
    let mut bytes = Vec::new();
    stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn sentence(summary: &Summary, dry_run: bool) -> String {
    let Summary { read, imported, with_two_factor, without_password, skipped, bad, held_back } = summary;
    let done = if dry_run { "can be imported" } else { "imported" };
    let mut sentence = format!(
        "{read} rows: {imported} {done} ({with_two_factor} with an authenticator, {without_password} without a \
         password), {skipped} there already, {bad} bad"
    );
    if *held_back > 0 {
        sentence += &format!(
            ", {held_back} held back: the batch of the first bad row and those after it were only checked; mend the \
             bad rows and run again with --resume"
        );
    }
    sentence
}
