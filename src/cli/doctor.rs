//! `doctor`: looks at everything that has to be right before and while customers are served, and says of each fault
//! what to do about it.

use super::{Failure, keys, mail, out, rooms, sms, system_clock};
use crate::{
    actions::{self, Rooms, clock::MAX_SKEW_MS, health},
    config::{Config, Misconfigured},
    crypto::{
        keyfile::KeyFile,
        rotation::{Ring, Stage},
    },
    domain::refusal::Stop,
    http::server::runtime,
    store::Location,
    worker::mail::relay::Refused,
};
use serde::Serialize;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// A clock that is so many milliseconds off is told.
const SKEW_TOLD_MS: u64 = 2_000;
/// Bytes on the disk below which writes will soon fail, and below which somebody should look.
const TOO_LITTLE: u64 = 100 << 20;
const LITTLE: u64 = 1 << 30;

/// A mail server has so long to answer.
const TO_GREET: Duration = Duration::from_secs(15);

const UNREACHABLE: &str =
    "see whether it runs, whether TWOFOLD_DATABASE_URL names the primary, and whether its role may write";

/// How to answer.
#[derive(clap::Args)]
pub struct Args {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is right.
    Well,
    /// It works, and should be looked at.
    Doubtful,
    /// Customers are not served, or soon not any more.
    Broken,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Finding {
    about: &'static str,
    state: State,
    text: String,
    fix: Option<String>,
}

/// The findings so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

/// Looks at everything; exit code 1 when something is broken.
pub fn run(args: &Args, load: impl Fn() -> Result<Config, Misconfigured>) -> Result<(), Failure> {
    let mut found = Findings::default();
    match load() {
        Ok(config) => examine(&config, &mut found)?,
        Err(Misconfigured(sentence)) => {
            found.broken("settings", sentence, "correct it; `twofold config template` has them all")
        }
    }
    let broken = found.0.iter().filter(|finding| finding.state == State::Broken).count();
    if args.json {
        out::say(serde_json::json!({ "findings": found.0, "is_well": broken == 0 }))?;
    } else {
        for Finding { about, state, text, fix } in &found.0 {
            let state = format!("{state:?}").to_lowercase();
            let fix = fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default();
            out::say(format_args!("{state:8} {about}: {text}{fix}"))?;
        }
    }
    if broken == 0 { Ok(()) } else { Err(Failure::new(format!("broken: {broken} of {}", found.0.len()))) }
}

fn examine(config: &Config, found: &mut Findings) -> Result<(), Failure> {
    let doubts = config.doubts();
    if doubts.is_empty() {
        found.well("settings", "right, one by one and together");
    }
    for doubt in doubts {
        found.doubtful("settings", doubt.what, doubt.fix);
    }
    let location = config.location()?;
    if let Location::Sqlite(path) = &location {
        file(path, found);
    }
    let keys = match keys(config) {
        Ok(keys) => keys,
        // The sentence says what to do.
        Err(failure) => return found.also_broken("keys", failure, "name the key file of this installation, put it back from its backup, or make one for a new installation with `twofold keys generate`"),
    };
    rotation(&keys, found);
    post(config, found);
    telephones(config, found);
    let rooms = match rooms(config, &keys, system_clock()) {
        Ok(rooms) => rooms,
        Err(failure) => return found.also_broken("database", failure, UNREACHABLE),
    };
    found.well("database", "it answers, and its schema is this program's");
    runtime::System::new().block_on(async {
        // One that fails leaves nothing to be learned from those after it.
        if let Err(stop) = inside(&rooms, found).await {
            found.broken("database", Failure::from(stop).sentence, "see what its log says");
        }
    });
    Ok(())
}

fn file(path: &Path, found: &mut Findings) {
    let Ok(file) = fs::metadata(path) else { return };
    let mode = file.permissions().mode() & 0o777;
    let shown = path.display();
    if mode & 0o077 != 0 {
        found.doubtful(
            "database",
            format!("others can reach {shown} (mode {mode:04o})"),
            format!("run `chmod 600 {shown}`"),
        );
    }
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    let Ok(disk) = rustix::fs::statvfs(&folder) else { return };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let text = format!("{} MiB are free on its disk", free >> 20);
    if free < TOO_LITTLE {
        found.broken("disk", text, "make room; writes fail when it is full");
    } else if free < LITTLE {
        found.doubtful("disk", text, "make room");
    } else {
        found.well("disk", text);
    }
}

fn rotation(keys: &KeyFile, found: &mut Findings) {
    let rings = [Ring::Sealing, Ring::Hashing, Ring::Signing];
    match rings.iter().find(|ring| keys.stage(**ring) != Stage::Settled) {
        Some(ring) => {
            found.doubtful("keys", format!("a rotation of the {ring} key is under way"), "run `twofold keys rotate`")
        }
        None => found.well("keys", "the file is fit for service"),
    }
}

/// Whether a gateway answers is not tried: whatever it takes costs money.
fn telephones(config: &Config, found: &mut Findings) {
    match sms::sender(config) {
        Ok(Some(_)) => found.well("sms", "every SMS can be written; try `twofold sms test --to NUMBER`"),
        Ok(None) => found.well("sms", "no code goes by SMS: TWOFOLD_SMS_GATEWAY is not set"),
        Err(failure) => found.broken("sms", failure.sentence, "correct it; `serve` does not start with it"),
    }
}

fn post(config: &Config, found: &mut Findings) {
    let mail = match mail::channel(config) {
        Ok(Some(mail)) => mail,
        Ok(None) => return found.well("mail", "owners are told nothing by mail: TWOFOLD_MAIL_URL is not set"),
        Err(failure) => return found.broken("mail", failure.sentence, "correct it; `serve` does not start with it"),
    };
    found.well("mail", "every mail can be written");
    let greeted = runtime::System::new()
        .block_on(async { tokio::time::timeout(TO_GREET, mail.greet()).await.map_err(|_| Refused::silent()) });
    match greeted.and_then(|greeted| greeted) {
        Ok(()) => found.well("mail", "the mail server answers, as the URL has it"),
        Err(refused) => {
            let fix = "see whether it runs, whether its certificate is good for its name, and whether TWOFOLD_MAIL_URL has the right password; then try `twofold mail test --to ADDRESS`";
            found.broken("mail", format!("the mail server does not take mail: {refused}"), fix);
        }
    }
}

async fn inside(rooms: &Rooms, found: &mut Findings) -> Result<(), Stop> {
    match health::takes_writes(rooms).await {
        Ok(()) => found.well("database", "it takes writes"),
        Err(stop) => {
            let sentence = format!("it takes no writes: {}", Failure::from(stop).sentence);
            found.broken("database", sentence, "name the primary, and look at its disk and rights");
        }
    }
    let ahead = health::ahead(rooms, system_clock()()).await?;
    let off = ahead.unwrap_or(0).unsigned_abs();
    let text = format!("this machine is {}.{:03} s off the database", off / 1000, off % 1000);
    match off {
        _ if off > MAX_SKEW_MS.unsigned_abs() => {
            found.broken("clock", text, "set this machine's clock by NTP, or the database's")
        }
        _ if off > SKEW_TOLD_MS => found.doubtful("clock", text, "see whether NTP runs on both"),
        _ => found.well("clock", text),
    }
    let missing = actions::keys::missing(rooms).await?;
    if missing.is_empty() {
        found.well("keys", "every key that rows need is in the file");
    }
    for missing in missing {
        let fix = format!("put it back from a backup of the key file, or reset what needs it ({} rows)", missing.rows);
        found.broken("keys", format!("the {} key {} is missing", missing.ring, missing.id), fix);
    }
    let replicas = actions::keys::replicas(rooms).await?;
    for replica in health::at_odds(rooms, &replicas) {
        let fix = "copy the key file to its machine; it takes it into use within seconds";
        found.doubtful("replicas", format!("{} works with other keys than this file has", replica.name), fix);
    }
    found.well("replicas", format!("{} serve", replicas.len()));
    Ok(())
}

impl Findings {
    fn well(&mut self, about: &'static str, text: impl Into<String>) {
        self.0.push(Finding { about, state: State::Well, text: text.into(), fix: None });
    }

    fn doubtful(&mut self, about: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Finding { about, state: State::Doubtful, text: text.into(), fix: Some(fix.into()) });
    }

    fn broken(&mut self, about: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Finding { about, state: State::Broken, text: text.into(), fix: Some(fix.into()) });
    }

    /// A refusal to start, which mostly says itself what to do; what comes after it cannot be looked at.
    fn also_broken(&mut self, about: &'static str, failure: Failure, fix: &str) -> Result<(), Failure> {
        let fix = Some(fix.to_owned()).filter(|_| !failure.sentence.contains("; "));
        self.0.push(Finding { about, state: State::Broken, text: failure.sentence, fix });
        Ok(())
    }
}
