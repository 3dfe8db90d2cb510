//! What a webhook was sent, and sending it again.

use super::{PartnerCall, entrance};
use crate::{
    domain::{
        client::ClientScope,
        delivery::{State, Target},
        id::WebhookId,
        refusal::{Limit, Refusal, Stop},
    },
    store::{
        Tx,
        delivery_log::{self, Entry},
        webhooks,
    },
};

/// A delivery is sent again so many seconds after it was sent last, and not earlier.
const REPLAY_AFTER: u32 = 60;

/// Some of the deliveries to a webhook, the newest first.
pub struct Page {
    /// The deliveries.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<i64>,
}

/// Reads at most `limit` deliveries, those before `cursor` and in `state` where these are given.
///
/// # Errors
/// Those of [`entrance::recognise`], `not-found`.
pub async fn deliveries(
    call: &PartnerCall,
    id: WebhookId,
    cursor: Option<i64>,
    state: Option<State>,
    limit: u8,
) -> Result<Page, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("webhook-deliveries", move |db| {
            let client = entrance::recognise(db, &asked, ClientScope::ManageWebhooks)?;
            webhooks::find(db, client.id, id)?.ok_or(Refusal::NotFound)?;
            // One more than asked for tells whether there is another page.
            let mut entries = delivery_log::page(db, Target::Webhook(id), cursor, state, i64::from(limit) + 1)?;
            let is_more = entries.len() > usize::from(limit);
            entries.truncate(usize::from(limit));
            let next_cursor = entries.last().map(|entry| entry.n).filter(|_| is_more);
            Ok(Page { entries, next_cursor })
        })
        .await
}

/// Has a delivery made again, whether it was taken or given up; under the same id, so that whoever has it already knows
/// it. One that waits is made now, and goes on from there if it fails.
///
/// # Errors
/// Those of [`entrance::recognise`], `not-found`, `webhook-disabled`; `too-many-attempts` when it was made within the
/// last minute, so that nobody has somebody else's machine flooded by us.
pub async fn replay(call: &PartnerCall, id: WebhookId, n: i64) -> Result<(), Stop> {
    let asked = call.clone();
    let replay = move |tx: &mut Tx<'_>| {
        let client = entrance::recognise(tx, &asked, ClientScope::ManageWebhooks)?;
        let webhook = webhooks::find(tx, client.id, id)?.ok_or(Refusal::NotFound)?;
        let (state, ended_at) = delivery_log::find(tx, Target::Webhook(id), n)?.ok_or(Refusal::NotFound)?;
        if webhook.disabled.is_some() {
            return Err(Refusal::WebhookDisabled.into());
        }
        let now = asked.cx.now;
        let age = ended_at.map_or(i64::MAX, |at| now.as_second() - at.as_second());
        let wait = u32::try_from(i64::from(REPLAY_AFTER).saturating_sub(age)).unwrap_or_default();
        if state == State::Delivered && wait > 0 {
            let limit = Limit { policy: "webhook-replay", quota: 1, window: REPLAY_AFTER, retry_after: wait };
            return Err(Refusal::TooManyAttempts(limit).into());
        }
        match state {
            State::Waiting => delivery_log::hasten(tx, Target::Webhook(id), n, now)?,
            State::Delivered | State::Dead => delivery_log::replay(tx, Target::Webhook(id), n, now)?,
        }
        Ok(())
    };
    call.cx.store.write("replay", replay).await
}
