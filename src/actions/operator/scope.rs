//! What an account may do beside looking after itself: the scopes that its tokens carry.

use super::{Done, Whom, event, hold};
use crate::{
    actions::Cx,
    domain::{account::Remark, event::EventKind, refusal::Stop},
    store::accounts,
};

/// Gives an account a scope; `false` where it had it before. Tokens that were issued before are refused, and
/// a refresh gives new ones.
///
/// # Errors
/// `not-found`.
pub async fn grant(cx: &Cx, whom: Whom, scope: String, reason: Option<Remark>) -> Result<Done<bool>, Stop> {
    change(cx, whom, scope, true, reason).await
}

/// Takes a scope away from an account; `false` where it did not have it. Tokens that carry it are refused at once.
///
/// # Errors
/// `not-found`.
pub async fn revoke(cx: &Cx, whom: Whom, scope: String, reason: Option<Remark>) -> Result<Done<bool>, Stop> {
    change(cx, whom, scope, false, reason).await
}

async fn change(
    cx: &Cx,
    whom: Whom,
    scope: String,
    is_granted: bool,
    reason: Option<Remark>,
) -> Result<Done<bool>, Stop> {
    let setting = cx.clone();
    cx.store
        .write("change-scope", move |tx| {
            let mut account = hold(tx, &whom)?;
            let id = account.id;
            if account.has_scope(&scope) == is_granted {
                return Ok(Done { id, what: false });
            }
            let kind = if is_granted { EventKind::ScopeGranted } else { EventKind::ScopeRevoked };
            let event = event(kind, reason.as_ref()).with("scope", scope.as_str());
            accounts::record(tx, &mut account, &setting.origin, setting.now, &event, |account| {
                let others = account.scope.split_whitespace().filter(|other| *other != scope);
                let scopes: Vec<&str> = others.chain(is_granted.then_some(scope.as_str())).collect();
                account.scope = scopes.join(" ");
                account.epoch += 1;
            })?;
            Ok(Done { id, what: true })
        })
        .await
}
