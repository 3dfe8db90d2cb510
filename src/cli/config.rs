//! `config`: shows and checks settings.

use super::{Failure, mail, out, sms};
use crate::config::{Config, shown};
use clap::Subcommand;
use std::path::Path;

/// What to show.
#[derive(Subcommand)]
pub enum Command {
    /// Print every setting with its meaning and default, as a TOML file to begin with.
    Template,
    /// Say whether file and environment are right; what is wrong is one sentence, and the exit code 2.
    Check,
    /// Print every setting in force and where it came from; secrets are hidden.
    Show {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs a subcommand.
pub fn run(command: &Command, file: Option<&Path>) -> Result<(), Failure> {
    match command {
        Command::Template => out::print(Config::template())?,
        Command::Check => {
            let config = Config::load(file)?;
            mail::channel(&config)?;
            sms::sender(&config)?;
            out::say("the settings are right")?;
        }
        Command::Show { json } => show(*json, file)?,
    }
    Ok(())
}

fn show(as_json: bool, file: Option<&Path>) -> Result<(), Failure> {
    let settings = shown::shown(file)?;
    if as_json {
        let one = |setting: &shown::Shown| serde_json::json!({ "name": setting.name, "value": setting.value, "source": setting.source.to_string() });
        return Ok(out::say(serde_json::json!(settings.iter().map(one).collect::<Vec<_>>()))?);
    }
    for shown::Shown { name, value, source } in settings {
        match value {
            Some(value) => out::say(format_args!("{name} = {value}  # {source}"))?,
            None => out::say(format_args!("# {name} is not set"))?,
        }
    }
    Ok(())
}
