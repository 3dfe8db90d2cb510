//! `account`: what the operator does with accounts, one file a group of subcommands.

mod add;
mod delete;
mod export;
mod import;
mod list;
mod partner;
mod standing;

use super::{Failure, out};
use crate::{
    actions::operator::Whom,
    config::Config,
    domain::{account::Email, id::AccountId},
};
use clap::{Args, Subcommand};
use serde_json::Value;

/// What to do with accounts.
#[derive(Subcommand)]
pub enum Command {
    /// Add an account.
    Add(add::Add),
    /// Set an account's password; its sessions end.
    SetPassword(add::SetPassword),
    /// List accounts by their ids: the oldest first, but for those that were imported together.
    List(list::List),
    /// Import accounts from CSV, JSON lines, or the export of another system.
    Import(import::Import),
    /// Export accounts as JSON lines, which `import` reads.
    Export(export::Export),
    /// Forget the wrong guesses that lock an account's owner out.
    Unlock(standing::Change),
    /// Suspend an account: nobody signs in to it, its sessions end, its tokens are refused.
    Disable(standing::Change),
    /// End a suspension.
    Enable(standing::Change),
    /// Delete an account with everything that belongs to it; a mark stays in the audit.
    Delete(delete::Delete),
    /// Switch an account's two-factor authentication off; its sessions end.
    #[command(name = "reset-2fa")]
    ResetTwoFactor(standing::Reset),
    /// Put an account on the list of those who must have two-factor authentication.
    Require(standing::Change),
    /// Take an account off that list.
    ReleaseRequirement(standing::Change),
    /// Let a partner's client see an account.
    AllowPartner(partner::Partner),
    /// Let a partner's client see an account no more.
    RefusePartner(partner::Partner),
    /// Give an account a scope.
    GrantScope(standing::Scope),
    /// Take a scope away from an account.
    RevokeScope(standing::Scope),
}

/// Which account is meant.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Who {
    /// The account with this address.
    #[arg(long)]
    email: Option<String>,
    /// The account with this id.
    #[arg(long)]
    id: Option<uuid::Uuid>,
}

impl Who {
    fn whom(self) -> Result<Whom, Failure> {
        match (self.email, self.id) {
            (Some(email), _) => Ok(Whom::Email(Email::parse(&email, "/email")?)),
            (None, Some(id)) => Ok(Whom::Id(AccountId(id))),
            (None, None) => Err(Failure::new("name the account by --email or --id")),
        }
    }
}

/// Runs a subcommand.
pub fn run(config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => add::add(config, add),
        Command::SetPassword(set) => add::set_password(config, set),
        Command::List(list) => list::list(config, list),
        Command::Import(import) => import::import(config, import),
        Command::Export(export) => export::export(config, &export),
        Command::Unlock(change) => standing::unlock(config, change),
        Command::Disable(change) => standing::disable(config, change),
        Command::Enable(change) => standing::enable(config, change),
        Command::Delete(delete) => delete::delete(config, delete),
        Command::ResetTwoFactor(reset) => standing::reset(config, reset),
        Command::Require(change) => standing::require(config, change),
        Command::ReleaseRequirement(change) => standing::release(config, change),
        Command::AllowPartner(partner) => partner::allow(config, partner),
        Command::RefusePartner(partner) => partner::refuse(config, partner),
        Command::GrantScope(scope) => standing::grant(config, scope),
        Command::RevokeScope(scope) => standing::revoke(config, scope),
    }
}

/// Tells what was done, as JSON or as a sentence.
pub fn tell(as_json: bool, json: &Value, sentence: &str) {
    if as_json {
        out::done(json);
    } else {
        out::done(sentence);
    }
}
