//! `keys rotate`: from one key to the next, without a request that is refused. The file says how far a rotation
//! has come, the replicas say whether all of them have followed, the rows say what is left to do.

use super::{held::Held, told::Told};
use crate::{
    actions::{
        Cx,
        keys::{self, Needed},
    },
    cli::{Failure, converse},
    config::Config,
    crypto::{
        keyfile::SigningAlgorithm,
        rotation::{Ring, Stage},
    },
    domain::replica::Replica,
};
use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// Others may keep the published token keys for so many seconds (`Cache-Control` of `/.well-known/jwks.json`).
const PUBLISHED_FOR: i64 = 300;
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Which keys, and how.
#[derive(clap::Args)]
pub struct Args {
    /// Rotate the key that seals secrets of authenticators. Without any of these, sealing and token keys.
    #[arg(long)]
    sealing: bool,
    /// Rotate the key that signs access tokens.
    #[arg(long)]
    signing: bool,
    /// Rotate the key that hashes recovery codes and refresh tokens. What is hashed cannot be hashed anew, so the old
    /// key stays until the last recovery code made with it is gone.
    #[arg(long)]
    hashing: bool,
    /// Refused, with the reason.
    #[arg(long, hide = true)]
    naming: bool,
    /// Refused, with the reason.
    #[arg(long, hide = true)]
    audit: bool,
    /// What the new token key signs with; like the one before it if nothing is said.
    #[arg(long, value_enum)]
    algorithm: Option<SigningAlgorithm>,
    /// Begin another rotation though the keys of the last one have not been retired.
    #[arg(long)]
    again: bool,
    /// Sign with a new token key as soon as every replica has it, though others who check tokens may not have
    /// fetched it yet.
    #[arg(long)]
    at_once: bool,
    /// Wait so many seconds for replicas to take the keys into use.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    wait: u64,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Rotates, as far as it goes.
pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    if args.naming {
        return Err(Failure::configuration(
            "the naming key is never rotated while serving: it names the locks on guesses, which would all open at once",
        ));
    }
    if args.audit {
        return Err(Failure::configuration(
            "the audit key is not rotated: rows and anchors are checked with the key that made them, so an old one \
             could never be dropped, and whoever had it could go on making rows that look old",
        ));
    }
    let mut file = Held::take(config)?;
    let mut told = Told::new(args.json);
    let next = converse(config, async |cx: &Cx| {
        let mut next = Vec::new();
        for ring in rings(args) {
            next.extend(turn(cx, &mut file, ring, args, &mut told).await?);
        }
        if rings(args).contains(&Ring::Sealing) && file.keys.stage(Ring::Sealing) == Stage::Settled {
            reseal(cx, file.keys.first(Ring::Sealing), &mut told).await?;
        }
        let retire = remains(cx, &file, &rings(args), &mut told).await?;
        Ok(if next.is_empty() { retire } else { Some(next.join("; ")) })
    })?;
    told.end(next);
    Ok(())
}

fn rings(args: &Args) -> Vec<Ring> {
    let asked = [(args.sealing, Ring::Sealing), (args.signing, Ring::Signing), (args.hashing, Ring::Hashing)];
    let asked: Vec<Ring> = asked.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, ring)| ring).collect();
    if asked.is_empty() { vec![Ring::Sealing, Ring::Signing] } else { asked }
}

/// Takes a ring as far as it goes; what has to be done first, where it stops.
async fn turn(cx: &Cx, file: &mut Held, ring: Ring, args: &Args, told: &mut Told) -> Result<Option<String>, Failure> {
    if file.keys.stage(ring) == Stage::Settled && (args.again || file.keys.old(ring).is_empty()) {
        let id = file.keys.add_next(ring, args.algorithm)?;
        file.change(|_| ())?;
        told.step(ring, "added", format!("added the key {id}; so far it only opens and checks"));
    }
    if let Stage::Next { id, .. } = file.keys.stage(ring) {
        let has_it = |replica: &Replica| keys::ids_of(&replica.keys, ring).contains(&id);
        if let Some(next) = wait_for_all(cx, file, args, &format!("do not have the key {id}"), has_it).await? {
            return Ok(Some(next));
        }
        let now = cx.clock.now()?;
        file.change(|keys| keys.note_known(ring, now))?;
        if let Some(from) = published_enough_at(&file.keys.stage(ring)).filter(|from| now < *from)
            && ring == Ring::Signing
            && !args.at_once
        {
            told.step(ring, "published", format!("every replica checks with {id}, and publishes it"));
            return Ok(Some(format!("run this again after {from:.0}: until then others may not know the key {id}")));
        }
        file.change(|keys| keys.promote(ring))?;
        told.step(ring, "promoted", format!("the key {id} is the first now"));
    }
    if file.keys.stage(ring) == Stage::Promoted {
        let first = file.keys.first(ring).to_owned();
        let makes_with_it = |replica: &Replica| keys::first_of(&replica.keys, ring) == Some(&*first);
        let lack = format!("do not make with the key {first} yet");
        if let Some(next) = wait_for_all(cx, file, args, &lack, makes_with_it).await? {
            return Ok(Some(next));
        }
        let now = cx.clock.now()?;
        file.change(|keys| keys.settle(ring, now))?;
        told.step(ring, "settled", format!("every replica makes with {first}"));
    }
    cx.take_keys(&file.keys)?;
    Ok(None)
}

/// When nobody can have an older set of published keys any more.
fn published_enough_at(stage: &Stage) -> Option<Timestamp> {
    let Stage::Next { known_since: Some(since), .. } = stage else { return None };
    since.checked_add(SignedDuration::from_secs(PUBLISHED_FOR)).ok()
}

/// Waits until every replica is as it should be; what to do where some are not.
async fn wait_for_all(
    cx: &Cx,
    file: &Held,
    args: &Args,
    lack: &str,
    is_ready: impl Fn(&Replica) -> bool,
) -> Result<Option<String>, Failure> {
    let began = Instant::now();
    loop {
        let mut late = keys::replicas(cx).await?;
        late.retain(|replica| !is_ready(replica));
        if late.is_empty() {
            return Ok(None);
        }
        if began.elapsed() >= Duration::from_secs(args.wait) {
            let names: Vec<&str> = late.iter().map(|replica| replica.name.as_str()).collect();
            return Ok(Some(format!(
                "{} {lack}: copy {} to their machines, then run this again here; they take it into use within \
                 seconds, and one that has died is forgotten after a minute and a half",
                names.join(", "),
                file.path.display()
            )));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn reseal(cx: &Cx, first: &str, told: &mut Told) -> Result<(), Failure> {
    let progress = |done: u64| told.progress(format!("{done} secrets are sealed anew"));
    let resealed = keys::reseal(cx, progress).await?;
    if !resealed.unreadable.is_empty() {
        let ids: Vec<String> = resealed.unreadable.iter().map(ToString::to_string).collect();
        return Err(Failure::new(format!(
            "{} secrets open with no key of the file; put the key back that sealed them, or reset these methods: {}",
            ids.len(),
            ids.join(", ")
        )));
    }
    if !resealed.unreadable_webhooks.is_empty() {
        let ids: Vec<String> = resealed.unreadable_webhooks.iter().map(ToString::to_string).collect();
        return Err(Failure::new(format!(
            "the secrets of {} webhooks open with no key of the file; put the key back that sealed them, or have their \
             clients rotate them: {}",
            ids.len(),
            ids.join(", ")
        )));
    }
    let uses = keys::uses(cx, Ring::Sealing).await?;
    let remaining: u64 = uses.iter().filter(|(id, _)| *id != first).map(|(_, rows)| rows).sum();
    told.step(
        Ring::Sealing,
        "resealed",
        format!("{} secrets were sealed anew, {remaining} remain under another key", resealed.done),
    );
    Ok(())
}

/// Tells what keeps each old key, and what to do about it.
async fn remains(cx: &Cx, file: &Held, rings: &[Ring], told: &mut Told) -> Result<Option<String>, Failure> {
    let (replicas, mut droppable, mut until) = (keys::replicas(cx).await?, false, None);
    for ring in rings.iter().copied() {
        let uses = keys::uses(cx, ring).await?;
        for old in file.keys.old(ring) {
            match keys::needed(cx, ring, &old, file.keys.first(ring), &replicas, &uses) {
                None => {
                    droppable = true;
                    told.step(ring, "droppable", format!("nothing needs the key {} any more", old.id));
                }
                Some(needed) => {
                    if let Needed::Until(at) = needed {
                        until = until.max(Some(at));
                    }
                    told.step(ring, "needed", format!("the key {} stays: {needed}", old.id));
                }
            }
        }
    }
    Ok(match (droppable, until) {
        (_, Some(at)) => Some(format!("run `twofold keys retire` after {at:.0}")),
        (true, None) => Some("run `twofold keys retire`".to_owned()),
        (false, None) => None,
    })
}
