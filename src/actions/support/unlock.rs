//! Opening the budgets of guesses that an owner, or somebody else, has used up. Sessions that ended stay ended.

use super::desk::{self, Command};
use crate::{
    actions::{Call, Outcome, entrance, login},
    domain::{
        account::Account,
        agent::{Agent, Cause},
        event::{Event, EventKind},
        guesses::{BucketId, Scope},
        refusal::{Fault, Refusal, Stop},
    },
    store::{Tx, accounts, ledger, sessions},
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
/// must not get the agent's budgets with it.
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
    let mut opened: Vec<String> = Vec::new();
    for bucket in buckets(tx, call, &account)? {
        let name = bucket.scope.name().to_owned();
        if ledger::forget(tx, &bucket, cx.now)? && !opened.contains(&name) {
            opened.push(name);
        }
    }
    let event = Event::of_support(EventKind::AccountUnlocked, agent, cause).with("opened", opened.clone());
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
    Ok(Unlocked { unlocked_at: cx.now, opened })
}

/// Every budget of guesses that is the account's, its living sessions' and its address'.
fn buckets(tx: &mut Tx<'_>, call: &Call, account: &Account) -> Result<Vec<BucketId>, Fault> {
    let of_account = [Scope::Code, Scope::RecoveryCode, Scope::ReauthAccount];
    let mut buckets: Vec<BucketId> = of_account.map(|scope| BucketId::new(scope, account.id)).into();
    for session in sessions::alive(tx, account.id, call.cx.now)? {
        let of_session = [Scope::SessionCode, Scope::ReauthSession];
        buckets.extend(of_session.map(|scope| BucketId::new(scope, session.id)));
    }
    buckets.extend(login::password::buckets(tx, &call.cx, account)?);
    Ok(buckets)
}
