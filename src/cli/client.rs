//! `client`: partners' programs, which ask for tokens of their own.

use super::{Failure, account::tell, act};
use crate::{
    actions::operator::clients::{self, NewClient},
    config::Config,
    domain::{
        account::Email,
        client::{Client, ClientName, ClientScopes},
        id::ClientId,
    },
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::{Write, stdout};

/// What to do with clients.
#[derive(Subcommand)]
pub enum Command {
    /// Add a client, and show its secret, once.
    Add(Add),
    /// Give a client another secret, and show it, once.
    Rotate(Rotate),
    /// Disable a client: its secret and its tokens are refused.
    Disable(Which),
    /// Let a disabled client be used again, by the secret that it had.
    Enable(Which),
    /// List clients, the oldest first.
    List(List),
}

/// A new client.
#[derive(Args)]
pub struct Add {
    /// Whose program it is; owners of accounts read it.
    #[arg(long)]
    name: String,
    /// What it may do: some of 2fa:read, 2fa:verify, events:read, webhooks:manage, accounts:provision, in one argument
    /// with a space between two.
    #[arg(long, value_name = "SCOPES")]
    scope: ClientScopes,
    /// Let it see every account, whatever owners say; without this, each needs the consent of its owner or of you.
    #[arg(long)]
    all_accounts: bool,
    /// Whom to write to about it.
    #[arg(long, value_name = "EMAIL")]
    contact: Option<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Whose secret is exchanged.
#[derive(Args)]
pub struct Rotate {
    #[command(flatten)]
    which: Which,
    /// For how long the secret before it counts. With 0 it is dead at once, and so are its tokens: for one that leaked.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(..=31_536_000))]
    overlap: u32,
}

/// Which client is meant.
#[derive(Args)]
pub struct Which {
    /// The client's id.
    id: uuid::Uuid,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// How to list.
#[derive(Args)]
pub struct List {
    /// Answer as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

/// Runs a subcommand.
pub fn run(config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(new) => add(config, new),
        Command::Rotate(rotation) => rotate(config, &rotation),
        Command::Disable(which) => disable(config, &which),
        Command::Enable(which) => enable(config, &which),
        Command::List(list) => tell_all(config, &list),
    }
}

/// That nobody has the id.
pub fn unknown() -> Failure {
    Failure::new("there is no such client")
}

fn add(config: &Config, add: Add) -> Result<(), Failure> {
    let name = ClientName::parse(&add.name, "/name")?;
    let contact = add.contact.map(|contact| Email::parse(&contact, "/contact")).transpose()?;
    let new = NewClient { name, scopes: add.scope, sees_all: add.all_accounts, contact };
    let (id, secret) = act(config, async move |cx: &_| clients::add(cx, new).await)?;
    let sentence = format!("client {id} added; its secret, which is not shown again: {}", secret.reveal());
    tell(add.json, &json!({ "id": id, "secret": secret.reveal() }), &sentence);
    Ok(())
}

fn rotate(config: &Config, rotation: &Rotate) -> Result<(), Failure> {
    let (id, overlap) = (ClientId(rotation.which.id), rotation.overlap);
    let secret = act(config, async move |cx: &_| clients::rotate(cx, id, overlap).await)?.ok_or_else(unknown)?;
    let before = if overlap > 0 { format!("counts for {overlap} s more") } else { "is dead".to_owned() };
    let sentence = format!(
        "client {id} has another secret, which is not shown again: {}; the one before {before}",
        secret.reveal()
    );
    tell(rotation.which.json, &json!({ "id": id, "secret": secret.reveal(), "overlap": overlap }), &sentence);
    Ok(())
}

fn disable(config: &Config, which: &Which) -> Result<(), Failure> {
    let id = ClientId(which.id);
    let changed = act(config, async move |cx: &_| clients::disable(cx, id).await)?.ok_or_else(unknown)?;
    let how = if changed { "is disabled" } else { "was disabled before" };
    tell(which.json, &json!({ "id": id, "changed": changed }), &format!("client {id} {how}"));
    Ok(())
}

fn enable(config: &Config, which: &Which) -> Result<(), Failure> {
    let id = ClientId(which.id);
    let changed = act(config, async move |cx: &_| clients::enable(cx, id).await)?.ok_or_else(unknown)?;
    let how = if changed { "is enabled again" } else { "was not disabled" };
    tell(which.json, &json!({ "id": id, "changed": changed }), &format!("client {id} {how}"));
    Ok(())
}

fn tell_all(config: &Config, list: &List) -> Result<(), Failure> {
    let clients = act(config, async move |cx: &_| clients::list(cx).await)?;
    let mut out = stdout().lock();
    for client in &clients {
        let line = if list.json { object(client) } else { sentence(client) };
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn object(client: &Client) -> String {
    json!({
        "id": client.id,
        "name": client.name.as_str(),
        "scopes": client.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "all_accounts": client.sees_all,
        "contact": client.contact.as_ref().map(Email::as_str),
        "created_at": client.created_at,
        "disabled_since": client.disabled_at,
    })
    .to_string()
}

fn sentence(client: &Client) -> String {
    let whose = if client.sees_all { "every account" } else { "accounts by consent" };
    let contact = client.contact.as_ref().map(|contact| format!("  contact {}", contact.as_str())).unwrap_or_default();
    let disabled = client.disabled_at.map(|at| format!("  disabled since {at}")).unwrap_or_default();
    let Client { id, name, scopes, created_at, .. } = client;
    format!("{id}  {}  {scopes}  {whose}  added {created_at}{contact}{disabled}", name.as_str())
}
