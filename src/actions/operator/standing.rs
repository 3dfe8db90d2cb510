//! Whether an account may be used: suspending it, enabling it again, and unlocking what wrong guesses locked.

use super::{Done, Whom, event, hold};
use crate::{
    actions::{Cx, unlock},
    domain::{account::Remark, event::EventKind, refusal::Stop},
    store::{accounts, sessions},
};

/// Suspends an account: all its sessions end, its tokens are refused, and a sign-in is answered as a wrong
/// password is. Returns how many sessions ended; nothing where it was suspended before.
///
/// # Errors
/// `not-found`.
pub async fn suspend(cx: &Cx, whom: Whom, reason: Option<Remark>) -> Result<Done<Option<usize>>, Stop> {
    let setting = cx.clone();
    cx.store
        .write("suspend", move |tx| {
            let mut account = hold(tx, &whom)?;
            let id = account.id;
            if account.is_suspended() {
                return Ok(Done { id, what: None });
            }
            let ended = sessions::end_others(tx, id, None, setting.now)?;
            let event = event(EventKind::AccountSuspended, reason.as_ref()).with("sessions", ended);
            accounts::record(tx, &mut account, &setting.origin, setting.now, &event, |account| {
                account.suspended_at = Some(setting.now);
                account.epoch += 1;
            })?;
            Ok(Done { id, what: Some(ended) })
        })
        .await
}

/// Ends a suspension: the owner may sign in again. `false` where there was none.
///
/// # Errors
/// `not-found`.
pub async fn resume(cx: &Cx, whom: Whom, reason: Option<Remark>) -> Result<Done<bool>, Stop> {
    let setting = cx.clone();
    cx.store
        .write("resume", move |tx| {
            let mut account = hold(tx, &whom)?;
            let id = account.id;
            if !account.is_suspended() {
                return Ok(Done { id, what: false });
            }
            let event = event(EventKind::AccountResumed, reason.as_ref());
            accounts::record(tx, &mut account, &setting.origin, setting.now, &event, |account| {
                account.suspended_at = None;
            })?;
            Ok(Done { id, what: true })
        })
        .await
}

/// Opens the budgets of guesses at an account; a suspension stands. Returns the names of those that were not whole.
///
/// # Errors
/// `not-found`.
pub async fn unlock(cx: &Cx, whom: Whom, reason: Option<Remark>) -> Result<Done<Vec<String>>, Stop> {
    let setting = cx.clone();
    cx.store
        .write("unlock", move |tx| {
            let mut account = hold(tx, &whom)?;
            let opened = unlock::open(tx, &setting, &account)?;
            let event = event(EventKind::AccountUnlocked, reason.as_ref()).with("opened", opened.clone());
            accounts::record(tx, &mut account, &setting.origin, setting.now, &event, |_| {})?;
            Ok(Done { id: account.id, what: opened })
        })
        .await
}
