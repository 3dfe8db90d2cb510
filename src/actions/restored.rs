//! What must happen to a database that was restored from a copy before anybody is served from it: whatever was used
//! since the copy was made looks unused in it.
//!
//! All sessions end and all older tokens are refused, every code up to now counts as used, enrolments and sign-ins
//! under way are void, as are bypass codes, and remembered answers are forgotten. Each account's record says so, and a
//! sealed row says it of the whole, so that anchors exported since are told from anchors that somebody cut off.

use super::{Cx, audit, keys};
use crate::{
    domain::{
        event::{Event, EventKind},
        id::AccountId,
        method::State,
        refusal::{Fault, Stop},
        totp::Step,
    },
    store::{
        Tx, accounts, challenges, idempotency, methods, recovery_codes, replicas,
        restorations::{self, Restoration},
        sent_codes, sessions, tombstones, totp,
    },
};

/// Accounts that are changed in one transaction.
const BATCH: i64 = 20;
/// Why, in the record.
const REASON: &str = "database-restored";

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Accounts, each with a line in its record.
    pub accounts: u64,
    /// Sessions that ended.
    pub sessions: u64,
    /// Enrolments that are void.
    pub enrollments: u64,
    /// Recovery codes that are void.
    pub recovery_codes: u64,
    /// The last anchor that the copy had.
    pub anchor: i64,
}

/// Makes a restored database fit to be served. `void_recovery_codes` voids unused recovery codes as well: one that
/// was used since the copy was made cannot be told from the others.
///
/// # Errors
/// `unavailable`; broken off, it is to be run again.
pub async fn after_restore(cx: &Cx, void_recovery_codes: bool) -> Result<Restored, Stop> {
    let (mut restored, mut after) = (Restored::default(), None);
    loop {
        let page = cx.store.read("accounts", move |db| Ok(accounts::ids(db, after, BATCH)?)).await?;
        let Some(last) = page.last().copied() else { break };
        after = Some(last);
        let (restoring, ids) = (cx.clone(), page);
        let batch = move |tx: &mut Tx<'_>| {
            let mut batch = Restored::default();
            for id in &ids {
                restore(tx, &restoring, *id, void_recovery_codes, &mut batch)?;
            }
            Ok(batch)
        };
        let batch = cx.store.write("after-restore", batch).await?;
        restored.accounts += batch.accounts;
        restored.sessions += batch.sessions;
        restored.enrollments += batch.enrollments;
        restored.recovery_codes += batch.recovery_codes;
    }
    let now = cx.now;
    let ended = move |tx: &mut Tx<'_>| {
        idempotency::forget(tx)?;
        replicas::forget(tx)?;
        Ok(restorations::record(tx, now)?)
    };
    let Restoration { anchor, .. } = cx.store.write("restoration", ended).await?;
    audit::anchor(cx, |_| ()).await?;
    Ok(Restored { anchor, ..restored })
}

/// The names of the replicas that serve, who would answer from a database that is not fit for it.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn served_by(cx: &Cx) -> Result<Vec<String>, Stop> {
    Ok(keys::replicas(cx).await?.into_iter().map(|replica| replica.name).collect())
}

fn restore(
    tx: &mut Tx<'_>,
    cx: &Cx,
    id: AccountId,
    void_recovery_codes: bool,
    restored: &mut Restored,
) -> Result<(), Fault> {
    let Some(mut account) = accounts::lock(tx, id)? else { return Ok(()) };
    // A code of the last step that counts now may have been used a moment before the disaster.
    let step = Step(Step::at(cx.now).0.saturating_add(cx.policy.totp_window.into()));
    let live = methods::live(tx, id)?;
    for method in live.iter().filter(|method| method.state == State::Active) {
        totp::burn(tx, method.id, step)?;
        sent_codes::revoke(tx, method.id)?;
    }
    tombstones::burn(tx, id, step)?;
    if live.iter().any(|method| method.state == State::Pending) {
        methods::abandon_pending(tx, id, cx.now)?;
        let event = Event::of_system(EventKind::EnrollmentCancelled).with("reason", REASON);
        accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
        restored.enrollments += 1;
    }
    let codes = if void_recovery_codes { recovery_codes::void(tx, id, cx.now)? } else { 0 };
    if codes > 0 {
        let event = Event::of_system(EventKind::RecoveryCodeUsed).with("reason", REASON).with("codes", codes);
        accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
    }
    challenges::end_all(tx, id, cx.now)?;
    let sessions = sessions::end_others(tx, id, None, cx.now)?;
    let event = Event::of_system(EventKind::SessionRevoked).with("reason", REASON).with("sessions", sessions);
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |account| account.epoch += 1)?;
    restored.accounts += 1;
    restored.sessions += sessions as u64;
    restored.recovery_codes += codes as u64;
    Ok(())
}
