//! Switching two-factor authentication off for an owner who cannot: the operator's way, for every account,
//! those with a scope too.

use super::{Done, Whom, event, hold};
use crate::{
    actions::{Cx, two_factor::disable::Counts},
    domain::{account::Remark, event::EventKind, refusal::Stop},
    store::{accounts, methods, recovery_codes, sessions},
};

/// Switches two-factor authentication off: methods and recovery codes go, all sessions end, and all tokens are
/// refused. The owner signs in by password alone from then on.
///
/// # Errors
/// `not-found`, `two-factor-not-enabled`.
pub async fn reset(cx: &Cx, whom: Whom, reason: Remark) -> Result<Done<Counts>, Stop> {
    let setting = cx.clone();
    cx.store
        .write("reset-two-factor", move |tx| {
            let mut account = hold(tx, &whom)?;
            account.require_enabled()?;
            let (id, now) = (account.id, setting.now);
            let what = Counts {
                methods: methods::remove_for_operator(tx, id, now)?,
                recovery_codes: recovery_codes::delete_all(tx, id)?,
                sessions: sessions::end_others(tx, id, None, now)?,
            };
            let event = event(EventKind::TwoFactorResetByOperator, Some(&reason))
                .with("methods", what.methods)
                .with("recovery_codes", what.recovery_codes)
                .with("sessions", what.sessions);
            accounts::record(tx, &mut account, &setting.origin, now, &event, |account| {
                account.epoch += 1;
                account.enabled_at = None;
                account.disabled_at = Some(now);
                account.reminder_at = Some(setting.in_seconds(setting.policy.reminder_after));
            })?;
            Ok(Done { id, what })
        })
        .await
}
