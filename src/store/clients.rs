//! Clients: partners' programs, with keyed hashes of their secrets. A row is never dropped, since events name it.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{hit_one, moment, moment_or_none, parsed, parsed_or_none},
    schema::client::{self, dsl},
};
use crate::{
    crypto::{client_secret::ClientSecret, keyring::Hashed},
    domain::{
        account::Email,
        client::{Client, ClientName},
        id::ClientId,
        refusal::Fault,
    },
};
use diesel::prelude::*;
use jiff::Timestamp;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = client)]
pub(super) struct Row {
    id: String,
    name: String,
    secret: String,
    previous: Option<String>,
    previous_until: Option<i64>,
    scope: String,
    sees_all: i64,
    contact: Option<String>,
    created_at: i64,
    disabled_at: Option<i64>,
    epoch: i64,
}

/// A client that was found by its secret.
pub struct Known {
    /// The client.
    pub client: Client,
    /// What its row keeps of the secret, where that was made with another key than the first.
    pub outdated: Option<Hashed>,
}

impl TryFrom<Row> for Client {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        let unreadable = |what: &str| Fault::Unreadable(format!("{what} of client {}", row.id));
        let contact = row.contact.as_deref().map(|contact| Email::parse(contact, "")).transpose();
        Ok(Self {
            id: parsed(&row.id)?,
            name: ClientName::parse(&row.name, "").map_err(|_| unreadable("name"))?,
            scopes: parsed(&row.scope)?,
            sees_all: row.sees_all != 0,
            contact: contact.map_err(|_| unreadable("contact"))?,
            created_at: moment(row.created_at)?,
            disabled_at: moment_or_none(row.disabled_at)?,
            epoch: row.epoch,
        })
    }
}

/// Adds a client.
///
/// # Errors
/// `unavailable`.
pub fn insert(tx: &mut Tx<'_>, client: &Client, secret: &ClientSecret) -> Result<(), Fault> {
    let row = Row {
        id: client.id.to_string(),
        name: client.name.as_str().to_owned(),
        secret: secret.hashed(tx.keys, client.id)?.to_string(),
        previous: None,
        previous_until: None,
        scope: client.scopes.to_string(),
        sees_all: client.sees_all.into(),
        contact: client.contact.as_ref().map(|contact| contact.as_str().to_owned()),
        created_at: client.created_at.as_millisecond(),
        disabled_at: client.disabled_at.map(Timestamp::as_millisecond),
        epoch: client.epoch,
    };
    diesel::insert_into(client::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// One client, disabled or not.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn by_id(db: &mut Db<'_>, id: ClientId) -> Result<Option<Client>, Fault> {
    let row: Option<Row> = dsl::client.filter(dsl::id.eq(id.to_string())).fetch_one(db.conn)?;
    row.map(Client::try_from).transpose()
}

/// Holds a client until the transaction ends, as `accounts::lock` holds an account.
///
/// # Errors
/// `unavailable`.
pub fn lock(tx: &mut Tx<'_>, id: ClientId) -> Result<(), Fault> {
    if !tx.conn.has_one_writer() {
        let row = dsl::client.filter(dsl::id.eq(id.to_string()));
        diesel::update(row).set(dsl::epoch.eq(dsl::epoch)).prepared().execute(tx.conn)?;
    }
    Ok(())
}

/// All clients, the oldest first.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn all(db: &mut Db<'_>) -> Result<Vec<Client>, Fault> {
    let rows: Vec<Row> = dsl::client.order(dsl::id).fetch(db.conn)?;
    rows.into_iter().map(Client::try_from).collect()
}

/// The client that `secret` is presented for, when it is its secret, or the one before while that counts. Where there
/// is no such client the same work is done in vain, so that nobody learns by the time which ids there are.
///
/// # Errors
/// `unavailable`; `unreadable` when the key of a hash is missing.
pub fn presented(db: &mut Db<'_>, id: ClientId, secret: &ClientSecret, now: Timestamp) -> Result<Option<Known>, Fault> {
    let row: Option<Row> = dsl::client.filter(dsl::id.eq(id.to_string())).fetch_one(db.conn)?;
    let nobodys = ClientSecret::presented(String::new()).hashed(db.keys, id)?;
    let current = parsed_or_none(row.as_ref().map(|row| row.secret.as_str()))?;
    let previous = row.as_ref().filter(|row| row.previous_until.is_some_and(|until| now.as_millisecond() < until));
    let previous = parsed_or_none(previous.and_then(|row| row.previous.as_deref()))?;
    let is_current = secret.is(db.keys, id, current.as_ref().unwrap_or(&nobodys))?;
    let is_previous = secret.is(db.keys, id, previous.as_ref().unwrap_or(&nobodys))?;
    let is_known = (is_current && current.is_some()) || (is_previous && previous.is_some());
    let Some(row) = row.filter(|_| is_known) else { return Ok(None) };
    let first = db.keys.ids.hashing.first();
    let outdated = current.filter(|hashed| is_current && Some(&hashed.key_id) != first);
    Ok(Some(Known { client: row.try_into()?, outdated }))
}

/// Keeps a client's secret under the first key from now on; one that was changed meanwhile stays as it is.
///
/// # Errors
/// `unavailable`.
pub fn rehash(tx: &mut Tx<'_>, id: ClientId, secret: &ClientSecret, outdated: &Hashed) -> Result<(), Fault> {
    let unmoved = dsl::client.filter(dsl::id.eq(id.to_string())).filter(dsl::secret.eq(outdated.to_string()));
    let fresh = secret.hashed(tx.keys, id)?.to_string();
    diesel::update(unmoved).set(dsl::secret.eq(fresh)).prepared().execute(tx.conn)?;
    Ok(())
}

/// Gives a client another secret. The one before counts until `until`; without that, it is dead at once, and the
/// tokens that it was traded for are. What was before both is dead.
///
/// # Errors
/// `contended` when there is no such client.
pub fn rotate(tx: &mut Tx<'_>, id: ClientId, secret: &ClientSecret, until: Option<Timestamp>) -> Result<(), Fault> {
    let fresh = secret.hashed(tx.keys, id)?.to_string();
    let row = dsl::client.filter(dsl::id.eq(id.to_string()));
    let rows = match until {
        Some(until) => diesel::update(row)
            .set((
                dsl::previous.eq(dsl::secret.nullable()),
                dsl::previous_until.eq(until.as_millisecond()),
                dsl::secret.eq(fresh),
            ))
            .prepared()
            .execute(tx.conn)?,
        None => diesel::update(row)
            .set((
                dsl::previous.eq(None::<String>),
                dsl::previous_until.eq(None::<i64>),
                dsl::secret.eq(fresh),
                dsl::epoch.eq(dsl::epoch + 1),
            ))
            .prepared()
            .execute(tx.conn)?,
    };
    hit_one(rows, "client")
}

/// Disables a client, at whose tokens nobody looks any more; `false` where it was disabled before.
///
/// # Errors
/// `unavailable`.
pub fn disable(tx: &mut Tx<'_>, id: ClientId, now: Timestamp) -> Result<bool, Fault> {
    let enabled = dsl::client.filter(dsl::id.eq(id.to_string())).filter(dsl::disabled_at.is_null());
    let rows = diesel::update(enabled)
        .set((dsl::disabled_at.eq(now.as_millisecond()), dsl::epoch.eq(dsl::epoch + 1)))
        .prepared()
        .execute(tx.conn)?;
    Ok(rows == 1)
}

/// Lets a disabled client be used again, by its secret; `false` where it was not disabled.
///
/// # Errors
/// `unavailable`.
pub fn enable(tx: &mut Tx<'_>, id: ClientId) -> Result<bool, Fault> {
    let disabled = dsl::client.filter(dsl::id.eq(id.to_string())).filter(dsl::disabled_at.is_not_null());
    let rows = diesel::update(disabled).set(dsl::disabled_at.eq(None::<i64>)).prepared().execute(tx.conn)?;
    Ok(rows == 1)
}
