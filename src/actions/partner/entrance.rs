//! The partners' own entrance: the client as it is now, the scope that it takes, and whether it sees the account. An
//! account that it does not see is not there.

use super::PartnerCall;
use crate::{
    actions::entrance,
    domain::{
        account::Account,
        client::{Client, ClientScope},
        id::AccountId,
        refusal::{Fault, Refusal, Stop},
    },
    store::{Db, Tx, accounts, clients, consents},
};
use serde_json::Value;

/// The client that a token speaks for, as it is now.
///
/// # Errors
/// `invalid-token` when the client is disabled, or its secret was exchanged without an overlap since; `not-permitted`
/// when the token, or the client by now, lacks the scope.
pub fn recognise(db: &mut Db<'_>, call: &PartnerCall, scope: ClientScope) -> Result<Client, Stop> {
    let client = clients::by_id(db, call.holder.client)?.ok_or(Refusal::InvalidClientToken)?;
    if client.is_disabled() || client.epoch != call.holder.epoch {
        return Err(Refusal::InvalidClientToken.into());
    }
    if call.holder.scopes.holds(scope) && client.scopes.holds(scope) {
        Ok(client)
    } else {
        Err(Refusal::InsufficientScope { scope: scope.as_str() }.into())
    }
}

/// That a client may, before the body of its request is read.
///
/// # Errors
/// Those of [`recognise`].
pub async fn may(call: &PartnerCall, scope: ClientScope) -> Result<(), Stop> {
    let asked = call.clone();
    call.cx.store.read("partner-may", move |db| recognise(db, &asked, scope).map(|_| ())).await
}

/// An account, for a client to look at. While it is suspended nobody vouches for it, so it is not there.
///
/// # Errors
/// Those of [`recognise`], and `not-found`.
pub fn look(db: &mut Db<'_>, call: &PartnerCall, scope: ClientScope, id: AccountId) -> Result<Account, Stop> {
    let client = recognise(db, call, scope)?;
    let account = accounts::by_id(db, id)?;
    Ok(visible(db, &client, account)?.filter(|account| !account.is_suspended()).ok_or(Refusal::NotFound)?)
}

/// Admits a request before its body is read: its client may, and its key is free. Returns the outcome of an earlier
/// request with the same key, where it may be shown again. An account that is not there has none, and is missed once
/// the body was read.
///
/// # Errors
/// Those of [`recognise`], `request-in-progress`, `idempotency-key-reused`, `already-completed`.
pub async fn admit(call: &PartnerCall, scope: ClientScope, id: AccountId) -> Result<Option<Value>, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("partner-admit", move |db| match look(db, &asked, scope, id) {
            Ok(account) => entrance::recall(db, asked.claim.as_ref(), account.id, asked.cx.now),
            Err(Stop::Refused(Refusal::NotFound)) => Ok(None),
            Err(stop) => Err(stop),
        })
        .await
}

/// Enters a change: holds the account, which the client must see, and checks what [`admit`] checks.
///
/// # Errors
/// Those of [`look`] and [`admit`].
pub fn enter(tx: &mut Tx<'_>, call: &PartnerCall, scope: ClientScope, id: AccountId) -> Result<Account, Stop> {
    // To hold a row is a write, whose time would tell an account that is not theirs from one that is not there.
    look(tx, call, scope, id)?;
    accounts::lock(tx, id)?;
    let account = look(tx, call, scope, id)?;
    entrance::require_unused(tx, call.claim.as_ref(), account.id, call.cx.now)?;
    Ok(account)
}

/// An account, if the client sees it.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn visible(db: &mut Db<'_>, client: &Client, account: Option<Account>) -> Result<Option<Account>, Fault> {
    let Some(account) = account else { return Ok(None) };
    let is_seen = client.sees_all || consents::find(db, account.id, client.id)?.is_some();
    Ok(is_seen.then_some(account))
}
