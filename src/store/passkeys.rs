//! Passkeys and security keys: the sealed credential, the name that it is found by, and the count of its signatures.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{hit_one, parsed},
    schema::{
        method,
        passkey::{self, dsl},
        tombstone_passkey,
    },
};
use crate::{
    crypto::{
        keyring::{Cell, Keyring, Purpose, Sealed},
        passkeys::Passkey,
    },
    domain::{
        id::{AccountId, MethodId},
        method::State,
        refusal::Fault,
    },
};
use data_encoding::HEXLOWER;
use diesel::prelude::*;

/// A passkey in service.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its method.
    pub method: MethodId,
    /// What was registered.
    pub passkey: Passkey,
    /// How many signatures it has made, as it said last.
    pub counter: u32,
}

type Row = (String, Vec<u8>, i64);

pub(super) fn cell(account: AccountId, method: MethodId) -> Cell {
    Cell { owner: account.0, thing: method.0, column: "passkey.credential" }
}

fn name(keys: &Keyring, credential: &[u8]) -> String {
    HEXLOWER.encode(&keys.name(Purpose::Passkey, &[credential]))
}

/// Whether a credential is registered, whoever's it is; also while its owner can take a disable back.
///
/// # Errors
/// `unavailable`.
pub fn is_taken(db: &mut Db<'_>, credential: &[u8]) -> Result<bool, Fault> {
    let name = name(db.keys, credential);
    let in_service: Option<String> =
        dsl::passkey.filter(dsl::name.eq(name.clone())).select(dsl::method_id).fetch_one(db.conn)?;
    let buried: Option<String> = tombstone_passkey::table
        .filter(tombstone_passkey::name.eq(name))
        .select(tombstone_passkey::method_id)
        .fetch_one(db.conn)?;
    Ok(in_service.or(buried).is_some())
}

/// Seals and stores what a new method is.
///
/// # Errors
/// `unavailable`; `contended` when the credential was registered meanwhile.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    account: AccountId,
    method: MethodId,
    passkey: &Passkey,
    counter: u32,
) -> Result<(), Fault> {
    let sealed = tx.keys.seal(tx.random, cell(account, method), &passkey.bytes())?;
    let row = (
        dsl::method_id.eq(method.to_string()),
        dsl::name.eq(name(tx.keys, &passkey.id)),
        dsl::sealed.eq(sealed.0),
        dsl::counter.eq(i64::from(counter)),
    );
    diesel::insert_into(passkey::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// The passkey in service of an account that has this credential id.
///
/// # Errors
/// `unavailable`; `unreadable` when it does not open.
pub fn find(db: &mut Db<'_>, account: AccountId, credential: &[u8]) -> Result<Option<Kept>, Fault> {
    let row: Option<Row> = method::table
        .inner_join(passkey::table)
        .filter(dsl::name.eq(name(db.keys, credential)))
        .filter(method::account_id.eq(account.to_string()))
        .filter(method::state.eq(State::Active.as_str()))
        .select((dsl::method_id, dsl::sealed, dsl::counter))
        .fetch_one(db.conn)?;
    row.map(|row| opened(db, account, row)).transpose()
}

/// The passkeys of an account that are in service.
///
/// # Errors
/// `unavailable`; `unreadable` when one does not open.
pub fn all(db: &mut Db<'_>, account: AccountId) -> Result<Vec<Passkey>, Fault> {
    let rows: Vec<Row> = method::table
        .inner_join(passkey::table)
        .filter(method::account_id.eq(account.to_string()))
        .filter(method::state.eq(State::Active.as_str()))
        .order(dsl::method_id)
        .select((dsl::method_id, dsl::sealed, dsl::counter))
        .fetch(db.conn)?;
    rows.into_iter().map(|row| opened(db, account, row).map(|kept| kept.passkey)).collect()
}

/// How many passkeys these accounts have in service together.
///
/// # Errors
/// `unavailable`.
pub fn count_of(db: &mut Db<'_>, accounts: &[AccountId]) -> Result<usize, Fault> {
    let ids: Vec<String> = accounts.iter().map(AccountId::to_string).collect();
    let count: i64 = method::table
        .inner_join(passkey::table)
        .filter(method::account_id.eq_any(ids))
        .filter(method::state.eq(State::Active.as_str()))
        .count()
        .get_result(db.conn)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

fn opened(db: &Db<'_>, account: AccountId, (method, sealed, counter): Row) -> Result<Kept, Fault> {
    let method = parsed(&method)?;
    let unreadable = || Fault::Unreadable(format!("passkey of method {method}"));
    let plain = db.keys.open(cell(account, method), &Sealed(sealed))?;
    let passkey = Passkey::of_bytes(plain.expose()).ok_or_else(unreadable)?;
    Ok(Kept { method, passkey, counter: u32::try_from(counter).map_err(|_| unreadable())? })
}

/// Moves the count of signatures on.
///
/// # Errors
/// `contended` when another signature of it was taken meanwhile.
pub(super) fn count(tx: &mut Tx<'_>, method: MethodId, from: u32, to: u32) -> Result<(), Fault> {
    let unmoved = dsl::passkey.filter(dsl::method_id.eq(method.to_string())).filter(dsl::counter.eq(i64::from(from)));
    let rows = diesel::update(unmoved).set(dsl::counter.eq(i64::from(to))).prepared().execute(tx.conn)?;
    hit_one(rows, "count of signatures")
}

/// Wipes what a method is that leaves service.
///
/// # Errors
/// `unavailable`.
pub(super) fn delete(tx: &mut Tx<'_>, method: MethodId) -> Result<(), Fault> {
    diesel::delete(dsl::passkey.filter(dsl::method_id.eq(method.to_string()))).prepared().execute(tx.conn)?;
    Ok(())
}
