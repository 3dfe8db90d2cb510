//! `account list`: accounts a page at a time.

use crate::{
    actions::operator,
    cli::{Failure, act},
    config::Config,
    domain::id::AccountId,
    store::accounts_page::Listed,
};
use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use std::io::{Write, stdout};

/// Which accounts to list, and how.
#[derive(Args)]
pub struct List {
    /// Those whose address contains this.
    #[arg(long, value_name = "PART")]
    email: Option<String>,
    /// Those after this id: the last one of the page before.
    #[arg(long, value_name = "ID")]
    after: Option<uuid::Uuid>,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Answer as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

/// Lists accounts.
pub fn list(config: &Config, list: List) -> Result<(), Failure> {
    let List { email, after, limit, json } = list;
    let find = async move |cx: &_| operator::list::list(cx, after.map(AccountId), email, limit).await;
    let accounts = act(config, find)?;
    let mut out = stdout().lock();
    for listed in &accounts {
        let line = if json { object(listed) } else { sentence(listed) };
        writeln!(out, "{line}")?;
    }
    // Standard output holds accounts alone, so that it can be counted and cut.
    let is_full = i64::try_from(accounts.len()).is_ok_and(|count| count == limit);
    if let (Some(last), true, false) = (accounts.last(), is_full, json) {
        eprintln!("there may be more: --after {}", last.account.id);
    }
    Ok(())
}

fn object(listed: &Listed) -> String {
    let Listed { account, created_at } = listed;
    json!({
        "id": account.id,
        "email": account.email.as_str(),
        "subject": account.subject.as_ref().map(|subject| subject.as_str()),
        "locale": account.locale.tag(),
        "scopes": account.scope.split_whitespace().collect::<Vec<_>>(),
        "two_factor_since": account.enabled_at,
        "suspended_since": account.suspended_at,
        "listed_since": account.listed_at,
        "required_since": account.required_since,
        "created_at": created_at,
    })
    .to_string()
}

fn sentence(listed: &Listed) -> String {
    let Listed { account, created_at } = listed;
    let since = |at: Option<Timestamp>, what: &str| at.map(|at| format!("  {what} since {at}")).unwrap_or_default();
    let subject = account.subject.as_ref().map(|subject| format!("  subject {}", subject.as_str()));
    let scope = if account.scope.is_empty() { String::new() } else { format!("  scope {}", account.scope) };
    format!(
        "{}  {}  {}  added {created_at}{}{}{}{scope}{}",
        account.id,
        account.email.as_str(),
        account.locale,
        since(account.enabled_at, "2FA"),
        since(account.suspended_at, "suspended"),
        since(account.listed_at, "2FA required"),
        subject.unwrap_or_default()
    )
}
