//! What webhooks have to do with deliveries: who is told what, what is sent, and what follows from how it went.

use super::Rooms;
use crate::{
    crypto::webhook_secret::WebhookSecret,
    domain::{
        announcement::Announcement,
        delivery::{Attempt, Parcel, Target},
        event::EventKind,
        id::WebhookId,
        refusal::{Fault, Stop},
        webhook::{Because, FAILING_MAX, Webhook, WebhookUrl},
    },
    store::{Db, Tx, consents, delivery_log, webhook_secrets, webhooks},
};
use jiff::Timestamp;
use std::{cell::OnceCell, collections::BTreeMap};

/// The webhooks in service, read once a transaction, and only where partners are told something.
#[derive(Default)]
pub struct Receivers(OnceCell<Vec<(Webhook, bool)>>);

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
        for (webhook, sees_all) in known.iter().filter(|(webhook, _)| webhook.kinds.hold(announcement.kind)) {
            let target = Target::Webhook(webhook.id);
            let sees = *sees_all
                || match announcement.kind {
                    // Consents went with the account: whoever was told of it is told of its end.
                    EventKind::AccountDeleted => delivery_log::told_of(tx, announcement.account)?.contains(&target),
                    _ => consents::find(tx, announcement.account, webhook.client)?.is_some(),
                };
            if sees {
                targets.push(target);
            }
        }
        Ok(targets)
    }
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
    let (account, kind) = (parcel.announcement.account, parcel.announcement.kind);
    let is_erased = parcel.announcement.recipient.is_none();
    let look = move |db: &mut Db<'_>| {
        if is_erased && kind != EventKind::AccountDeleted {
            return Ok(Err("the account was deleted"));
        }
        let Some((webhook, sees_all)) = webhooks::one_in_service(db, webhook)? else {
            return Ok(Err("the webhook is disabled"));
        };
        let sees =
            sees_all || kind == EventKind::AccountDeleted || consents::find(db, account, webhook.client)?.is_some();
        if !sees {
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
    Ok(known.into_iter().map(|(webhook, _)| Target::Webhook(webhook.id)).collect())
}

/// Notes with the webhooks how attempts came out. Returns those that are given up by it, and why.
///
/// # Errors
/// `unavailable`.
pub fn note(tx: &mut Tx<'_>, done: &[(Parcel, Attempt)], now: Timestamp) -> Result<Vec<(WebhookId, Because)>, Fault> {
    let mut last: BTreeMap<WebhookId, (bool, bool)> = BTreeMap::new();
    for (parcel, attempt) in done {
        let Target::Webhook(id) = parcel.target else { continue };
        let (took, is_gone) = match attempt {
            Attempt::Taken(_) => (true, false),
            Attempt::Failed { status, .. } => (false, *status == Some(410)),
            Attempt::Postponed { .. } => (false, false),
            Attempt::Withdrawn(_) => continue,
        };
        let was_gone = last.get(&id).is_some_and(|(_, is_gone)| *is_gone);
        last.insert(id, (took, is_gone || was_gone));
    }
    let mut given_up = Vec::new();
    for (id, (took, is_gone)) in last {
        let because = if is_gone {
            Some(Because::Gone)
        } else if took {
            webhooks::took(tx, id)?;
            None
        } else {
            webhooks::failed(tx, id, now)?;
            let since = now.checked_sub(FAILING_MAX).unwrap_or(Timestamp::MIN);
            webhooks::is_failing_since(tx, id, since)?.then_some(Because::Failing)
        };
        if let Some(because) = because
            && webhooks::disable(tx, id, because, now)?
        {
            given_up.push((id, because));
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
                Target::Webhook(id) if webhooks::one_in_service(db, id)?.is_none() => return Ok(Some((target, id))),
                _ => after = target.to_string(),
            }
        }
        Ok(None)
    };
    let Some((target, id)) = rooms.store.read("orphans", orphan).await? else { return Ok(false) };
    let give_up = move |tx: &mut Tx<'_>| {
        // It may have been enabled meanwhile.
        if webhooks::one_in_service(tx, id)?.is_some() {
            return Ok(true);
        }
        Ok(delivery_log::give_up(tx, target, "the webhook is disabled", now)?)
    };
    rooms.store.write("give-up", give_up).await?;
    Ok(true)
}
