//! Ceremonies: passkeys that were asked for, each for one thing, and answered once.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::hit_one,
    schema::ceremony::{self, dsl},
};
use crate::domain::{binding::Binding, id::AccountId, refusal::Fault};
use diesel::prelude::*;
use jiff::Timestamp;

/// Begins a ceremony; the one before for the same thing is dead with this.
///
/// # Errors
/// `unavailable`.
pub fn begin(
    tx: &mut Tx<'_>,
    account: AccountId,
    binding: Binding,
    state: &[u8],
    expires_at: Timestamp,
) -> Result<(), Fault> {
    diesel::delete(dsl::ceremony.filter(dsl::binding.eq(binding.to_string()))).prepared().execute(tx.conn)?;
    let row = (
        dsl::binding.eq(binding.to_string()),
        dsl::account_id.eq(account.to_string()),
        dsl::state.eq(state),
        dsl::expires_at.eq(expires_at.as_millisecond()),
    );
    diesel::insert_into(ceremony::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// What the answer to a ceremony of an account is checked against, while it can be answered.
///
/// # Errors
/// `unavailable`.
pub fn find(db: &mut Db<'_>, account: AccountId, binding: Binding, now: Timestamp) -> Result<Option<Vec<u8>>, Fault> {
    let state = dsl::ceremony
        .filter(dsl::binding.eq(binding.to_string()))
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::expires_at.gt(now.as_millisecond()))
        .select(dsl::state);
    Ok(state.fetch_one(db.conn)?)
}

/// Ends a ceremony with its answer.
///
/// # Errors
/// `contended` when it was answered, or begun anew, meanwhile.
pub(super) fn end(tx: &mut Tx<'_>, binding: Binding, state: &[u8]) -> Result<(), Fault> {
    let it = dsl::ceremony.filter(dsl::binding.eq(binding.to_string())).filter(dsl::state.eq(state));
    hit_one(diesel::delete(it).prepared().execute(tx.conn)?, "ceremony")
}

/// Ends what an account was asked for before its factors changed. What an enrolment waits for lives with the enrolment.
///
/// # Errors
/// `unavailable`.
pub(super) fn end_proofs(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Fault> {
    let proofs = dsl::ceremony
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::binding.not_like(format!("{}%", Binding::ENROLMENTS)));
    diesel::delete(proofs).prepared().execute(tx.conn)?;
    Ok(())
}
