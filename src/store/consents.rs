//! Consents: which clients may see which accounts. Whoever changes one holds its account.

use super::{
    Db, Tx, clients,
    connection::{Fetch, Prepare},
    row::{moment, parsed},
    schema::{
        client,
        consent::{self, dsl},
    },
};
use crate::domain::{
    client::{Client, Consent, Grantor},
    id::{AccountId, ClientId},
    refusal::Fault,
};
use diesel::prelude::*;
use jiff::Timestamp;

/// That a client may see an account, if somebody said so.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find(db: &mut Db<'_>, account: AccountId, client: ClientId) -> Result<Option<Consent>, Fault> {
    let row: Option<(i64, String)> = dsl::consent
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::client_id.eq(client.to_string()))
        .select((dsl::granted_at, dsl::granted_by))
        .fetch_one(db.conn)?;
    row.map(|(at, by)| Ok(Consent { granted_at: moment(at)?, granted_by: parsed(&by)? })).transpose()
}

/// The clients that may see an account because somebody said so, disabled ones too, the oldest first.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn of_account(db: &mut Db<'_>, account: AccountId) -> Result<Vec<(Client, Consent)>, Fault> {
    let rows: Vec<(clients::Row, i64, String)> = dsl::consent
        .inner_join(client::table)
        .filter(dsl::account_id.eq(account.to_string()))
        .order(dsl::client_id)
        .select((client::all_columns, dsl::granted_at, dsl::granted_by))
        .fetch(db.conn)?;
    let read = |(client, at, by): (clients::Row, i64, String)| {
        Ok((client.try_into()?, Consent { granted_at: moment(at)?, granted_by: parsed(&by)? }))
    };
    rows.into_iter().map(read).collect()
}

/// The clients that may see an account because somebody said so.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn clients_of(db: &mut Db<'_>, account: AccountId) -> Result<Vec<ClientId>, Fault> {
    let clients: Vec<String> =
        dsl::consent.filter(dsl::account_id.eq(account.to_string())).select(dsl::client_id).fetch(db.conn)?;
    clients.iter().map(|client| parsed(client)).collect()
}

/// Lets a client see an account; `false` where it was let before.
///
/// # Errors
/// `unavailable`.
pub fn grant(
    tx: &mut Tx<'_>,
    account: AccountId,
    client: ClientId,
    by: Grantor,
    now: Timestamp,
) -> Result<bool, Fault> {
    if find(tx, account, client)?.is_some() {
        return Ok(false);
    }
    let row = (
        dsl::account_id.eq(account.to_string()),
        dsl::client_id.eq(client.to_string()),
        dsl::granted_at.eq(now.as_millisecond()),
        dsl::granted_by.eq(by.as_str()),
    );
    diesel::insert_into(consent::table).values(row).prepared().execute(tx.conn)?;
    Ok(true)
}

/// Lets a client see an account no more; `false` where it was not let.
///
/// # Errors
/// `unavailable`.
pub fn withdraw(tx: &mut Tx<'_>, account: AccountId, client: ClientId) -> Result<bool, Fault> {
    let row =
        dsl::consent.filter(dsl::account_id.eq(account.to_string())).filter(dsl::client_id.eq(client.to_string()));
    Ok(diesel::delete(row).prepared().execute(tx.conn)? == 1)
}
