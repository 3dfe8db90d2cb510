//! What the operator does on the command line.

use super::Cx;
use crate::{
    domain::{
        account::Email,
        event::{Event, EventKind},
        id::AccountId,
        refusal::{Refusal, Stop},
    },
    store::{
        accounts::{self, NewAccount},
        sessions,
    },
};

/// Adds an account whose password was hashed already.
///
/// # Errors
/// `validation-failed` when the address or the subject is taken.
pub async fn add_account(cx: &Cx, new: NewAccount) -> Result<AccountId, Stop> {
    let (id, now) = (cx.random.id(cx.now)?, cx.now);
    cx.store.write("add-account", move |tx| accounts::insert(tx, id, &new, now)).await?;
    Ok(id)
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
