//! The entrance to every action of a token's holder: the checks that come before anything else, in the
//! order of the contract. Token, then idempotency key, then precondition.

use super::{Call, Outcome};
use crate::{
    domain::{
        account::Account,
        id::AccountId,
        idempotency::{Claim, Memory},
        refusal::{Refusal, Stop},
        session::Session,
    },
    store::{Db, Tx, accounts, idempotency, sessions},
};
use jiff::Timestamp;
use serde_json::Value;

/// Admits a request before its body is read: its token lives, and its key is free. Returns the outcome
/// of an earlier request with the same key, where it may be shown again.
///
/// # Errors
/// `invalid-token`, `request-in-progress`, `idempotency-key-reused`, `already-completed`.
pub async fn admit(call: &Call) -> Result<Option<Value>, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("admit", move |db| {
            let (account, _) = known(db, &asked)?;
            recall(db, asked.claim.as_ref(), account.id, asked.cx.now)
        })
        .await
}

/// The account and the session that a token speaks for, as they are now.
///
/// # Errors
/// `invalid-token` when the session has ended, the token is older than the account's epoch, or the account is
/// suspended; `two-factor-setup-required` where its owner must set two-factor authentication up before this.
pub fn recognise(db: &mut Db<'_>, call: &Call) -> Result<(Account, Session), Stop> {
    let (account, session) = known(db, call)?;
    if !call.is_for_setup && call.cx.policy.must_set_up(&account, call.cx.now) {
        return Err(Refusal::TwoFactorSetupRequired.into());
    }
    Ok((account, session))
}

/// As [`recognise`], whatever the policy requires first.
fn known(db: &mut Db<'_>, call: &Call) -> Result<(Account, Session), Stop> {
    let (session, account) = sessions::find_with_account(db, call.holder.session)?.ok_or(Refusal::InvalidToken)?;
    let is_of_holder = account.id == call.holder.account && account.epoch == call.holder.epoch;
    if is_of_holder && session.is_alive(call.cx.now) && !account.is_suspended() {
        Ok((account, session))
    } else {
        Err(Refusal::InvalidToken.into())
    }
}

/// Enters a change: holds the account, and checks token, idempotency key and precondition.
///
/// # Errors
/// `invalid-token`, `two-factor-setup-required`, `request-in-progress`, `idempotency-key-reused`, `already-completed`,
/// `version-mismatch`.
pub fn enter(tx: &mut Tx<'_>, call: &Call) -> Result<(Account, Session), Stop> {
    let (account, session) = reenter(tx, call)?;
    require_first(tx, call, account.id)?;
    call.precondition.check(account.version)?;
    Ok((account, session))
}

/// That no request of `account` with the same idempotency key runs, or has succeeded.
///
/// # Errors
/// `request-in-progress`, `idempotency-key-reused`, `already-completed`.
pub fn require_first(tx: &mut Tx<'_>, call: &Call, account: AccountId) -> Result<(), Stop> {
    require_unused(tx, call.claim.as_ref(), account, call.cx.now)
}

/// That no request of an account with the idempotency key of `claim` runs, or has succeeded, whoever sent it.
///
/// # Errors
/// `request-in-progress`, `idempotency-key-reused`, `already-completed`.
pub fn require_unused(tx: &mut Tx<'_>, claim: Option<&Claim>, account: AccountId, now: Timestamp) -> Result<(), Stop> {
    match recall(tx, claim, account, now)? {
        // Its twin finished between our admission and now: the next try replays.
        Some(_) => Err(Refusal::RequestInProgress.into()),
        None => Ok(()),
    }
}

/// Enters a change whose work does not fit into one transaction: as [`enter`], and takes the lease of
/// the idempotency key, once `require` is content with the account.
///
/// # Errors
/// As [`enter`], and what `require` says.
pub fn enter_with_lease<T>(
    tx: &mut Tx<'_>,
    call: &Call,
    require: impl FnOnce(&mut Tx<'_>, &Account) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let (account, _) = enter(tx, call)?;
    let entered = require(tx, &account)?;
    if let Some(claim) = &call.claim {
        idempotency::claim(tx, account.id, claim, call.cx.now)?;
    }
    Ok(entered)
}

/// Enters the second transaction of such a change. Its precondition is checked once its proofs hold: a
/// stale version must not spare anybody the price of a guess.
///
/// # Errors
/// `invalid-token`: the account moved meanwhile.
pub fn reenter(tx: &mut Tx<'_>, call: &Call) -> Result<(Account, Session), Stop> {
    accounts::lock(tx, call.holder.account)?;
    recognise(tx, call)
}

/// Ends a change: keeps its outcome under its idempotency key, in the transaction of its effect, or
/// frees the key when it was refused.
///
/// # Errors
/// What `ended` holds.
pub fn conclude<T>(
    tx: &mut Tx<'_>,
    call: &Call,
    ended: Result<T, Stop>,
    outcome: impl Fn(&T) -> Option<Value>,
) -> Result<T, Stop> {
    keep(tx, call.claim.as_ref(), call.holder.account, call.cx.now, ended, outcome)
}

/// Keeps the outcome of a change of an account under the idempotency key of `claim`, or frees the key when the change
/// was refused.
///
/// # Errors
/// What `ended` holds.
pub fn keep<T>(
    tx: &mut Tx<'_>,
    claim: Option<&Claim>,
    account: AccountId,
    now: Timestamp,
    ended: Result<T, Stop>,
    outcome: impl Fn(&T) -> Option<Value>,
) -> Result<T, Stop> {
    let Some(claim) = claim else { return ended };
    match &ended {
        Ok(done) => idempotency::remember(tx, account, claim, outcome(done).as_ref(), now)?,
        Err(Stop::Refused(_)) => idempotency::release(tx, account, claim)?,
        Err(Stop::Failed(_)) => {}
    }
    ended
}

/// What may be shown again of an outcome.
pub fn repeatable<T: Outcome>(outcome: &T) -> Option<Value> {
    outcome.is_repeatable().then(|| serde_json::to_value(outcome).ok()).flatten()
}

/// The outcome of an earlier request of an account with the idempotency key of `claim`, where it may be shown again.
///
/// # Errors
/// `request-in-progress`, `idempotency-key-reused`, `already-completed`.
pub fn recall(
    db: &mut Db<'_>,
    claim: Option<&Claim>,
    account: AccountId,
    now: Timestamp,
) -> Result<Option<Value>, Stop> {
    let Some(claim) = claim else { return Ok(None) };
    match idempotency::recall(db, account, claim, now)? {
        Memory::Fresh => Ok(None),
        Memory::Running => Err(Refusal::RequestInProgress.into()),
        Memory::Reused => Err(Refusal::IdempotencyKeyReused.into()),
        Memory::Done(None) => Err(Refusal::AlreadyCompleted.into()),
        Memory::Done(Some(outcome)) => Ok(Some(outcome)),
    }
}
