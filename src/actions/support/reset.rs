//! Switching two-factor authentication off for an owner who has lost every factor: as the owner's own disable, in one
//! write, but that the proof is the agent's and that no session is spared.

use super::desk::{self, Command};
use crate::{
    actions::{
        Call, entrance,
        two_factor::disable::{self, Disabled},
    },
    domain::{
        account::Account,
        agent::{Agent, Cause},
        event::{Event, EventKind},
        refusal::Stop,
    },
    store::{Tx, ledger, methods},
};

/// Switches it off.
///
/// # Errors
/// Those of [`desk::enter`], `not-permitted` for an account with a scope, `two-factor-not-enabled`,
/// `too-many-attempts`.
pub async fn reset(call: &Call, command: Command) -> Result<Disabled, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("support-reset", move |tx| {
            let (agent, account) = desk::enter(tx, &asked, command.account)?;
            let ended = switch_off(tx, &asked, &agent, account, &command.cause);
            entrance::conclude(tx, &asked, ended, entrance::repeatable)
        })
        .await
}

fn switch_off(
    tx: &mut Tx<'_>,
    call: &Call,
    agent: &Agent,
    mut account: Account,
    cause: &Cause,
) -> Result<Disabled, Stop> {
    let cx = &call.cx;
    let customer = agent.customer(&account)?;
    account.require_enabled()?;
    let paid = desk::pay(tx, call, agent)?;
    ledger::keep(tx, &cx.policy.limits, paid, cx.now)?;
    let methods = methods::remove_for_agent(tx, &customer, cx.now, cx.policy.undo_until(cx.now), agent)?;
    let event = Event::of_support(EventKind::TwoFactorResetBySupport, agent, cause);
    Ok(disable::switch_off(tx, cx, &mut account, methods, None, event)?)
}
