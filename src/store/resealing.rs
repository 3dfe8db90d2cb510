//! Sealing stored secrets anew, under the key that is the first now. A secret that changed meanwhile is left to
//! whoever changed it; the walk can be broken off and begun again anywhere.

use super::{
    Db, Tx,
    connection::Prepare,
    row::parsed,
    schema::{method, totp::dsl},
    totp::cell,
};
use crate::{
    crypto::keyring::Sealed,
    domain::{
        id::{AccountId, MethodId},
        refusal::Fault,
    },
};
use diesel::prelude::*;

/// Secrets that are looked at in one read, and sealed in one write.
const PAGE: i64 = 50;

/// A secret under another key than the first.
#[derive(Clone)]
pub struct Stale {
    account: AccountId,
    method: MethodId,
    sealed: Sealed,
}

/// One step of a walk over all secrets.
pub struct Page {
    /// Those to be sealed anew.
    pub stale: Vec<Stale>,
    /// Where the walk goes on; none at its end.
    pub next: Option<String>,
}

/// What became of a page.
#[derive(Default)]
pub struct Resealed {
    /// Secrets that are under the first key now.
    pub done: u64,
    /// Those that no key of the file opens.
    pub unreadable: Vec<MethodId>,
}

/// The secrets after the method `after` that are not under the first key.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(db: &mut Db<'_>, after: &str) -> Result<Page, Fault> {
    let rows: Vec<(String, String, Vec<u8>)> = dsl::totp
        .inner_join(method::table)
        .filter(dsl::method_id.gt(after))
        .order(dsl::method_id)
        .limit(PAGE)
        .select((method::account_id, dsl::method_id, dsl::sealed))
        .load(db.conn)?;
    let next = rows.last().filter(|_| rows.len() as i64 == PAGE).map(|(_, method, _)| method.clone());
    let first = db.keys.ids.sealing.first().map(String::as_str);
    let mut stale = Vec::new();
    for (account, method, sealed) in rows {
        let sealed = Sealed(sealed);
        if sealed.key_id() != first {
            stale.push(Stale { account: parsed(&account)?, method: parsed(&method)?, sealed });
        }
    }
    Ok(Page { stale, next })
}

/// Seals these secrets under the first key, each by compare and set.
///
/// # Errors
/// `unavailable`.
pub fn reseal(tx: &mut Tx<'_>, stale: &[Stale]) -> Result<Resealed, Fault> {
    let mut outcome = Resealed::default();
    for Stale { account, method, sealed } in stale {
        let cell = cell(*account, *method);
        let secret = match tx.keys.open(cell, sealed) {
            Ok(secret) => secret,
            Err(Fault::Unreadable(_)) => {
                outcome.unreadable.push(*method);
                continue;
            }
            Err(fault) => return Err(fault),
        };
        let fresh = tx.keys.seal(tx.random, cell, secret.expose())?;
        let unmoved = dsl::totp.filter(dsl::method_id.eq(method.to_string())).filter(dsl::sealed.eq(&sealed.0));
        let rows = diesel::update(unmoved).set(dsl::sealed.eq(fresh.0)).prepared().execute(tx.conn)?;
        outcome.done += rows as u64;
    }
    Ok(outcome)
}
