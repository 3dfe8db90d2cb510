//! Sealing stored secrets anew, under the key that is the first now. A secret that changed meanwhile is left to
//! whoever changed it; the walk can be broken off and begun again anywhere.

use super::{
    Db, Tx,
    connection::Prepare,
    destinations, passkeys,
    row::parsed,
    schema::{destination, method, passkey, sent_code, tombstone_destination, tombstone_passkey, tombstone_totp, totp},
    sent_codes,
};
use crate::{
    crypto::keyring::{Cell, Sealed},
    domain::{
        id::{AccountId, MethodId},
        refusal::Fault,
    },
};
use diesel::prelude::*;

/// Secrets that are looked at in one read, and sealed in one write.
const PAGE: i64 = 50;

/// Where secrets lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// With the authenticator apps in service, and those that wait for their confirm.
    InService,
    /// Those of authenticator apps under tombstones, sealed for the cell that they may come back to.
    Buried,
    /// With the passkeys in service.
    Passkeys,
    /// Passkeys under tombstones.
    BuriedPasskeys,
    /// Where codes go.
    Destinations,
    /// Where codes went of methods that may come back.
    BuriedDestinations,
    /// Codes that are to be sent.
    SentCodes,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::InService,
        Self::Buried,
        Self::Passkeys,
        Self::BuriedPasskeys,
        Self::Destinations,
        Self::BuriedDestinations,
        Self::SentCodes,
    ];

    fn cell(self, account: AccountId, method: MethodId) -> Cell {
        match self {
            Self::InService | Self::Buried => super::totp::cell(account, method),
            Self::Passkeys | Self::BuriedPasskeys => passkeys::cell(account, method),
            Self::Destinations | Self::BuriedDestinations => destinations::cell(account, method),
            Self::SentCodes => sent_codes::cell(account, method),
        }
    }
}

/// A secret under another key than the first.
#[derive(Clone)]
pub struct Stale {
    place: Place,
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

/// A row: account, method, sealed secret.
type Row = (String, String, Vec<u8>);

/// A page of a table whose rows are a method's that is in service; that knows the account.
macro_rules! in_service {
    ($table:ident, $db:expr, $after:expr) => {{
        use $table::dsl;
        let rows = dsl::$table.inner_join(method::table).filter(dsl::method_id.gt($after)).order(dsl::method_id);
        rows.limit(PAGE).select((method::account_id, dsl::method_id, dsl::sealed)).load::<Row>($db.conn)?
    }};
}

/// A page of a table whose rows wait under a tombstone, and know the account themselves.
macro_rules! buried {
    ($table:ident, $db:expr, $after:expr) => {{
        use $table::dsl;
        let rows = dsl::$table.filter(dsl::method_id.gt($after)).order(dsl::method_id).limit(PAGE);
        rows.select((dsl::account_id, dsl::method_id, dsl::sealed)).load::<Row>($db.conn)?
    }};
}

/// The secrets at a place, after the method `after`, that are not under the first key.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(db: &mut Db<'_>, place: Place, after: &str) -> Result<Page, Fault> {
    let rows = match place {
        Place::InService => in_service!(totp, db, after),
        Place::Buried => buried!(tombstone_totp, db, after),
        Place::Passkeys => in_service!(passkey, db, after),
        Place::BuriedPasskeys => buried!(tombstone_passkey, db, after),
        Place::Destinations => in_service!(destination, db, after),
        Place::BuriedDestinations => buried!(tombstone_destination, db, after),
        Place::SentCodes => codes(db, after)?,
    };
    let next = rows.last().filter(|_| rows.len() as i64 == PAGE).map(|(_, method, _)| method.clone());
    let first = db.keys.ids.sealing.first().map(String::as_str);
    let mut stale = Vec::new();
    for (account, method, sealed) in rows {
        let sealed = Sealed(sealed);
        if sealed.key_id() != first {
            stale.push(Stale { place, account: parsed(&account)?, method: parsed(&method)?, sealed });
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
    for Stale { place, account, method, sealed } in stale {
        let cell = place.cell(*account, *method);
        let secret = match tx.keys.open(cell, sealed) {
            Ok(secret) => secret,
            Err(Fault::Unreadable(_)) => {
                outcome.unreadable.push(*method);
                continue;
            }
            Err(fault) => return Err(fault),
        };
        let fresh = tx.keys.seal(tx.random, cell, secret.expose())?;
        outcome.done += exchange(tx, *place, *method, sealed, fresh)? as u64;
    }
    Ok(outcome)
}

fn codes(db: &mut Db<'_>, after: &str) -> Result<Vec<Row>, Fault> {
    use sent_code::dsl;
    let unsent = dsl::sent_code.filter(dsl::sealed.is_not_null()).filter(dsl::method_id.gt(after));
    let rows = unsent.order(dsl::method_id).limit(PAGE);
    Ok(rows.select((dsl::account_id, dsl::method_id, dsl::sealed.assume_not_null())).load(db.conn)?)
}

/// How many rows held the old bytes, and hold the new ones now.
fn exchange(tx: &mut Tx<'_>, place: Place, method: MethodId, old: &Sealed, new: Sealed) -> Result<usize, Fault> {
    let method = method.to_string();
    macro_rules! exchange {
        ($table:ident) => {{
            use $table::dsl;
            let unmoved = dsl::$table.filter(dsl::method_id.eq(method)).filter(dsl::sealed.eq(&old.0));
            diesel::update(unmoved).set(dsl::sealed.eq(new.0)).prepared().execute(tx.conn)?
        }};
    }
    Ok(match place {
        Place::InService => exchange!(totp),
        Place::Buried => exchange!(tombstone_totp),
        Place::Passkeys => exchange!(passkey),
        Place::BuriedPasskeys => exchange!(tombstone_passkey),
        Place::Destinations => exchange!(destination),
        Place::BuriedDestinations => exchange!(tombstone_destination),
        Place::SentCodes => exchange!(sent_code),
    })
}
