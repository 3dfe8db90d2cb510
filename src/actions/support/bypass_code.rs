//! Issuing a bypass code: one sign-in for an owner whose phone is out of reach, while two-factor authentication stays
//! on. The agent tells it to the owner, who sends it as a recovery code.

use super::desk::{self, Command};
use crate::{
    actions::{Call, Outcome, entrance},
    domain::{
        account::Account,
        agent::{Agent, Cause},
        event::{Event, EventKind},
        recovery_code::RecoveryCode,
        refusal::Stop,
    },
    store::{Tx, accounts, bypass_codes, ledger},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A code was issued.
#[derive(Serialize, Deserialize)]
pub struct Issued {
    /// When it dies, used or not.
    pub expires_at: Timestamp,
    /// The code.
    #[serde(skip)]
    pub code: Option<RecoveryCode>,
}

impl Outcome for Issued {
    /// Without its code it is of no use.
    fn is_repeatable(&self) -> bool {
        false
    }
}

/// Issues a code; the account's last one dies with it.
///
/// # Errors
/// Those of [`desk::enter`], `not-permitted` for an account with a scope, `two-factor-not-enabled`,
/// `too-many-attempts`.
pub async fn issue(call: &Call, command: Command) -> Result<Issued, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("support-bypass-code", move |tx| {
            let (agent, account) = desk::enter(tx, &asked, command.account)?;
            let ended = draw(tx, &asked, &agent, account, &command.cause);
            entrance::conclude(tx, &asked, ended, entrance::repeatable)
        })
        .await
}

fn draw(tx: &mut Tx<'_>, call: &Call, agent: &Agent, mut account: Account, cause: &Cause) -> Result<Issued, Stop> {
    let cx = &call.cx;
    let customer = agent.customer(&account)?;
    account.require_enabled()?;
    let paid = desk::pay(tx, call, agent)?;
    ledger::keep(tx, &cx.policy.limits, paid, cx.now)?;
    let expires_at = cx.in_seconds(cx.policy.bypass_code_ttl);
    let code = bypass_codes::issue(tx, &customer, expires_at, cx.now, agent)?;
    let event = Event::of_support(EventKind::BypassCodeIssued, agent, cause).with("expires_at", expires_at.to_string());
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
    Ok(Issued { expires_at, code: Some(code) })
}
