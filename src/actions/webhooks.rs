//! What webhooks have to do with deliveries: who is told what, what is sent, and what follows from how it went.

use super::Rooms;
use crate::{
    crypto::webhook_secret::WebhookSecret,
    domain::{
        announcement::Announcement,
        delivery::{Attempt, Parcel, Target},
        event::EventKind,
        id::{ClientId, WebhookId},
        refusal::{Fault, Stop},
        webhook::{Because, FAILING_MAX, WebhookUrl},
    },
    store::{
        Db, Tx, consents, deliveries, delivery_log, webhook_secrets,
        webhooks::{self, InService},
    },
};
use jiff::Timestamp;
use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

/// The webhooks in service, read once a transaction, and only where partners are told something.
#[derive(Default)]
pub struct Receivers(OnceCell<Vec<InService>>);

impl Receivers {
    /// Those that are to be told: their kinds hold it, and their client sees the account.
    ///
    /// # Errors
    /// `unavailable`, `unreadable`.
    pub fn of(&self, tx: &mut Tx<'_>, announcement: &Announcement) -> Result<Vec<Target>, Fault> {
        if !announcement.kind.is_for_partners() {
            return Ok(Vec::new());
        }
        let known = match self.0.get() {
            Some(known) => known,
            None => {
                let read = webhooks::in_service(tx)?;
                self.0.get_or_init(|| read)
            }
        };
        let mut targets = Vec::new();
        for webhook in known.iter().filter(|webhook| webhook.kinds.hold(announcement.kind)) {
            if is_told(tx, announcement, webhook.client, webhook.sees_all)? {
                targets.push(Target::Webhook(webhook.id));
            }
        }
        Ok(targets)
    }
}

fn is_told(db: &mut Db<'_>, announcement: &Announcement, client: ClientId, sees_all: bool) -> Result<bool, Fault> {
    Ok(match announcement.kind {
        // That a client sees the account no more is told to it though it does not, and to nobody else.
        kind if kind.is_of_consent() => announcement.names(client),
        _ if sees_all => true,
        // Consents went with the account: whoever had one then is told of its end.
        EventKind::AccountDeleted => announcement.facts.seen_by.contains(&client),
        _ => consents::find(db, announcement.account, client)?.is_some(),
    })
}

/// What an attempt needs to know.
pub struct Posting {
    /// Where it goes.
    pub url: WebhookUrl,
    /// What it is signed with, each by itself.
    pub secrets: Vec<WebhookSecret>,
}

/// Looks, immediately before an attempt, whether the receiver may still be told, and how.
///
/// # Errors
/// `unavailable`; `unreadable` when a secret does not open. The inner error says why it is not told.
pub async fn posting(
    rooms: &Rooms,
    webhook: WebhookId,
    parcel: &Parcel,
) -> Result<Result<Posting, &'static str>, Stop> {
    let now = rooms.clock.now()?;
    let announcement = parcel.announcement.clone();
    let look = move |db: &mut Db<'_>| {
        if announcement.recipient.is_none() && announcement.kind != EventKind::AccountDeleted {
            return Ok(Err("the account was deleted"));
        }
        let Some((webhook, sees_all)) = webhooks::one_in_service(db, webhook)? else {
            return Ok(Err("the webhook is disabled"));
        };
        if !is_told(db, &announcement, webhook.client, sees_all)? {
            return Ok(Err("the client sees the account no more"));
        }
        let secrets = webhook_secrets::live(db, webhook.client, webhook.id, now)?;
        Ok(Ok(Posting { url: webhook.url, secrets }))
    };
    rooms.store.read("posting", look).await
}

/// The webhooks that there is something to send to.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn targets(rooms: &Rooms) -> Result<Vec<Target>, Stop> {
    let known = rooms.store.read("webhooks", |db| Ok(webhooks::in_service(db)?)).await?;
    Ok(known.into_iter().map(|webhook| Target::Webhook(webhook.id)).collect())
}

/// Notes with the webhooks how attempts came out. Returns those that are given up by it, and why.
///
/// # Errors
/// `unavailable`.
pub fn note(tx: &mut Tx<'_>, done: &[(Parcel, Attempt)], now: Timestamp) -> Result<Vec<(WebhookId, Because)>, Fault> {
    let mut took: BTreeMap<WebhookId, bool> = BTreeMap::new();
    let (mut given_up, mut withdrawn) = (Vec::new(), BTreeSet::new());
    for (parcel, attempt) in done {
        let Target::Webhook(id) = parcel.target else { continue };
        match attempt {
            Attempt::Taken(_) => drop(took.insert(id, true)),
            Attempt::Failed { .. } | Attempt::Postponed { .. } => drop(took.insert(id, false)),
            // That nobody is at an address which is another one by now says nothing of that one.
            Attempt::Gone(url) if webhooks::disable_at(tx, id, url, now)? => given_up.push((id, Because::Gone)),
            Attempt::Withdrawn(_) => drop(withdrawn.insert(id)),
            Attempt::Gone(_) | Attempt::Unsent(_) => {}
        }
    }
    let since = now.checked_sub(FAILING_MAX).unwrap_or(Timestamp::MIN);
    for (id, took) in took {
        if took {
            webhooks::took(tx, id)?;
        } else {
            webhooks::failed(tx, id, now)?;
            if webhooks::is_failing_since(tx, id, since)? && webhooks::disable(tx, id, now)? {
                given_up.push((id, Because::Failing));
            }
        }
    }
    for id in withdrawn {
        // Where nothing is left to be told, nobody can go on failing to take it.
        if !deliveries::is_waiting(tx, Target::Webhook(id))? {
            webhooks::took(tx, id)?;
        }
    }
    Ok(given_up)
}

/// Gives up some of what waits for webhooks that are told nothing any more; whether there may be more.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn tidy(rooms: &Rooms) -> Result<bool, Stop> {
    let now = rooms.clock.now()?;
    let orphan = |db: &mut Db<'_>| {
        let mut after = String::new();
        while let Some(target) = delivery_log::next_waiting(db, &after)? {
            match target {
                Target::Webhook(id) if !webhooks::is_in_service(db, id)? => return Ok(Some((target, id))),
                _ => after = target.to_string(),
            }
        }
        Ok(None)
    };
    let Some((target, id)) = rooms.store.read("orphans", orphan).await? else { return Ok(false) };
    let give_up = move |tx: &mut Tx<'_>| {
        // It may have been enabled meanwhile.
        if webhooks::is_in_service(tx, id)? {
            return Ok(true);
        }
        Ok(delivery_log::give_up(tx, target, "the webhook is disabled", now)?)
    };
    rooms.store.write("give-up", give_up).await?;
    Ok(true)
}
