//! `account delete`: an account with everything that belongs to it.

use super::{Who, tell};
use crate::{
    actions::operator::delete as deleting,
    cli::{Failure, act},
    config::Config,
};
use clap::Args;
use serde_json::json;

/// Which account goes.
#[derive(Args)]
pub struct Delete {
    #[command(flatten)]
    who: Who,
    /// Say that it is meant: what is deleted cannot be brought back.
    #[arg(long, required = true)]
    yes: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Deletes an account.
pub fn delete(config: &Config, delete: Delete) -> Result<(), Failure> {
    let whom = delete.who.whom()?;
    let deleted = act(config, async move |cx: &_| deleting::delete(cx, whom).await)?;
    let id = deleted.map_err(|broken| {
        Failure::new(format!("nothing was deleted, for the audit is broken and that must be looked into: {broken}"))
    })?;
    tell(delete.json, &json!({ "id": id }), &format!("account {id} and everything that belongs to it is deleted"));
    Ok(())
}
