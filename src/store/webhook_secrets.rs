//! Secrets of webhooks, sealed: the one that signs, and the one before it, which signs too for a while. Both are sealed
//! for the same cell, so that they change places as they are.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{hit_one, parsed},
    schema::webhook::dsl,
};
use crate::{
    crypto::{
        keyring::{Cell, Sealed},
        webhook_secret::WebhookSecret,
    },
    domain::{
        id::{ClientId, WebhookId},
        refusal::Fault,
    },
};
use diesel::prelude::*;
use jiff::Timestamp;

/// Webhooks that are looked at in one read, and sealed in one write.
const PAGE: i64 = 50;

/// A webhook with a secret under another key than the first.
#[derive(Clone)]
pub struct Stale {
    client: ClientId,
    webhook: WebhookId,
    secret: Sealed,
    previous: Option<Sealed>,
}

/// One step of a walk over all webhooks.
pub struct Page {
    /// Those to be sealed anew.
    pub stale: Vec<Stale>,
    /// Where the walk goes on; none at its end.
    pub next: Option<String>,
}

fn cell(client: ClientId, webhook: WebhookId) -> Cell {
    Cell { owner: client.0, thing: webhook.0, column: "webhook.secret" }
}

pub(super) fn sealed(
    tx: &mut Tx<'_>,
    client: ClientId,
    webhook: WebhookId,
    secret: &WebhookSecret,
) -> Result<Sealed, Fault> {
    tx.keys.seal(tx.random, cell(client, webhook), secret.bytes())
}

/// The secrets that sign at `now`: the present one, and the one before while that counts.
///
/// # Errors
/// `unavailable`; `unreadable` when one does not open.
pub fn live(
    db: &mut Db<'_>,
    client: ClientId,
    webhook: WebhookId,
    now: Timestamp,
) -> Result<Vec<WebhookSecret>, Fault> {
    type Row = (Vec<u8>, Option<Vec<u8>>, Option<i64>);
    let row: Option<Row> = dsl::webhook
        .filter(dsl::id.eq(webhook.to_string()))
        .select((dsl::secret, dsl::previous, dsl::previous_until))
        .fetch_one(db.conn)?;
    let Some((secret, previous, until)) = row else { return Ok(Vec::new()) };
    let previous = previous.filter(|_| until.is_some_and(|until| now.as_millisecond() < until));
    let open = |bytes: Vec<u8>| db.keys.open(cell(client, webhook), &Sealed(bytes)).map(WebhookSecret::opened);
    [Some(secret), previous].into_iter().flatten().map(open).collect()
}

/// Gives a webhook another secret. The one before signs too until `until`; what was before both is dead.
///
/// # Errors
/// `contended` when there is no such webhook.
pub fn rotate(
    tx: &mut Tx<'_>,
    client: ClientId,
    webhook: WebhookId,
    secret: &WebhookSecret,
    until: Timestamp,
) -> Result<(), Fault> {
    let fresh = sealed(tx, client, webhook, secret)?;
    let row = dsl::webhook.filter(dsl::id.eq(webhook.to_string())).filter(dsl::client_id.eq(client.to_string()));
    let rows = diesel::update(row)
        .set((
            dsl::previous.eq(dsl::secret.nullable()),
            dsl::previous_until.eq(until.as_millisecond()),
            dsl::secret.eq(fresh.0),
        ))
        .prepared()
        .execute(tx.conn)?;
    hit_one(rows, "webhook")
}

/// The webhooks after `after` that have a secret which is not under the first key.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(db: &mut Db<'_>, after: &str) -> Result<Page, Fault> {
    type Row = (String, String, Vec<u8>, Option<Vec<u8>>);
    let rows: Vec<Row> = dsl::webhook
        .filter(dsl::id.gt(after))
        .order(dsl::id)
        .limit(PAGE)
        .select((dsl::id, dsl::client_id, dsl::secret, dsl::previous))
        .load(db.conn)?;
    let next = rows.last().filter(|_| rows.len() as i64 == PAGE).map(|(id, ..)| id.clone());
    let first = db.keys.ids.sealing.first().map(String::as_str);
    let mut stale = Vec::new();
    for (id, client, secret, previous) in rows {
        let (secret, previous) = (Sealed(secret), previous.map(Sealed));
        if secret.key_id() != first || previous.as_ref().is_some_and(|previous| previous.key_id() != first) {
            stale.push(Stale { client: parsed(&client)?, webhook: parsed(&id)?, secret, previous });
        }
    }
    Ok(Page { stale, next })
}

/// Seals the secrets of these webhooks under the first key, each by compare and set; how many, and which webhooks have
/// one that no key of the file opens.
///
/// # Errors
/// `unavailable`.
pub fn reseal(tx: &mut Tx<'_>, stale: &[Stale]) -> Result<(u64, Vec<WebhookId>), Fault> {
    let (mut done, mut unreadable) = (0, Vec::new());
    for Stale { client, webhook, secret, previous } in stale {
        let fresh = |tx: &mut Tx<'_>, old: &Sealed| -> Result<Sealed, Fault> {
            let opened = tx.keys.open(cell(*client, *webhook), old)?;
            tx.keys.seal(tx.random, cell(*client, *webhook), opened.expose())
        };
        let renewed = fresh(tx, secret).and_then(|secret| {
            let previous = previous.as_ref().map(|previous| fresh(tx, previous)).transpose()?;
            Ok((secret, previous))
        });
        let (new_secret, new_previous) = match renewed {
            Ok(renewed) => renewed,
            Err(Fault::Unreadable(_)) => {
                unreadable.push(*webhook);
                continue;
            }
            Err(fault) => return Err(fault),
        };
        // A rotation moves the secret, so what lies beside it is what was read with it.
        let unmoved = dsl::webhook.filter(dsl::id.eq(webhook.to_string())).filter(dsl::secret.eq(&secret.0));
        let change = (dsl::secret.eq(new_secret.0), dsl::previous.eq(new_previous.map(|sealed| sealed.0)));
        done += diesel::update(unmoved).set(change).prepared().execute(tx.conn)? as u64;
    }
    Ok((done, unreadable))
}
