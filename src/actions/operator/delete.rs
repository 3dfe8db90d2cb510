//! Deleting an account: whatever belongs to it goes, its events too. A sealed mark stays, so that anchors which
//! saw its events are not broken by it.

use super::{Whom, hold};
use crate::{
    actions::Cx,
    domain::{
        event::{Event, EventKind},
        id::AccountId,
        refusal::Stop,
    },
    store::{accounts, announcements, broken::Broken, ends, events, ledger},
};

/// Deletes an account, once its audit was found whole; returns its id, or what is broken.
///
/// # Errors
/// `not-found`.
pub async fn delete(cx: &Cx, whom: Whom) -> Result<Result<AccountId, Broken>, Stop> {
    let setting = cx.clone();
    cx.store
        .write("delete-account", move |tx| {
            let mut account = hold(tx, &whom)?;
            // What was altered is evidence, and must not go with the account; nor is it told that it went.
            if let Err(broken) = events::verify(tx, Some(account.id), None, 1)? {
                return Ok(Err(broken));
            }
            let event = Event::of_system(EventKind::AccountDeleted);
            accounts::record(tx, &mut account, &setting.origin, setting.now, &event, |_| {})?;
            ends::mark(tx, &account, setting.now)?;
            ledger::drop_all(tx, account.id, &setting.login_name(&account.email))?;
            announcements::erase(tx, account.id)?;
            accounts::delete(tx, account.id)?;
            Ok(Ok(account.id))
        })
        .await
}
