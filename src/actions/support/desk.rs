//! The support desk's own entrance: who asks is an agent, and the account that it is about is there.
//!
//! What an account is like is somebody else's affair here, so whether the caller may know comes before all that is
//! told of it: the scope, then the proof of the second factor, then the account.

use crate::{
    actions::{Call, entrance},
    domain::{
        account::Account,
        agent::{Agent, Cause},
        guesses::{BucketId, Scope},
        id::AccountId,
        refusal::{Refusal, Stop},
    },
    store::{
        Db, Tx, accounts,
        ledger::{self, Paid},
    },
};

/// What an agent asks for, and why.
#[derive(Clone, Debug)]
pub struct Command {
    /// The account that it is about.
    pub account: AccountId,
    /// Why.
    pub cause: Cause,
}

/// The agent that a token speaks for, as the account is now.
///
/// # Errors
/// `invalid-token`, `not-permitted`, `insufficient-user-authentication`.
pub fn agent(db: &mut Db<'_>, call: &Call) -> Result<Agent, Stop> {
    let (account, _) = entrance::recognise(db, call)?;
    let max_age = call.cx.policy.support_max_age;
    Ok(Agent::recognise(&account, &call.holder.assurance, call.cx.now, max_age)?)
}

/// An account, for an agent to look at.
///
/// # Errors
/// Those of [`agent`], and `not-found`.
pub fn look(db: &mut Db<'_>, call: &Call, id: AccountId) -> Result<Account, Stop> {
    agent(db, call)?;
    Ok(accounts::by_id(db, id)?.ok_or(Refusal::NotFound)?)
}

/// Enters a change: holds the agent's account and the one that it is about, and checks the token, who may, the
/// idempotency key, which is the agent's, and the precondition, which is of the account that it is about.
///
/// # Errors
/// Those of [`agent`], `request-in-progress`, `idempotency-key-reused`, `already-completed`, `not-found`,
/// `version-mismatch`.
pub fn enter(tx: &mut Tx<'_>, call: &Call, id: AccountId) -> Result<(Agent, Account), Stop> {
    let [_, account] = accounts::lock_both(tx, call.holder.account, id)?;
    let agent = agent(tx, call)?;
    entrance::require_first(tx, call, agent.account())?;
    let account = account.ok_or(Refusal::NotFound)?;
    call.precondition.check(account.version)?;
    Ok((agent, account))
}

/// Takes a place in the agent's budget of resets, bypass codes and unlocks.
///
/// # Errors
/// `too-many-attempts`.
pub fn pay(tx: &mut Tx<'_>, call: &Call, agent: &Agent) -> Result<Paid, Stop> {
    let bucket = BucketId::new(Scope::SupportAction, agent.account());
    ledger::pay(tx, &call.cx.policy.limits, vec![bucket], call.cx.now)
}
