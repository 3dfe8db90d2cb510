//! The webhooks of a client: where it wants to be told, and with which secret. Another client's is not there.

use super::{PartnerCall, entrance};
use crate::{
    actions::egress::{self, Unreachable},
    crypto::webhook_secret::WebhookSecret,
    domain::{
        client::{Client, ClientScope},
        id::WebhookId,
        refusal::{Refusal, Rule, Stop},
        webhook::{Description, Kinds, MAX_WEBHOOKS, Webhook, WebhookUrl},
    },
    store::{Tx, clients, webhook_secrets, webhooks},
};
use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::Semaphore;

pub use crate::store::webhooks::Edit;

/// Whoever adds a webhook waits for so long for its name to be found.
const LOOK_UP: Duration = Duration::from_secs(3);
/// Names are looked up so many at once; more are taken as they are, since every connection is checked anyway.
static LOOK_UPS: Semaphore = Semaphore::const_new(4);

/// What a client asks for.
#[derive(Clone, Debug)]
pub struct New {
    /// Where it is.
    pub url: WebhookUrl,
    /// What it is told.
    pub kinds: Kinds,
    /// What it is called.
    pub description: Option<Description>,
}

/// A secret was exchanged. It has no `Debug` and is never stored in the open.
pub struct Rotated {
    /// The new one.
    pub secret: WebhookSecret,
    /// Until when the one before signs too.
    pub previous_until: Timestamp,
}

/// Adds a webhook; its secret is told now and never again.
///
/// # Errors
/// Those of [`entrance::recognise`], `validation-failed`, `too-many-webhooks`.
pub async fn add(call: &PartnerCall, new: New) -> Result<(Webhook, WebhookSecret), Stop> {
    require_public(call, &new.url).await?;
    let (asked, secret) = (call.clone(), WebhookSecret::draw(call.cx.random)?);
    let webhook = Webhook {
        id: call.cx.random.id(call.cx.now)?,
        client: call.holder.client,
        url: new.url,
        kinds: new.kinds,
        description: new.description,
        created_at: call.cx.now,
        disabled: None,
        failing_since: None,
        previous_until: None,
    };
    let insert = move |tx: &mut Tx<'_>| {
        let client = enter(tx, &asked)?;
        if webhooks::of_client(tx, client.id)?.len() >= MAX_WEBHOOKS {
            return Err(Refusal::TooManyWebhooks.into());
        }
        webhooks::insert(tx, &webhook, &secret)?;
        Ok((webhook.clone(), secret.clone()))
    };
    let (webhook, secret) = call.cx.store.write("add-webhook", insert).await?;
    tell("added", &webhook);
    Ok((webhook, secret))
}

/// All webhooks of a client, the oldest first.
///
/// # Errors
/// Those of [`entrance::recognise`].
pub async fn all(call: &PartnerCall) -> Result<Vec<Webhook>, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("list-webhooks", move |db| {
            let client = entrance::recognise(db, &asked, ClientScope::ManageWebhooks)?;
            Ok(webhooks::of_client(db, client.id)?)
        })
        .await
}

/// One webhook.
///
/// # Errors
/// Those of [`entrance::recognise`], `not-found`.
pub async fn one(call: &PartnerCall, id: WebhookId) -> Result<Webhook, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("webhook", move |db| {
            let client = entrance::recognise(db, &asked, ClientScope::ManageWebhooks)?;
            Ok(webhooks::find(db, client.id, id)?.ok_or(Refusal::NotFound)?)
        })
        .await
}

/// Changes a webhook. What waits for it goes to where it is by then.
///
/// # Errors
/// Those of [`entrance::recognise`], `not-found`, `validation-failed`.
pub async fn edit(call: &PartnerCall, id: WebhookId, edit: Edit) -> Result<Webhook, Stop> {
    one(call, id).await?;
    if let Some(url) = &edit.url {
        require_public(call, url).await?;
    }
    let asked = call.clone();
    let change = move |tx: &mut Tx<'_>| {
        let client = enter(tx, &asked)?;
        let before = webhooks::find(tx, client.id, id)?.ok_or(Refusal::NotFound)?;
        webhooks::edit(tx, &before, &edit, asked.cx.now)?;
        Ok(webhooks::find(tx, client.id, id)?.ok_or(Refusal::NotFound)?)
    };
    let webhook = call.cx.store.write("edit-webhook", change).await?;
    tell("changed", &webhook);
    Ok(webhook)
}

/// Deletes a webhook; what waits for it is given up.
///
/// # Errors
/// Those of [`entrance::recognise`], `not-found`.
pub async fn delete(call: &PartnerCall, id: WebhookId) -> Result<(), Stop> {
    let asked = call.clone();
    let delete = move |tx: &mut Tx<'_>| {
        let client = enter(tx, &asked)?;
        if webhooks::delete(tx, client.id, id)? { Ok(()) } else { Err(Refusal::NotFound.into()) }
    };
    call.cx.store.write("delete-webhook", delete).await?;
    log::info!(client:% = call.holder.client, webhook:% = id; "a webhook was deleted");
    Ok(())
}

/// Gives a webhook another secret, told now and never again; the one before signs too for a while.
///
/// # Errors
/// Those of [`entrance::recognise`], `not-found`.
pub async fn rotate(call: &PartnerCall, id: WebhookId) -> Result<Rotated, Stop> {
    let (asked, secret) = (call.clone(), WebhookSecret::draw(call.cx.random)?);
    let previous_until = call.cx.in_seconds(call.cx.policy.webhook_overlap);
    let rotate = move |tx: &mut Tx<'_>| {
        let client = enter(tx, &asked)?;
        let webhook = webhooks::find(tx, client.id, id)?.ok_or(Refusal::NotFound)?;
        webhook_secrets::rotate(tx, client.id, id, &secret, previous_until)?;
        Ok((webhook, secret.clone()))
    };
    let (webhook, secret) = call.cx.store.write("rotate-webhook", rotate).await?;
    tell("given another secret", &webhook);
    Ok(Rotated { secret, previous_until })
}

/// Enters a change: holds the client, so that its webhooks are counted by one at a time.
fn enter(tx: &mut Tx<'_>, call: &PartnerCall) -> Result<Client, Stop> {
    clients::lock(tx, call.holder.client)?;
    entrance::recognise(tx, call, ClientScope::ManageWebhooks)
}

/// That a name stands for public addresses alone. One that nobody knows today may be known tomorrow; it is looked up
/// again at every connection.
async fn require_public(call: &PartnerCall, url: &WebhookUrl) -> Result<(), Stop> {
    let Some(name) = url.name().map(str::to_owned) else { return Ok(()) };
    // A name server that hangs holds a thread for longer than we wait for it, and requests need those threads.
    let Ok(permit) = LOOK_UPS.try_acquire() else { return Ok(()) };
    let egress = call.cx.egress;
    let looking = tokio::spawn(async move {
        let found = egress::addresses(egress, &name).await;
        drop(permit);
        found
    });
    match tokio::time::timeout(LOOK_UP, looking).await {
        Ok(Ok(Err(Unreachable::NotPublic(_)))) => Err(Rule::WebhookUrl.at("/url").into()),
        _ => Ok(()),
    }
}

fn tell(what: &str, webhook: &Webhook) {
    log::info!(client:% = webhook.client, webhook:% = webhook.id; "a webhook was {what}");
}
