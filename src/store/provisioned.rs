//! What a client last sent of an account's password. A sign-in makes the account's own hash anew, and its owner may have
//! set another: neither makes what is sent once more a change.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    schema::provisioned::{self, dsl},
};
use crate::{
    crypto::keyring::Purpose,
    domain::{id::AccountId, refusal::Fault},
};
use diesel::prelude::*;

/// Whether `hash` is what was last sent; `None` where nothing was.
///
/// # Errors
/// `unavailable`.
pub fn is_last(db: &mut Db<'_>, account: AccountId, hash: &str) -> Result<Option<bool>, Fault> {
    let name: Option<Vec<u8>> =
        dsl::provisioned.filter(dsl::account_id.eq(account.to_string())).select(dsl::password).fetch_one(db.conn)?;
    Ok(name.map(|name| name == named(db, account, hash)))
}

/// Keeps what was sent last.
///
/// # Errors
/// `unavailable`.
pub fn keep(tx: &mut Tx<'_>, account: AccountId, hash: &str) -> Result<(), Fault> {
    let name = named(tx, account, hash);
    let row = dsl::provisioned.filter(dsl::account_id.eq(account.to_string()));
    if diesel::update(row).set(dsl::password.eq(&name)).prepared().execute(tx.conn)? == 0 {
        let row = (dsl::account_id.eq(account.to_string()), dsl::password.eq(&name));
        diesel::insert_into(provisioned::table).values(row).prepared().execute(tx.conn)?;
    }
    Ok(())
}

fn named(db: &Db<'_>, account: AccountId, hash: &str) -> Vec<u8> {
    db.keys.name(Purpose::ProvisionedHash, &[account.0.as_bytes(), hash.as_bytes()])
}
