//! Unlocking an account for its owner.

use super::desk::{self, Command};
use crate::{
    actions::{Call, Outcome, entrance, unlock},
    domain::{
        account::Account,
        agent::{Agent, Cause},
        event::{Event, EventKind},
        refusal::{Refusal, Stop},
    },
    store::{Tx, accounts, ledger},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The budgets are whole again.
#[derive(Serialize, Deserialize)]
pub struct Unlocked {
    /// Since when.
    pub unlocked_at: Timestamp,
    /// The names of those that were not whole before.
    pub opened: Vec<String>,
}

impl Outcome for Unlocked {}

/// Opens the budgets of an account: codes, recovery codes, sign-in and re-authentication.
///
/// # Errors
/// Those of [`desk::enter`], and `not-permitted` for the agent's own account: whoever has stolen an agent's session
/// must not get the agent's budgets with it; `too-many-attempts`.
pub async fn unlock(call: &Call, command: Command) -> Result<Unlocked, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("support-unlock", move |tx| {
            let (agent, account) = desk::enter(tx, &asked, command.account)?;
            let ended = open(tx, &asked, &agent, account, &command.cause);
            entrance::conclude(tx, &asked, ended, entrance::repeatable)
        })
        .await
}

fn open(tx: &mut Tx<'_>, call: &Call, agent: &Agent, mut account: Account, cause: &Cause) -> Result<Unlocked, Stop> {
    let cx = &call.cx;
    if agent.is(&account) {
        return Err(Refusal::NotPermitted.into());
    }
    // Whoever could unlock without end could guess without end.
    let paid = desk::pay(tx, call, agent)?;
    ledger::keep(tx, &cx.policy.limits, paid, cx.now)?;
    let opened = unlock::open(tx, cx, &account)?;
    let event = Event::of_support(EventKind::AccountUnlocked, agent, cause).with("opened", opened.clone());
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
    Ok(Unlocked { unlocked_at: cx.now, opened })
}
