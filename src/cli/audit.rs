//! `audit`: checks the audit chains.

use super::{Failure, act};
use crate::{actions::operator, config::Config, domain::id::AccountId};
use clap::Subcommand;

/// What to do with the audit.
#[derive(Subcommand)]
pub enum Command {
    /// Check every hash chain, and name the first bad row.
    Verify {
        /// Check one account alone.
        #[arg(long, value_name = "ID")]
        account: Option<uuid::Uuid>,
    },
}

/// Runs a subcommand.
pub fn run(config: &Config, command: &Command) -> Result<(), Failure> {
    let Command::Verify { account } = command;
    let only = account.map(AccountId);
    match act(config, async move |cx: &_| operator::verify_audit(cx, only).await)? {
        Ok(rows) => {
            println!("{rows} audit rows, every chain holds");
            Ok(())
        }
        Err(broken) => Err(Failure::new(format!("the audit chain is broken: {broken}"))),
    }
}
