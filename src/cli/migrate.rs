//! `migrate`: brings the schema up to date.

use super::Failure;
use crate::{config::Config, store};

/// Migrates the database that the configuration names.
pub fn run(config: &Config) -> Result<(), Failure> {
    let done = store::migrate(&config.migration_location()?)?;
    match done.len() {
        0 => println!("the schema is up to date"),
        count => println!("the schema is up to date; {count} migrations were run"),
    }
    Ok(())
}
