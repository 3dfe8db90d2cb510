//! Step-up: a session proves the second factor now, and its next tokens are `aal2`. One write: the guess
//! is paid, judged and settled, and a right one used up, before anybody hears of it.

use crate::{
    actions::{
        Call, Outcome, entrance, factor,
        issue::{self, Grant, Tokens},
    },
    domain::{account::Account, assurance::Assurance, binding::Binding, refusal::Stop, session::Session},
    store::{
        Tx,
        factors::{Judged, Offered},
        ledger, requirements,
    },
};
use serde::{Deserialize, Serialize};

/// The second factor was proved.
#[derive(Serialize, Deserialize)]
pub struct Verified {
    /// A fresh pair of the same session.
    #[serde(skip)]
    pub tokens: Option<Tokens>,
}

impl Outcome for Verified {
    /// It is its tokens.
    fn is_repeatable(&self) -> bool {
        false
    }
}

/// Proves the second factor.
///
/// # Errors
/// `two-factor-not-enabled`, `too-many-attempts`, `invalid-credential`.
pub async fn verify(call: &Call, offered: Offered) -> Result<Verified, Stop> {
    let asked = call.clone();
    let write = call.cx.store.write("verify", move |tx| {
        let (account, session) = entrance::enter(tx, &asked)?;
        account.require_enabled()?;
        let ended = judge(tx, &asked, account, session, &offered);
        entrance::conclude(tx, &asked, ended, |_| None)
    });
    let grant = write.await?;
    Ok(Verified { tokens: issue::fresh_tokens(&call.cx, grant)? })
}

fn judge(
    tx: &mut Tx<'_>,
    call: &Call,
    mut account: Account,
    session: Session,
    offered: &Offered,
) -> Result<Grant, Stop> {
    let cx = &call.cx;
    let paid = factor::pay(tx, cx, account.id, vec![factor::bucket_in_session(call, offered)])?;
    let matched = match factor::judge(tx, cx, account.id, Binding::Session(session.id), offered, &paid)? {
        Judged::Right(matched) => matched,
        missed => {
            let kept = factor::keep(tx, cx, account.id, paid)?;
            return factor::refuse_in_session(tx, call, &mut account, "verify", &kept, true, &missed);
        }
    };
    ledger::give_back(tx, paid, cx.now)?;
    let caller = (session.id, call.holder.assurance.acr);
    let spent = factor::spend(tx, cx, &mut account, Some(caller), matched)?;
    // A method that was just used works; a recovery code says nothing about it.
    if spent.factor.is_method() {
        requirements::check(tx, account.id, cx.now)?;
        if session.is_portals && account.subject_unproven_since.is_some() {
            requirements::prove_subject(tx, account.id)?;
        }
    }
    Ok(issue::renew(tx, cx, &account, session, Assurance::second_factor(spent.factor, cx.now))?)
}
