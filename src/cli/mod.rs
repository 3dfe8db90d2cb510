//! The commands, one file each.

mod account;
mod audit;
mod backup;
mod client;
mod config;
mod demo;
mod doctor;
mod health;
mod keys;
mod logging;
mod mail;
mod migrate;
mod openapi;
mod out;
mod papers;
mod sandbox;
mod serve;
mod sink;
mod sms;
mod supervisor;
mod walk;

use crate::{
    actions::{
        Cx, Rooms,
        clock::{Clock, Tell},
        codes::Codes,
        outbox::Outbox,
    },
    config::{Config, Misconfigured, PortalConfig},
    crypto::{
        gate::Gate,
        issuer::{Issuer, Trust},
        keyfile::{KeyFile, Unfit},
        keyring::Keyring,
        keys::Keys,
        passkeys::RelyingParty,
        password::Passwords,
        seen_tokens::SeenTokens,
        token::Realm,
    },
    domain::{
        event::Origin,
        refusal::{Fault, Refusal, Rule, Stop},
    },
    http::server::runtime,
    store::{OpenError, Store},
};
use clap::{Parser, Subcommand};
use std::{
    io::{ErrorKind, Write, stderr},
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

/// Manages two-factor authentication for customer portals.
#[derive(Parser)]
#[command(name = "twofold", version, about)]
struct Cli {
    /// A TOML file of settings; the environment goes first.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Walk the whole story over HTTP on a throw-away database, then keep serving it (the default); or serve a sandbox.
    Demo(demo::Args),
    /// Serve.
    Serve,
    /// Ask a running `serve` whether it is ready: exit code 0 where it is, 1 where it is not, and one line.
    Health(health::Args),
    /// Create the SQLite file when it is missing, and bring the schema up to date.
    Migrate,
    /// Add, list, change, import and export accounts.
    #[command(subcommand)]
    Account(account::Command),
    /// Add, list, disable and enable partners' clients, and rotate their secrets.
    #[command(subcommand)]
    Client(client::Command),
    /// Make key files, and rotate the keys in them.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Check the audit, and hand out its anchors.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Copy the database to a file, while it serves.
    Backup(backup::Backup),
    /// Put a copy in the database's place: all sessions end, and every code up to now is used.
    Restore(backup::Restore),
    /// Make a database that was restored by other means fit to be served, as `restore` does.
    AfterRestore(backup::After),
    /// Look at settings, keys, database, clock and replicas, and say of each fault what to do about it.
    Doctor(doctor::Args),
    /// Check and show settings.
    #[command(subcommand)]
    Config(config::Command),
    /// Look at mails, and try whether they arrive.
    #[command(subcommand)]
    Mail(mail::Command),
    /// Try whether SMS arrive.
    #[command(subcommand)]
    Sms(sms::Command),
    /// Print the OpenAPI document.
    Openapi(openapi::Args),
    /// Print what a shell needs to complete commands.
    Completions(papers::Completions),
    /// Print the manual page, or write one for every command.
    Man(papers::Man),
}

/// Why a command failed: one sentence, and the exit code that goes with it. There is nothing to say where nobody reads.
#[derive(Debug)]
pub struct Failure {
    sentence: String,
    code: u8,
}

/// Runs the command that the command line names.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = run(cli);
    sink::flush();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // What a library says may have lines of its own.
            let sentence = failure.sentence.split_whitespace().collect::<Vec<_>>().join(" ");
            if !sentence.is_empty() {
                let _ = writeln!(stderr(), "twofold: {sentence}");
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let load = || Config::load(cli.config.as_deref());
    match cli.command.unwrap_or(Command::Demo(demo::Args::default())) {
        Command::Demo(args) => demo::run(&args),
        Command::Serve => serve::run(&load()?),
        Command::Health(args) => health::run(&args, load),
        Command::Migrate => migrate::run(&load()?),
        Command::Account(command) => account::run(&load()?, command),
        Command::Client(command) => client::run(&load()?, command),
        Command::Keys(command) => keys::run(command, load),
        Command::Audit(command) => audit::run(&load()?, command),
        Command::Backup(args) => backup::backup(&load()?, &args),
        Command::Restore(args) => backup::restore(&load()?, &args),
        Command::AfterRestore(args) => backup::after_restore(&load()?, &args),
        Command::Doctor(args) => doctor::run(&args, load),
        Command::Config(command) => config::run(&command, cli.config.as_deref()),
        Command::Mail(command) => mail::run(&load()?, command),
        Command::Sms(command) => sms::run(&load()?, command),
        Command::Openapi(args) => openapi::run(&args),
        Command::Completions(args) => papers::completions(&args),
        Command::Man(args) => papers::man(&args),
    }
}

/// The key file that the configuration names.
fn key_path(config: &Config) -> Result<&Path, Failure> {
    config.keys.as_deref().ok_or_else(|| {
        Failure::configuration(
            "no keys: make them with `twofold keys generate --out FILE` and name the file in TWOFOLD_KEYS",
        )
    })
}

/// The keys that the configuration names.
fn keys(config: &Config) -> Result<KeyFile, Failure> {
    Ok(KeyFile::read(key_path(config)?)?)
}

/// What actions work with, as the configuration says, in the time that is told.
///
/// # Errors
/// When a key is malformed or the database cannot be used.
pub fn rooms(config: &Config, keys: &KeyFile, tell: Tell) -> Result<Rooms, Failure> {
    let keys = Arc::new(Keys::new(Keyring::new(keys)?));
    let store = Store::open(&config.location()?, config.pooling(), keys.clone())?;
    let patience = Duration::from_secs(config.password_patience.into());
    let gate = Gate::start(config.threads(), config.password_queue, patience)
        .map_err(|error| Failure::configuration(&format!("cannot start the password threads: {error}")))?;
    let realm =
        Realm { issuer: config.issuer.clone(), audience: config.audience.clone(), ttl: config.access_token_ttl };
    let passwords = Passwords::new(gate, config.bcrypt_cost);
    let (policy, clock, seen_tokens) = (config.policy(), Clock::new(tell), SeenTokens::default());
    let portal = trust(&config.portal).map(Issuer::new).transpose()?.map(Arc::new);
    let (outbox, egress) = (Outbox::new(config.mail.url.is_some()), config.webhooks.egress(config.insecure));
    let site = config.passkeys().map_err(|error| Failure::configuration(&error.to_string()))?;
    let passkeys = site.map(RelyingParty::new).transpose().map_err(|error| Failure::configuration(&error))?;
    let codes = Codes::of(config.sent_kinds());
    Ok(Rooms { store, keys, passwords, passkeys, realm, portal, seen_tokens, policy, clock, outbox, egress, codes })
}

/// What the configuration says of the portal's own issuer.
fn trust(portal: &PortalConfig) -> Option<Trust> {
    let PortalConfig { issuer, audience, algorithm, token_type, aal2, .. } = portal.clone();
    let (issuer, audience) = issuer.zip(audience)?;
    Some(Trust { issuer, audience, algorithm, token_type, aal2 })
}

/// Runs one action of the operator's.
fn act<T>(config: &Config, action: impl AsyncFnOnce(&Cx) -> Result<T, Stop>) -> Result<T, Failure> {
    converse(config, async |cx: &Cx| Ok(action(cx).await?))
}

/// Runs a command that takes several actions.
fn converse<T>(config: &Config, command: impl AsyncFnOnce(&Cx) -> Result<T, Failure>) -> Result<T, Failure> {
    logging::start(&config.log, config.log_format);
    let rooms = Arc::new(rooms(config, &keys(config)?, system_clock())?);
    let origin = Origin {
        request_id: "command-line".to_owned(),
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: concat!("twofold/", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    runtime::System::new().block_on(async {
        rooms.compare_clocks().await?;
        command(&Cx::new(rooms, origin)?).await
    })
}

/// The system's clock: the one place where time enters.
#[expect(clippy::disallowed_methods, reason = "this is where time enters")]
fn system_clock() -> Tell {
    Arc::new(jiff::Timestamp::now)
}

impl Failure {
    fn new(sentence: impl ToString) -> Self {
        Self { sentence: sentence.to_string(), code: 1 }
    }

    fn configuration(sentence: &str) -> Self {
        Self { sentence: sentence.to_owned(), code: 2 }
    }
}

impl From<Misconfigured> for Failure {
    fn from(error: Misconfigured) -> Self {
        Self::configuration(&error.0)
    }
}

impl From<Unfit> for Failure {
    fn from(error: Unfit) -> Self {
        Self::configuration(&error.0)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::configuration(&error.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self { sentence: String::new(), code: out::CLOSED },
            _ => Self::new(error),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(match refusal {
            Refusal::NotFound => "there is no such account".to_owned(),
            Refusal::TwoFactorNotEnabled => "two-factor authentication is off".to_owned(),
            Refusal::ValidationFailed(violations) => {
                let sentences = violations.iter().map(|violation| match violation.rule {
                    Rule::Subject => "the subject must have 1 to 255 printable ASCII characters",
                    Rule::Remark => "the reason must have 1 to 500 characters and no control characters",
                    Rule::ClientName => "the name must have 1 to 100 characters and no control characters",
                    Rule::FreeSubject => "the subject belongs to an account already",
                    Rule::FreeEmail => "the address belongs to an account already",
                    Rule::Phone => "the number is not that of a mobile telephone, with + and its country code",
                    Rule::Email => "the address is not an e-mail address of at most 254 bytes",
                    _ => "the password must have 8 to 71 bytes and no NUL character",
                });
                sentences.collect::<Vec<_>>().join("; ")
            }
            other => format!("refused: {other:?}"),
        })
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => refusal.into(),
            Stop::Failed(fault) => fault.into(),
        }
    }
}
