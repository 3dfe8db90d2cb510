//! `migrate`: brings the schema up to date.

use super::{Failure, out};
use crate::{config::Config, store};

/// Migrates the database that the configuration names.
pub fn run(config: &Config) -> Result<(), Failure> {
    let done = store::migrate(&config.migration_location()?)?;
    match done.len() {
        0 => out::done("the schema is up to date"),
        count => out::done(format_args!("the schema is up to date; {count} migrations were run")),
    }
    Ok(())
}
