//! `openapi`: prints the document, or checks the committed one.

use super::{Failure, out};
use crate::http::openapi;
use std::{fs, path::PathBuf};

/// What to do with the document.
#[derive(clap::Args)]
pub struct Args {
    /// Compare with this file instead of printing, and fail when they differ.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

/// Prints or checks.
pub fn run(args: &Args) -> Result<(), Failure> {
    let text = openapi::text().map_err(Failure::new)?;
    let Some(path) = &args.check else {
        return Ok(out::print(text)?);
    };
    if fs::read_to_string(path)? == text {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::new(format!(
        "{path} is not what the routes say; run `cargo run -- openapi > {path}` and review the change"
    )))
}
