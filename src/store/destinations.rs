//! Where the codes of methods go: sealed, since it is the business of nobody who gets at the database.

use super::{
    Db, Tx,
    connection::Prepare,
    schema::{
        destination::{self, dsl},
        method,
    },
};
use crate::{
    crypto::keyring::{Cell, Sealed},
    domain::{
        destination::Destination,
        id::{AccountId, MethodId},
        method::{Kind, Method, State},
        refusal::Fault,
    },
};
use diesel::prelude::*;

pub(super) fn cell(account: AccountId, method: MethodId) -> Cell {
    Cell { owner: account.0, thing: method.0, column: "destination.sealed" }
}

/// Seals and stores where the codes of a new method go.
///
/// # Errors
/// `unavailable`.
pub fn insert(tx: &mut Tx<'_>, method: &Method, to: &Destination) -> Result<(), Fault> {
    let sealed = tx.keys.seal(tx.random, cell(method.account, method.id), to.kept().as_bytes())?;
    let row = (dsl::method_id.eq(method.id.to_string()), dsl::sealed.eq(sealed.0));
    diesel::insert_into(destination::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// Where the codes of a method go.
///
/// # Errors
/// `unreadable` when it is not there or does not open: never an absence.
pub fn open(db: &mut Db<'_>, method: &Method) -> Result<Destination, Fault> {
    let sealed: Vec<u8> =
        dsl::destination.filter(dsl::method_id.eq(method.id.to_string())).select(dsl::sealed).first(db.conn)?;
    opened(db, method.account, method.id, method.kind, sealed)
}

/// How many methods of these accounts are in service whose codes are sent.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn count_of(db: &mut Db<'_>, accounts: &[AccountId]) -> Result<usize, Fault> {
    let ids: Vec<String> = accounts.iter().map(AccountId::to_string).collect();
    let in_service: i64 = method::table
        .inner_join(destination::table)
        .filter(method::account_id.eq_any(ids))
        .filter(method::state.eq(State::Active.as_str()))
        .count()
        .get_result(db.conn)?;
    usize::try_from(in_service).map_err(|_| Fault::Unreadable(format!("{in_service} destinations")))
}

pub(super) fn opened(
    db: &Db<'_>,
    account: AccountId,
    method: MethodId,
    kind: Kind,
    sealed: Vec<u8>,
) -> Result<Destination, Fault> {
    let plain = db.keys.open(cell(account, method), &Sealed(sealed))?;
    let to = std::str::from_utf8(plain.expose()).ok().and_then(|text| Destination::of_kept(kind, text));
    to.ok_or_else(|| Fault::Unreadable(format!("destination of method {method}")))
}
