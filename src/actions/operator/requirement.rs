//! The list of those who must have two-factor authentication, where the policy requires it of a list.

use super::{Done, Whom, event, hold};
use crate::{
    actions::Cx,
    domain::{account::Remark, event::EventKind, policy::Required, refusal::Stop},
    store::accounts,
};

/// Puts an account on the list; `false` where it was on it before. Its owner's time to set it up begins with the next
/// sign-in, unless it has begun before.
///
/// # Errors
/// `not-found`.
pub async fn require(cx: &Cx, whom: Whom, reason: Option<Remark>) -> Result<Done<bool>, Stop> {
    change(cx, whom, true, reason).await
}

/// Takes an account off the list; `false` where it was not on it. The time that has begun is not forgotten: it goes on
/// from there when the account is required again.
///
/// # Errors
/// `not-found`.
pub async fn release(cx: &Cx, whom: Whom, reason: Option<Remark>) -> Result<Done<bool>, Stop> {
    change(cx, whom, false, reason).await
}

async fn change(cx: &Cx, whom: Whom, is_required: bool, reason: Option<Remark>) -> Result<Done<bool>, Stop> {
    let setting = cx.clone();
    cx.store
        .write("change-requirement", move |tx| {
            let mut account = hold(tx, &whom)?;
            let id = account.id;
            if account.listed_at.is_some() == is_required {
                return Ok(Done { id, what: false });
            }
            let kind = if is_required { EventKind::TwoFactorRequired } else { EventKind::TwoFactorReleased };
            // A list that is not looked at yet is no news to those who are on it.
            let is_in_force = setting.policy.required == Required::Listed;
            let event = event(kind, reason.as_ref()).with("in_force", is_in_force);
            accounts::record(tx, &mut account, &setting.origin, setting.now, &event, |account| {
                account.listed_at = is_required.then_some(setting.now);
            })?;
            Ok(Done { id, what: true })
        })
        .await
}
