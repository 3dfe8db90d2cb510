//! `account allow-partner` and `refuse-partner`: which partners' clients see an account.

use super::tell;
use crate::{
    actions::operator::{Whom, clients},
    cli::{Failure, act, client::unknown},
    config::Config,
    domain::{account::Email, id::ClientId},
};
use clap::Args;
use serde_json::json;

/// Whose account, and which client.
#[derive(Args)]
pub struct Partner {
    /// The account's address.
    email: String,
    /// The client's id.
    client: uuid::Uuid,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Lets a client see an account.
pub fn allow(config: &Config, partner: Partner) -> Result<(), Failure> {
    let (whom, client) = (Whom::Email(Email::parse(&partner.email, "/email")?), ClientId(partner.client));
    let done = act(config, async move |cx: &_| clients::allow(cx, whom, client).await)?.ok_or_else(unknown)?;
    let how = if done.what { "" } else { ", as it did before" };
    let sentence = format!("client {client} sees account {}{how}", done.id);
    tell(partner.json, &json!({ "id": done.id, "changed": done.what }), &sentence);
    Ok(())
}

/// Lets a client see an account no more.
pub fn refuse(config: &Config, partner: Partner) -> Result<(), Failure> {
    let (whom, client) = (Whom::Email(Email::parse(&partner.email, "/email")?), ClientId(partner.client));
    let done = act(config, async move |cx: &_| clients::refuse(cx, whom, client).await)?.ok_or_else(unknown)?;
    let (id, seen) = (done.id, done.what);
    let sentence = match (seen.sees_all, seen.changed) {
        (true, _) => format!("client {client} sees every account, so it sees account {id} all the same"),
        (false, true) => format!("client {client} sees account {id} no more"),
        (false, false) => format!("client {client} did not see account {id}"),
    };
    tell(partner.json, &json!({ "id": id, "changed": seen.changed }), &sentence);
    Ok(())
}
