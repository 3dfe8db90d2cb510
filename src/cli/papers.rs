//! `completions` and `man`: what shells and readers want to know of the command line, made from its definition.

use super::{Cli, Failure};
use clap::CommandFactory;
use clap_complete::Shell;
use std::{
    fs,
    io::{Write, stdout},
    path::PathBuf,
};

/// For which shell.
#[derive(clap::Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Where to.
#[derive(clap::Args)]
pub struct Man {
    /// Write a page for every command into this folder; without it, the page of the whole is printed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints the completions of a shell.
pub fn completions(args: &Completions) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "twofold", &mut text);
    Ok(stdout().write_all(&text)?)
}

/// Prints the manual page, or writes all of them.
pub fn man(args: &Man) -> Result<(), Failure> {
    let command = Cli::command();
    match &args.out {
        None => Ok(clap_mangen::Man::new(command).render(&mut stdout())?),
        Some(folder) => {
            fs::create_dir_all(folder)?;
            Ok(clap_mangen::generate_to(command, folder)?)
        }
    }
}
