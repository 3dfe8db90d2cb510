//! Tombstones: what an undo brings back. When two-factor authentication is switched off, the sealed secrets of its
//! methods, and where their codes go, are laid here for a time instead of being wiped; the methods themselves stay in their table anyway, out of
//! service, since events name them. Nothing here is opened: it comes back to the cell that it was sealed for.
//! Each kind of method has its own table, as it has in service.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{hit_one, moment},
    schema::{
        destination, method, passkey,
        tombstone::{self, dsl},
        tombstone_destination, tombstone_passkey, tombstone_totp, totp,
    },
};
use crate::{
    crypto::links::Link,
    domain::{
        id::{AccountId, MethodId},
        method::{Label, State},
        refusal::Fault,
        totp::Step,
    },
};
use diesel::prelude::*;
use jiff::Timestamp;

/// What an undo would bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Until when it can.
    pub expires_at: Timestamp,
    /// What the owner calls the methods, oldest first.
    pub labels: Vec<Label>,
}

/// Lays the secrets of these methods, which are about to leave service at `now`, under a tombstone until then. The
/// one before is gone with this, whatever it held.
///
/// # Errors
/// `unavailable`.
pub(super) fn bury(
    tx: &mut Tx<'_>,
    account: AccountId,
    methods: &[MethodId],
    now: Timestamp,
    until: Option<Timestamp>,
) -> Result<(), Fault> {
    discard(tx, account)?;
    let Some(until) = until else { return Ok(()) };
    let ids: Vec<String> = methods.iter().map(MethodId::to_string).collect();
    let apps: Vec<App> = totp::table.filter(totp::method_id.eq_any(&ids)).select(totp::all_columns).load(tx.conn)?;
    let passkeys: Vec<Passkey> =
        passkey::table.filter(passkey::method_id.eq_any(&ids)).select(passkey::all_columns).load(tx.conn)?;
    let destinations: Vec<(String, Vec<u8>)> = destination::table
        .filter(destination::method_id.eq_any(&ids))
        .select(destination::all_columns)
        .load(tx.conn)?;
    if apps.is_empty() && passkeys.is_empty() && destinations.is_empty() {
        // An undo must not switch on what nobody could pass.
        return Ok(());
    }
    let head = (
        dsl::account_id.eq(account.to_string()),
        dsl::disabled_at.eq(now.as_millisecond()),
        dsl::expires_at.eq(until.as_millisecond()),
    );
    diesel::insert_into(tombstone::table).values(head).prepared().execute(tx.conn)?;
    for (method, sealed, last_step) in apps {
        let row = (
            tombstone_totp::method_id.eq(method),
            tombstone_totp::account_id.eq(account.to_string()),
            tombstone_totp::sealed.eq(sealed),
            tombstone_totp::last_step.eq(last_step),
        );
        diesel::insert_into(tombstone_totp::table).values(row).prepared().execute(tx.conn)?;
    }
    for (method, name, sealed, counter) in passkeys {
        let row = (
            tombstone_passkey::method_id.eq(method),
            tombstone_passkey::account_id.eq(account.to_string()),
            tombstone_passkey::name.eq(name),
            tombstone_passkey::sealed.eq(sealed),
            tombstone_passkey::counter.eq(counter),
        );
        diesel::insert_into(tombstone_passkey::table).values(row).prepared().execute(tx.conn)?;
    }
    for (method, sealed) in destinations {
        let row = (
            tombstone_destination::method_id.eq(method),
            tombstone_destination::account_id.eq(account.to_string()),
            tombstone_destination::sealed.eq(sealed),
        );
        diesel::insert_into(tombstone_destination::table).values(row).prepared().execute(tx.conn)?;
    }
    Ok(())
}

/// Method, sealed secret, last step.
type App = (String, Vec<u8>, i64);
/// Method, name, sealed credential, count of signatures.
type Passkey = (String, String, Vec<u8>, i64);

/// What the holder of a link can bring back now; `None` when it was, or cannot be any more.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find(db: &mut Db<'_>, link: &Link, now: Timestamp) -> Result<Option<Tombstone>, Fault> {
    let account = link.account().to_string();
    let head: Option<i64> = dsl::tombstone
        .filter(dsl::account_id.eq(account.clone()))
        .filter(dsl::disabled_at.eq(link.disabled_at().as_millisecond()))
        .filter(dsl::expires_at.gt(now.as_millisecond()))
        .select(dsl::expires_at)
        .fetch_one(db.conn)?;
    let Some(expires_at) = head else { return Ok(None) };
    let apps = tombstone_totp::table.filter(tombstone_totp::account_id.eq(&account)).select(tombstone_totp::method_id);
    let passkeys = tombstone_passkey::table
        .filter(tombstone_passkey::account_id.eq(&account))
        .select(tombstone_passkey::method_id);
    let destinations = tombstone_destination::table
        .filter(tombstone_destination::account_id.eq(&account))
        .select(tombstone_destination::method_id);
    let labels: Vec<(String, String)> = method::table
        .filter(method::id.eq_any(apps).or(method::id.eq_any(passkeys)).or(method::id.eq_any(destinations)))
        .order((method::created_at, method::id))
        .select((method::id, method::label))
        .load(db.conn)?;
    let label = |(id, label): (String, String)| {
        Label::parse(&label, "").map_err(|_| Fault::Unreadable(format!("label of method {id}")))
    };
    Ok(Some(Tombstone {
        expires_at: moment(expires_at)?,
        labels: labels.into_iter().map(label).collect::<Result<_, _>>()?,
    }))
}

/// Takes the methods under a tombstone back into service, with the steps that were used, for the holder of its link;
/// the tombstone is used up by that. Returns how many they are.
///
/// # Errors
/// `contended` when it was used up or discarded meanwhile.
pub fn exhume(tx: &mut Tx<'_>, link: &Link, now: Timestamp) -> Result<usize, Fault> {
    let account = link.account().to_string();
    let apps: Vec<App> = tombstone_totp::table
        .filter(tombstone_totp::account_id.eq(&account))
        .select((tombstone_totp::method_id, tombstone_totp::sealed, tombstone_totp::last_step))
        .load(tx.conn)?;
    let passkeys: Vec<Passkey> = tombstone_passkey::table
        .filter(tombstone_passkey::account_id.eq(&account))
        .select((
            tombstone_passkey::method_id,
            tombstone_passkey::name,
            tombstone_passkey::sealed,
            tombstone_passkey::counter,
        ))
        .load(tx.conn)?;
    let destinations: Vec<(String, Vec<u8>)> = tombstone_destination::table
        .filter(tombstone_destination::account_id.eq(&account))
        .select((tombstone_destination::method_id, tombstone_destination::sealed))
        .load(tx.conn)?;
    let head = dsl::tombstone
        .filter(dsl::account_id.eq(&account))
        .filter(dsl::disabled_at.eq(link.disabled_at().as_millisecond()))
        .filter(dsl::expires_at.gt(now.as_millisecond()));
    hit_one(diesel::delete(head).prepared().execute(tx.conn)?, "tombstone")?;
    for (id, sealed, last_step) in &apps {
        let row = (totp::method_id.eq(id), totp::sealed.eq(sealed), totp::last_step.eq(last_step));
        diesel::insert_into(totp::table).values(row).prepared().execute(tx.conn)?;
        return_to_service(tx, &account, id)?;
    }
    for (id, name, sealed, counter) in &passkeys {
        let row = (
            passkey::method_id.eq(id),
            passkey::name.eq(name),
            passkey::sealed.eq(sealed),
            passkey::counter.eq(counter),
        );
        diesel::insert_into(passkey::table).values(row).prepared().execute(tx.conn)?;
        return_to_service(tx, &account, id)?;
    }
    for (id, sealed) in &destinations {
        let row = (destination::method_id.eq(id), destination::sealed.eq(sealed));
        diesel::insert_into(destination::table).values(row).prepared().execute(tx.conn)?;
        return_to_service(tx, &account, id)?;
    }
    Ok(apps.len() + passkeys.len() + destinations.len())
}

fn return_to_service(tx: &mut Tx<'_>, account: &str, method: &str) -> Result<(), Fault> {
    let removed = method::table
        .filter(method::id.eq(method))
        .filter(method::account_id.eq(account))
        .filter(method::state.eq(State::Removed.as_str()));
    let rows = diesel::update(removed)
        .set((method::state.eq(State::Active.as_str()), method::ended_at.eq(None::<i64>)))
        .prepared()
        .execute(tx.conn)?;
    hit_one(rows, "removed method")
}

/// Wipes what lies under the tombstone of an account, if there is one.
///
/// # Errors
/// `unavailable`.
pub fn discard(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Fault> {
    let of_account = dsl::tombstone.filter(dsl::account_id.eq(account.to_string()));
    diesel::delete(of_account).prepared().execute(tx.conn)?;
    Ok(())
}

/// Uses up `step` and every earlier one of the methods under an account's tombstone.
///
/// # Errors
/// `unavailable`.
pub fn burn(tx: &mut Tx<'_>, account: AccountId, step: Step) -> Result<(), Fault> {
    let step = i64::try_from(step.0).map_err(|_| Fault::Unreadable(format!("step {}", step.0)))?;
    let earlier = tombstone_totp::table
        .filter(tombstone_totp::account_id.eq(account.to_string()))
        .filter(tombstone_totp::last_step.lt(step));
    diesel::update(earlier).set(tombstone_totp::last_step.eq(step)).prepared().execute(tx.conn)?;
    Ok(())
}
