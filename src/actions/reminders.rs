//! Reminding owners that two-factor authentication is off, as switching it off is meant for a while: once after a week,
//! once more after a month, and then no more. Whoever does not want that ends it by the link in the mail.

use super::Cx;
use crate::{
    crypto::links::{self, LinkKind},
    domain::{
        account::Account,
        event::{Event, EventKind},
        id::AccountId,
        refusal::{Fault, Refusal, Stop},
    },
    store::{Tx, accounts, reminders},
};

/// Owners who are reminded in one transaction.
const BATCH: i64 = 50;

/// Reminds some of the owners whose turn it is, and returns how many had their turn; 0 when nobody is left.
///
/// # Errors
/// `unavailable`; then nobody of these was reminded.
pub async fn remind(cx: &Cx) -> Result<usize, Stop> {
    let now = cx.now;
    let due = cx.store.read("reminders-due", move |db| Ok(reminders::due(db, now, BATCH)?)).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let (reminding, count) = (cx.clone(), due.len());
    let write = move |tx: &mut Tx<'_>| {
        for id in &due {
            remind_one(tx, &reminding, *id)?;
        }
        Ok(count)
    };
    cx.store.write("remind", write).await
}

/// Another replica may have been faster, and the owner too.
fn remind_one(tx: &mut Tx<'_>, cx: &Cx, id: AccountId) -> Result<(), Fault> {
    let is_due = |account: &Account| {
        let is_off = !account.is_enabled() && !account.is_suspended();
        is_off && account.reminder_at.is_some_and(|at| at <= cx.now)
    };
    let Some(mut account) = accounts::lock(tx, id)?.filter(is_due) else { return Ok(()) };
    let is_first = account.reminded_at.is_none();
    let again = Some(cx.policy.reminder_again).filter(|seconds| is_first && *seconds > 0);
    let mut event = Event::of_system(EventKind::TwoFactorReminded);
    if let Some(since) = account.disabled_at {
        event = event.with("disabled_at", since.to_string());
    }
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |account| {
        account.reminded_at = Some(cx.now);
        account.reminder_at = again.map(|seconds| cx.in_seconds(seconds));
    })
}

/// Ends all reminders of the disable that a link is about, also when they have ended before.
///
/// # Errors
/// `link-expired` when the account has moved on, and for a link that was never ours.
pub async fn stop(cx: &Cx, token: &str) -> Result<(), Stop> {
    let link = links::read(&cx.keys, LinkKind::StopReminders, token).ok_or(Refusal::LinkExpired)?;
    cx.store
        .write("stop-reminders", move |tx| match reminders::stop(tx, &link)? {
            true => Ok(()),
            false => Err(Refusal::LinkExpired.into()),
        })
        .await
}
