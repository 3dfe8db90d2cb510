//! `keys`: makes key files, and rotates the keys in them.

mod held;
mod retire;
mod rotate;
mod told;

use super::{Failure, out};
use crate::{
    config::{Config, Misconfigured},
    crypto::keyfile::{KeyFile, SigningAlgorithm},
};
use clap::Subcommand;
use std::path::PathBuf;

/// What to do with keys.
#[derive(Subcommand)]
pub enum Command {
    /// Make a key file; an existing one is never overwritten.
    Generate {
        /// The file to make.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// What access tokens are signed with.
        #[arg(long, value_enum, default_value_t)]
        algorithm: SigningAlgorithm,
    },
    /// Put new keys in the place of the old ones while the service runs. Run it again until it says that it is
    /// done: it goes on where it was, and says each time what to do next.
    Rotate(rotate::Args),
    /// Drop the old keys that nothing needs any more, and say what still needs the others.
    Retire(retire::Args),
}

/// Runs a subcommand.
pub fn run(command: Command, load: impl Fn() -> Result<Config, Misconfigured>) -> Result<(), Failure> {
    match command {
        Command::Generate { out: file, algorithm } => {
            KeyFile::generate(algorithm, false)?.write(&file)?;
            out::done(format_args!("keys are in {}; back them up apart from the database", file.display()));
            Ok(())
        }
        Command::Rotate(args) => rotate::run(&load()?, &args),
        Command::Retire(args) => retire::run(&load()?, &args),
    }
}
