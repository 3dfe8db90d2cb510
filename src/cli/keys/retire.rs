//! `keys retire`: drops the old keys that nothing needs any more.

use super::{held::Held, told::Told};
use crate::{
    actions::{
        Cx,
        keys::{self, Needed},
    },
    cli::{Failure, converse},
    config::Config,
    crypto::rotation::{Ring, Stage},
};

/// How to answer.
#[derive(clap::Args)]
pub struct Args {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Drops what can be dropped.
pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    let mut file = Held::take(config)?;
    let mut told = Told::new(args.json);
    let next = converse(config, async |cx: &Cx| {
        let (replicas, mut later) = (keys::replicas(cx).await?, None);
        for ring in [Ring::Sealing, Ring::Hashing, Ring::Signing] {
            let uses = keys::uses(cx, ring).await?;
            for old in file.keys.old(ring) {
                let first = file.keys.first(ring).to_owned();
                match keys::needed(cx, ring, &old, &first, &replicas, &uses) {
                    None => {
                        file.change(|keys| keys.retire(ring, &old.id))?;
                        told.step(ring, "retired", format!("dropped the key {}", old.id));
                    }
                    Some(needed) => {
                        told.step(ring, "needed", format!("the key {} stays: {needed}", old.id));
                        later = later.max(match needed {
                            Needed::Until(at) => Some(at),
                            _ => None,
                        });
                    }
                }
            }
        }
        let is_open = |ring: &Ring| !matches!(file.keys.stage(*ring), Stage::Settled);
        Ok(match [Ring::Sealing, Ring::Hashing, Ring::Signing].into_iter().find(is_open) {
            Some(ring) => Some(format!("run `twofold keys rotate`: the {ring} key is not exchanged yet")),
            None => later.map(|at| format!("run this again after {at:.0}")),
        })
    })?;
    told.end(next);
    Ok(())
}
