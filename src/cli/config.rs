//! `config`: shows settings.

use crate::config::Config;
use clap::Subcommand;

/// What to show.
#[derive(Subcommand)]
pub enum Command {
    /// Print every setting with its meaning and default, as a TOML file to begin with.
    Template,
}

/// Runs a subcommand.
pub fn run(command: &Command) {
    let Command::Template = command;
    print!("{}", Config::template());
}
