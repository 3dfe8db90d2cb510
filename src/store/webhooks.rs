//! Webhooks: where they are, what they are told, and how it goes. Their secrets are in `webhook_secrets.rs`.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{hit_one, moment, moment_or_none, parsed, parsed_or_none},
    schema::{
        client,
        webhook::{self, dsl},
    },
    webhook_secrets,
};
use crate::{
    crypto::webhook_secret::WebhookSecret,
    domain::{
        id::{ClientId, WebhookId},
        refusal::Fault,
        webhook::{Because, Description, Kinds, Webhook, WebhookUrl},
    },
};
use diesel::prelude::*;
use jiff::Timestamp;

type Columns = (
    dsl::id,
    dsl::client_id,
    dsl::url,
    dsl::kinds,
    dsl::description,
    dsl::previous_until,
    dsl::created_at,
    dsl::disabled_at,
    dsl::disabled_because,
    dsl::failing_since,
);

/// All of them but the secrets.
const COLUMNS: Columns = (
    dsl::id,
    dsl::client_id,
    dsl::url,
    dsl::kinds,
    dsl::description,
    dsl::previous_until,
    dsl::created_at,
    dsl::disabled_at,
    dsl::disabled_because,
    dsl::failing_since,
);

#[derive(Queryable)]
struct Row {
    id: String,
    client_id: String,
    url: String,
    kinds: Option<String>,
    description: Option<String>,
    previous_until: Option<i64>,
    created_at: i64,
    disabled_at: Option<i64>,
    disabled_because: Option<String>,
    failing_since: Option<i64>,
}

impl TryFrom<Row> for Webhook {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        let unreadable = |what: &str| Fault::Unreadable(format!("{what} of webhook {}", row.id));
        let description = row.description.as_deref().map(|text| Description::parse(text, "")).transpose();
        let because = parsed_or_none(row.disabled_because.as_deref())?;
        Ok(Self {
            id: parsed(&row.id)?,
            client: parsed(&row.client_id)?,
            url: WebhookUrl::stored(&row.url).ok_or_else(|| unreadable("address"))?,
            kinds: parsed_or_none(row.kinds.as_deref())?.unwrap_or(Kinds::ALL),
            description: description.map_err(|_| unreadable("description"))?,
            created_at: moment(row.created_at)?,
            disabled: moment_or_none(row.disabled_at)?.zip(because),
            failing_since: moment_or_none(row.failing_since)?,
            previous_until: moment_or_none(row.previous_until)?,
        })
    }
}

/// What a client changes of a webhook; what is not there stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Another address.
    pub url: Option<WebhookUrl>,
    /// Other kinds.
    pub kinds: Option<Kinds>,
    /// Another description, or none.
    pub description: Option<Option<Description>>,
    /// Whether it is told.
    pub enabled: Option<bool>,
}

fn kinds_column(kinds: &Kinds) -> Option<String> {
    kinds.named().map(|_| kinds.to_string())
}

/// Adds a webhook.
///
/// # Errors
/// `unavailable`.
pub fn insert(tx: &mut Tx<'_>, webhook: &Webhook, secret: &WebhookSecret) -> Result<(), Fault> {
    let row = (
        dsl::id.eq(webhook.id.to_string()),
        dsl::client_id.eq(webhook.client.to_string()),
        dsl::url.eq(webhook.url.as_str()),
        dsl::kinds.eq(kinds_column(&webhook.kinds)),
        dsl::description.eq(webhook.description.as_ref().map(Description::as_str)),
        dsl::secret.eq(webhook_secrets::sealed(tx, webhook.client, webhook.id, secret)?.0),
        dsl::created_at.eq(webhook.created_at.as_millisecond()),
    );
    diesel::insert_into(webhook::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// One webhook of a client.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find(db: &mut Db<'_>, client: ClientId, id: WebhookId) -> Result<Option<Webhook>, Fault> {
    let row: Option<Row> = dsl::webhook
        .filter(dsl::id.eq(id.to_string()))
        .filter(dsl::client_id.eq(client.to_string()))
        .select(COLUMNS)
        .fetch_one(db.conn)?;
    row.map(Webhook::try_from).transpose()
}

/// All webhooks of a client, the oldest first.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn of_client(db: &mut Db<'_>, client: ClientId) -> Result<Vec<Webhook>, Fault> {
    let rows: Vec<Row> =
        dsl::webhook.filter(dsl::client_id.eq(client.to_string())).order(dsl::id).select(COLUMNS).fetch(db.conn)?;
    rows.into_iter().map(Webhook::try_from).collect()
}

/// A webhook as those see it who decide what it is told.
#[derive(Clone, Debug)]
pub struct InService {
    /// Its id.
    pub id: WebhookId,
    /// Whose it is.
    pub client: ClientId,
    /// What it is told.
    pub kinds: Kinds,
    /// Whether its client sees every account.
    pub sees_all: bool,
}

/// Whoever may be told something: the webhooks that are enabled, of clients that are. A row that cannot be read holds
/// up nobody else: where it does not say what it is to be told, that is everything, so that it misses nothing until it
/// can be read.
///
/// # Errors
/// `unavailable`.
pub fn in_service(db: &mut Db<'_>) -> Result<Vec<InService>, Fault> {
    type Row = (String, String, Option<String>, i64);
    let rows: Vec<Row> = dsl::webhook
        .inner_join(client::table)
        .filter(dsl::disabled_at.is_null())
        .filter(client::disabled_at.is_null())
        .order(dsl::id)
        .select((dsl::id, dsl::client_id, dsl::kinds, client::sees_all))
        .fetch(db.conn)?;
    let read = |(id, client, kinds, sees_all): Row| match (parsed(&id), parsed(&client)) {
        (Ok(id), Ok(client)) => {
            let kinds = parsed_or_none(kinds.as_deref()).unwrap_or_else(|fault| {
                log::error!(webhook:% = id; "told everything: {fault}");
                None
            });
            Some(InService { id, client, kinds: kinds.unwrap_or(Kinds::ALL), sees_all: sees_all != 0 })
        }
        _ => {
            log::error!("told nothing: webhook {id:?} of client {client:?} cannot be named");
            None
        }
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Whether a webhook may be told something, whatever else its row says.
///
/// # Errors
/// `unavailable`.
pub fn is_in_service(db: &mut Db<'_>, id: WebhookId) -> Result<bool, Fault> {
    let row: Option<String> = dsl::webhook
        .inner_join(client::table)
        .filter(dsl::id.eq(id.to_string()))
        .filter(dsl::disabled_at.is_null())
        .filter(client::disabled_at.is_null())
        .select(dsl::id)
        .fetch_one(db.conn)?;
    Ok(row.is_some())
}

/// A webhook that may be told something, and whether its client sees every account; `None` once it is disabled, or its
/// client is, or it is gone.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn one_in_service(db: &mut Db<'_>, id: WebhookId) -> Result<Option<(Webhook, bool)>, Fault> {
    let row: Option<(Row, i64)> = dsl::webhook
        .inner_join(client::table)
        .filter(dsl::id.eq(id.to_string()))
        .filter(dsl::disabled_at.is_null())
        .filter(client::disabled_at.is_null())
        .select((COLUMNS, client::sees_all))
        .fetch_one(db.conn)?;
    row.map(|(row, sees_all)| Ok((row.try_into()?, sees_all != 0))).transpose()
}

/// Changes a webhook that is held with its client. One that is enabled begins anew: how it went before is forgotten.
///
/// # Errors
/// `contended` when it is gone.
pub fn edit(tx: &mut Tx<'_>, before: &Webhook, edit: &Edit, now: Timestamp) -> Result<(), Fault> {
    let url = edit.url.as_ref().unwrap_or(&before.url);
    let kinds = edit.kinds.as_ref().unwrap_or(&before.kinds);
    let description = edit.description.as_ref().unwrap_or(&before.description);
    let disabled = match edit.enabled {
        Some(true) => None,
        Some(false) => before.disabled.or(Some((now, Because::Asked))),
        None => before.disabled,
    };
    let failing = before.failing_since.filter(|_| edit.enabled != Some(true) && edit.url.is_none());
    let row = dsl::webhook.filter(dsl::id.eq(before.id.to_string()));
    let rows = diesel::update(row)
        .set((
            dsl::url.eq(url.as_str()),
            dsl::kinds.eq(kinds_column(kinds)),
            dsl::description.eq(description.as_ref().map(Description::as_str)),
            dsl::disabled_at.eq(disabled.map(|(at, _)| at.as_millisecond())),
            dsl::disabled_because.eq(disabled.map(|(_, because)| because.as_str())),
            dsl::failing_since.eq(failing.map(Timestamp::as_millisecond)),
        ))
        .prepared()
        .execute(tx.conn)?;
    hit_one(rows, "webhook")?;
    if disabled.is_none() {
        let row = dsl::webhook.filter(dsl::id.eq(before.id.to_string()));
        diesel::update(row).set(dsl::notice_due_at.eq(None::<i64>)).prepared().execute(tx.conn)?;
    }
    Ok(())
}

/// Deletes a webhook; `false` where there was none.
///
/// # Errors
/// `unavailable`.
pub fn delete(tx: &mut Tx<'_>, client: ClientId, id: WebhookId) -> Result<bool, Fault> {
    let row = dsl::webhook.filter(dsl::id.eq(id.to_string())).filter(dsl::client_id.eq(client.to_string()));
    Ok(diesel::delete(row).prepared().execute(tx.conn)? == 1)
}

/// Notes that a webhook took something, or has nothing left to take.
///
/// # Errors
/// `unavailable`.
pub fn took(tx: &mut Tx<'_>, id: WebhookId) -> Result<(), Fault> {
    let failing = dsl::webhook.filter(dsl::id.eq(id.to_string())).filter(dsl::failing_since.is_not_null());
    diesel::update(failing).set(dsl::failing_since.eq(None::<i64>)).prepared().execute(tx.conn)?;
    Ok(())
}

/// Notes that a webhook did not take something.
///
/// # Errors
/// `unavailable`.
pub fn failed(tx: &mut Tx<'_>, id: WebhookId, now: Timestamp) -> Result<(), Fault> {
    let well = dsl::webhook.filter(dsl::id.eq(id.to_string())).filter(dsl::failing_since.is_null());
    diesel::update(well).set(dsl::failing_since.eq(now.as_millisecond())).prepared().execute(tx.conn)?;
    Ok(())
}

/// What is said of a webhook that we disable: its client's contact is to be told.
#[diesel::dsl::auto_type]
fn disabling(because: Because, now: Timestamp) -> _ {
    let because: &'static str = because.as_str();
    let now: i64 = now.as_millisecond();
    (dsl::disabled_at.eq(now), dsl::disabled_because.eq(because), dsl::notice_due_at.eq(now))
}

/// Disables a webhook that takes nothing; `false` where it was disabled before.
///
/// # Errors
/// `unavailable`.
pub fn disable(tx: &mut Tx<'_>, id: WebhookId, now: Timestamp) -> Result<bool, Fault> {
    let enabled = dsl::webhook.filter(dsl::id.eq(id.to_string())).filter(dsl::disabled_at.is_null());
    let change = disabling(Because::Failing, now);
    Ok(diesel::update(enabled).set(change).prepared().execute(tx.conn)? == 1)
}

/// Disables a webhook at whose address nobody is any more; `false` where it was disabled before, or is at another one.
///
/// # Errors
/// `unavailable`.
pub fn disable_at(tx: &mut Tx<'_>, id: WebhookId, url: &WebhookUrl, now: Timestamp) -> Result<bool, Fault> {
    let enabled = dsl::webhook.filter(dsl::id.eq(id.to_string())).filter(dsl::disabled_at.is_null());
    let change = disabling(Because::Gone, now);
    let there = enabled.filter(dsl::url.eq(url.as_str().to_owned()));
    Ok(diesel::update(there).set(change).prepared().execute(tx.conn)? == 1)
}

/// Whether a webhook has been failing since `since`, or for longer.
///
/// # Errors
/// `unavailable`.
pub fn is_failing_since(db: &mut Db<'_>, id: WebhookId, since: Timestamp) -> Result<bool, Fault> {
    let failing: Option<String> = dsl::webhook
        .filter(dsl::id.eq(id.to_string()))
        .filter(dsl::failing_since.le(since.as_millisecond()))
        .select(dsl::id)
        .fetch_one(db.conn)?;
    Ok(failing.is_some())
}
