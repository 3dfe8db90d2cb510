//! `keys`: makes key files.

use super::Failure;
use crate::crypto::keyfile::{KeyFile, SigningAlgorithm};
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
}

/// Runs a subcommand.
pub fn run(command: &Command) -> Result<(), Failure> {
    let Command::Generate { out, algorithm } = command;
    KeyFile::generate(*algorithm, false)?.write(out)?;
    println!("keys are in {}; back them up apart from the database", out.display());
    Ok(())
}
