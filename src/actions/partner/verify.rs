//! Having a code judged for a partner, such as before a risky order. It is a guess like any other: paid from the budget
//! that sign-ins are paid from, and a right code is used up for everybody.

use super::{PartnerCall, entrance};
use crate::{
    actions::{entrance as idempotent, factor},
    domain::{
        account::Account,
        binding::Binding,
        client::ClientScope,
        event::{Event, EventKind},
        id::AccountId,
        refusal::Stop,
        totp::Code,
    },
    store::{
        Tx, accounts,
        factors::{Judged, Offered},
        ledger::{self, Paid},
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a partner sends.
#[derive(Clone, Debug)]
pub struct Verify {
    /// Whose code it is to be.
    pub account: AccountId,
    /// The code.
    pub code: Code,
}

/// The code was right.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Verified {
    /// When it was judged.
    pub at: Timestamp,
}

/// Judges a code, and uses it up when it is right.
///
/// # Errors
/// Those of [`entrance::enter`], `two-factor-not-enabled`, `too-many-attempts`, `invalid-credential`.
pub async fn verify(call: &PartnerCall, command: Verify) -> Result<Verified, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("partner-verify", move |tx| {
            let account = entrance::enter(tx, &asked, ClientScope::VerifyTwoFactor, command.account)?;
            account.require_enabled()?;
            let (id, claim, now) = (account.id, asked.claim.as_ref(), asked.cx.now);
            let ended = judge(tx, &asked, account, &Offered::Code(command.code.clone()));
            idempotent::keep(tx, claim, id, now, ended, |verified| serde_json::to_value(verified).ok())
        })
        .await
}

fn judge(tx: &mut Tx<'_>, call: &PartnerCall, mut account: Account, offered: &Offered) -> Result<Verified, Stop> {
    let cx = &call.cx;
    let paid = factor::pay(tx, cx, account.id, vec![factor::bucket_of_account(account.id, offered)])?;
    let matched = match factor::judge(tx, cx, account.id, Binding::Partner(call.holder.client), offered, &paid)? {
        Judged::Right(matched) => matched,
        missed => return refuse(tx, call, &mut account, paid, &missed),
    };
    ledger::give_back(tx, paid, cx.now)?;
    factor::spend(tx, cx, &mut account, None, matched)?;
    let event = Event::of_partner(EventKind::PartnerVerified, call.holder.client);
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
    Ok(Verified { at: cx.now })
}

fn refuse<T>(
    tx: &mut Tx<'_>,
    call: &PartnerCall,
    account: &mut Account,
    paid: Paid,
    judged: &Judged,
) -> Result<T, Stop> {
    let cx = &call.cx;
    let kept = factor::keep(tx, cx, account.id, paid)?;
    let event =
        Event::of_partner(EventKind::ReauthenticationFailed, call.holder.client).with("action", "partner-verify");
    accounts::record(tx, account, &cx.origin, cx.now, &event, |_| {})?;
    Err(judged.refusal(factor::remaining(&kept)).into())
}
