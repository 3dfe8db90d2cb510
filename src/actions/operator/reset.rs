//! Switching two-factor authentication off for an owner who cannot: the operator's way, for every account,
//! those with a scope too.

use super::{Done, Whom, event, hold};
use crate::{
    actions::{
        Cx,
        two_factor::disable::{self, Counts},
    },
    domain::{account::Remark, event::EventKind, refusal::Stop},
    store::methods,
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
            let id = account.id;
            let methods = methods::remove_for_operator(tx, id, setting.now, setting.policy.undo_until(setting.now))?;
            let event = event(EventKind::TwoFactorResetByOperator, Some(&reason));
            let what = disable::switch_off(tx, &setting, &mut account, methods, None, event)?.revoked;
            Ok(Done { id, what })
        })
        .await
}
