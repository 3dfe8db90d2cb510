//! What the operator does on the command line. Whoever runs it has the database and the keys, so nothing is
//! proved here; everything is recorded, with the system as its actor.

pub mod clients;
pub mod delete;
pub mod export;
pub mod import;
pub mod list;
pub mod requirement;
pub mod reset;
pub mod scope;
pub mod standing;

use super::Cx;
use crate::{
    domain::{
        account::{Account, Email, Remark},
        event::{Event, EventKind},
        id::AccountId,
        refusal::{Refusal, Stop},
    },
    store::{
        Tx,
        accounts::{self, NewAccount},
        sessions,
    },
};

/// Which account is meant.
#[derive(Clone, Debug)]
pub enum Whom {
    /// The one with this address.
    Email(Email),
    /// The one with this id.
    Id(AccountId),
}

/// Whose account was meant, and what was done to it.
pub struct Done<T> {
    /// Its id.
    pub id: AccountId,
    /// What was done.
    pub what: T,
}

/// The account that is meant, held until the transaction ends.
///
/// # Errors
/// `not-found`.
fn hold(tx: &mut Tx<'_>, whom: &Whom) -> Result<Account, Stop> {
    let id = match whom {
        Whom::Id(id) => *id,
        Whom::Email(email) => accounts::by_email(tx, email)?.ok_or(Refusal::NotFound)?.id,
    };
    Ok(accounts::lock(tx, id)?.ok_or(Refusal::NotFound)?)
}

/// An event of the operator's, with the reason where one was given.
fn event(kind: EventKind, reason: Option<&Remark>) -> Event {
    let event = Event::of_system(kind);
    match reason {
        Some(reason) => event.with("reason", reason.as_str()),
        None => event,
    }
}

/// Adds an account whose password was hashed already.
///
/// # Errors
/// `validation-failed` when the address or the subject is taken.
pub async fn add_account(cx: &Cx, new: NewAccount) -> Result<AccountId, Stop> {
    let (id, now) = (cx.random.id(cx.now)?, cx.now);
    let origin = cx.origin.clone();
    cx.store
        .write("add-account", move |tx| {
            accounts::insert(tx, id, &new, now)?;
            if !new.scope.is_empty() {
                let event = Event::of_system(EventKind::ScopeGranted).with("scope", new.scope.as_str());
                let mut account = accounts::lock(tx, id)?.ok_or(Refusal::NotFound)?;
                accounts::record(tx, &mut account, &origin, now, &event, |_| {})?;
            }
            Ok(id)
        })
        .await
}

/// Sets an account's password; all its sessions end, two-factor authentication stays as it is.
///
/// # Errors
/// `not-found`.
pub async fn set_password(cx: &Cx, email: Email, password_hash: String) -> Result<AccountId, Stop> {
    let setting = cx.clone();
    cx.store
        .write("set-password", move |tx| {
            let id = accounts::by_email(tx, &email)?.ok_or(Refusal::NotFound)?.id;
            let mut account = accounts::lock(tx, id)?.ok_or(Refusal::NotFound)?;
            let ended = sessions::end_others(tx, id, None, setting.now)?;
            let event = Event::of_system(EventKind::PasswordChanged).with("sessions", ended);
            accounts::record(tx, &mut account, &setting.origin, setting.now, &event, |account| {
                account.password_hash = password_hash.clone();
                account.password_changed_at = setting.now;
                account.epoch += 1;
            })?;
            Ok(id)
        })
        .await
}
