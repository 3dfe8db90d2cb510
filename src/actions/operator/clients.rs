//! What the operator does with partners' clients. A client belongs to no account, so nothing of this is in an
//! account's record, but for the consents.

use super::{Done, Whom, hold};
use crate::{
    actions::{Cx, consent},
    crypto::client_secret::ClientSecret,
    domain::{
        account::Email,
        client::{Client, ClientName, ClientScopes, Grantor},
        event::{Event, EventKind},
        id::ClientId,
        refusal::Stop,
    },
    store::clients,
};

/// A client as the command line adds it.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Whose program it is.
    pub name: ClientName,
    /// What it may do.
    pub scopes: ClientScopes,
    /// Whether it sees every account, without being asked for.
    pub sees_all: bool,
    /// Whom to write to about it.
    pub contact: Option<Email>,
}

/// What became of a consent that was withdrawn.
#[derive(Clone, Copy, Debug)]
pub struct Withdrawn {
    /// Whether there was one.
    pub changed: bool,
    /// Whether the client sees every account all the same.
    pub sees_all: bool,
}

/// Adds a client; its secret is shown now and never again.
///
/// # Errors
/// `unavailable`.
pub async fn add(cx: &Cx, new: NewClient) -> Result<(ClientId, ClientSecret), Stop> {
    let (id, secret) = (cx.random.id(cx.now)?, ClientSecret::draw(cx.random)?);
    let NewClient { name, scopes, sees_all, contact } = new;
    let client = Client { id, name, scopes, sees_all, contact, created_at: cx.now, disabled_at: None, epoch: 0 };
    let kept = secret.clone();
    cx.store.write("add-client", move |tx| Ok(clients::insert(tx, &client, &kept)?)).await?;
    Ok((id, secret))
}

/// Gives a client another secret; the one before counts for `overlap` seconds more. Without an overlap, its tokens are
/// refused at once, too. `None` where there is no such client.
///
/// # Errors
/// `unavailable`.
pub async fn rotate(cx: &Cx, id: ClientId, overlap: u32) -> Result<Option<ClientSecret>, Stop> {
    let secret = ClientSecret::draw(cx.random)?;
    let (kept, until) = (secret.clone(), (overlap > 0).then(|| cx.in_seconds(overlap)));
    let write = cx.store.write("rotate-client", move |tx| {
        if clients::by_id(tx, id)?.is_none() {
            return Ok(None);
        }
        Ok(Some(clients::rotate(tx, id, &kept, until)?))
    });
    Ok(write.await?.map(|()| secret))
}

/// Disables a client: its secret and its tokens are refused from now on. `false` where it was disabled before, `None`
/// where there is no such client.
///
/// # Errors
/// `unavailable`.
pub async fn disable(cx: &Cx, id: ClientId) -> Result<Option<bool>, Stop> {
    let now = cx.now;
    let write = cx.store.write("disable-client", move |tx| {
        if clients::by_id(tx, id)?.is_none() {
            return Ok(None);
        }
        Ok(Some(clients::disable(tx, id, now)?))
    });
    write.await
}

/// Lets a disabled client be used again, by the secret that it had; tokens from before stay dead. `false` where it was
/// not disabled, `None` where there is no such client.
///
/// # Errors
/// `unavailable`.
pub async fn enable(cx: &Cx, id: ClientId) -> Result<Option<bool>, Stop> {
    let write = cx.store.write("enable-client", move |tx| {
        if clients::by_id(tx, id)?.is_none() {
            return Ok(None);
        }
        Ok(Some(clients::enable(tx, id)?))
    });
    write.await
}

/// All clients, the oldest first.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn list(cx: &Cx) -> Result<Vec<Client>, Stop> {
    cx.store.read("clients", |db| Ok(clients::all(db)?)).await
}

/// Lets a client see an account; `false` where it was let before. `None` where there is no such client.
///
/// # Errors
/// `not-found` when there is no such account.
pub async fn allow(cx: &Cx, whom: Whom, id: ClientId) -> Result<Option<Done<bool>>, Stop> {
    let allowing = cx.clone();
    cx.store
        .write("allow-partner", move |tx| {
            let mut account = hold(tx, &whom)?;
            let Some(client) = clients::by_id(tx, id)? else { return Ok(None) };
            let event = Event::of_system(EventKind::PartnerAllowed);
            let what = consent::allow(tx, &allowing, &mut account, &client, Grantor::Operator, event)?;
            Ok(Some(Done { id: account.id, what }))
        })
        .await
}

/// Takes back that a client may see an account. `None` where there is no such client.
///
/// # Errors
/// `not-found` when there is no such account.
pub async fn refuse(cx: &Cx, whom: Whom, id: ClientId) -> Result<Option<Done<Withdrawn>>, Stop> {
    let refusing = cx.clone();
    cx.store
        .write("refuse-partner", move |tx| {
            let mut account = hold(tx, &whom)?;
            let Some(client) = clients::by_id(tx, id)? else { return Ok(None) };
            let event = Event::of_system(EventKind::PartnerRefused);
            let changed = consent::refuse(tx, &refusing, &mut account, &client, event)?;
            Ok(Some(Done { id: account.id, what: Withdrawn { changed, sees_all: client.sees_all } }))
        })
        .await
}
