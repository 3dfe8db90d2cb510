//! `audit`: checks the audit chains, and hands out their anchors.

use super::{
    Failure, act,
    out::{self, Broken},
};
use crate::{
    actions::{
        Cx,
        audit::{self, Anchors},
    },
    config::Config,
    domain::{anchor::Anchor, id::AccountId},
};
use clap::Subcommand;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What to do with the audit.
#[derive(Subcommand)]
pub enum Command {
    /// Check every hash chain and every anchor, and name the first bad row.
    Verify {
        /// Check the chains of one account alone.
        #[arg(long, value_name = "ID")]
        account: Option<uuid::Uuid>,
        /// Check against anchors that were exported earlier, too: what was cut off since then shows.
        #[arg(long, value_name = "FILE", conflicts_with = "account")]
        anchors: Option<PathBuf>,
    },
    /// Anchor the chains and print the anchors, one JSON object a line, to be kept where nobody who can
    /// write the database can.
    Export {
        /// Print those after this number.
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: i64,
    },
}

/// Runs a subcommand.
pub fn run(config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify { account, anchors } => {
            let exported = anchors.as_deref().map_or_else(|| Ok(Vec::new()), read)?;
            verify(config, account.map(AccountId), exported)
        }
        Command::Export { after } => {
            let broken = Broken::default();
            let print = |anchor: &Anchor| print(anchor).map_err(|error| broken.keep(error));
            broken.or(act(config, async |cx: &Cx| audit::export(cx, after, print).await))
        }
    }
}

fn verify(config: &Config, only: Option<AccountId>, exported: Vec<Anchor>) -> Result<(), Failure> {
    let verified = act(config, async move |cx: &Cx| {
        let rows = audit::verify(cx, only).await?;
        let anchors = if only.is_none() { audit::verify_anchors(cx, exported).await? } else { Ok(Anchors::default()) };
        Ok(rows.and_then(|rows| anchors.map(|anchors| (rows, anchors))))
    })?;
    let (rows, anchors) = verified.map_err(|broken| Failure::new(format!("the audit is broken: {broken}")))?;
    out::say(format_args!("{rows} audit rows, every chain holds; {} anchors checked", anchors.checked))?;
    if let (1.., Some(at)) = (anchors.lost, anchors.restored_at) {
        out::say(format_args!(
            "{} exported anchors are not in the database: it was restored at {at:.0} from a copy that is older than they are",
            anchors.lost
        ))?;
    }
    Ok(())
}

fn print(anchor: &Anchor) -> io::Result<()> {
    out::say(serde_json::to_string(anchor)?)
}

fn read(path: &Path) -> Result<Vec<Anchor>, Failure> {
    let refused = |what: String| Failure::new(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let anchor = |(n, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| refused(format!("line {} is no anchor: {error}", n + 1)))
    };
    text.lines().enumerate().map(anchor).collect()
}
