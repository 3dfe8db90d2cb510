//! Proving oneself again before a change: the password always, and a second factor where the token does
//! not vouch for one.
//!
//! Pay, compute, settle. [`prove`] pays for the guesses in a first write and computes the bcrypt outside
//! any transaction; [`settle`] judges in a second write, which checks that account and password are
//! still those that were read, and makes the change in it.

use super::{Call, Outcome, entrance, factor};
use crate::{
    crypto::{
        gate::Class,
        password::{Compared, Reverified},
    },
    domain::{
        account::Account,
        binding::Binding,
        guesses::{BucketId, Scope},
        password::Password,
        refusal::{Fault, Refusal, Stop},
        session::Session,
    },
    store::{
        Tx, accounts,
        factors::{Assured, Judged, Offered},
        idempotency,
        ledger::{self, Paid},
    },
};

/// What the owner offers as proof.
#[derive(Clone, Debug)]
pub struct Proofs {
    /// The account password.
    pub password: Password,
    /// A second factor.
    pub factor: Option<Offered>,
}

/// What is to be proved, and for what.
#[derive(Clone)]
pub struct Ask {
    /// The name of the change, for the log and the event.
    pub action: &'static str,
    /// What the owner offers.
    pub proofs: Proofs,
    /// A budget of the change itself, used up when it succeeds.
    pub quota: Option<BucketId>,
    /// A new password to hash beside the proof of the old one.
    pub new_password: Option<Password>,
}

/// Proofs that are paid for and, as far as the password goes, computed.
#[derive(Clone)]
pub struct Proven {
    ask: Ask,
    paid: Paid,
    compared: Compared,
}

impl Proven {
    /// The place in the change's own budget, and those of the guesses.
    fn split_paid(&self) -> (Paid, Paid) {
        let quota = self.ask.quota.as_ref().map(|bucket| bucket.scope);
        self.paid.clone().split(|scope| Some(scope) == quota)
    }
}

/// A change whose proofs hold, inside its transaction.
pub struct Change {
    /// The account, held.
    pub account: Account,
    /// The caller's session.
    pub session: Session,
    /// That the password was right.
    pub reverified: Reverified,
    /// The hash of the new password, where one was asked for.
    pub new_hash: Option<String>,
    assured: Option<Assured>,
    max_age: u32,
}

impl Change {
    /// That a second factor was proved, which holds whenever two-factor authentication is on.
    ///
    /// # Errors
    /// `insufficient-user-authentication` otherwise.
    pub fn assured(&self) -> Result<&Assured, Refusal> {
        self.assured.as_ref().ok_or(Refusal::InsufficientUserAuthentication { max_age: self.max_age })
    }
}

/// Pays for the proofs and computes the password. `require` says what state the account must be in.
///
/// # Errors
/// The refusals of the entrance, what `require` says, `insufficient-user-authentication` (before the
/// password is looked at), `too-many-attempts`; `overloaded`.
pub async fn prove(
    call: &Call,
    ask: Ask,
    require: impl Fn(&mut Tx<'_>, &Account) -> Result<(), Stop> + Send + 'static,
) -> Result<Proven, Stop> {
    let ticket = call.cx.passwords.reserve(Class::Owner)?;
    let (asked, to_pay) = (call.clone(), ask.clone());
    let (hash, paid) = call
        .cx
        .store
        .write("pay", move |tx| {
            entrance::enter_with_lease(tx, &asked, |tx, account| {
                require(tx, account)?;
                require_assurance(&asked, account, &to_pay.proofs)?;
                let paid = factor::pay(tx, &asked.cx, account.id, buckets(&asked, account, &to_pay))?;
                Ok((account.password_hash.clone(), paid))
            })
        })
        .await?;
    let (password, new) = (ask.proofs.password.clone(), ask.new_password.clone());
    match call.cx.passwords.verify(ticket, password, hash, new).await {
        Ok(compared) => Ok(Proven { ask, paid, compared }),
        Err(fault) => forget(call, paid, fault).await,
    }
}

/// Judges the proofs and, when they hold, makes the change: all in one write.
///
/// # Errors
/// `invalid-credential`, the same for whatever was wrong; `invalid-token` when the account moved
/// meanwhile; what `effect` says.
pub async fn settle<T, E>(call: &Call, proven: Proven, effect: E) -> Result<T, Stop>
where
    T: Settled + Send + 'static,
    E: Fn(&mut Tx<'_>, Change) -> Result<T, Stop> + Send + 'static,
{
    let asked = call.clone();
    let action = proven.ask.action;
    call.cx
        .store
        .write(action, move |tx| {
            let ended = judge(tx, &asked, &proven).and_then(|change| effect(tx, change));
            entrance::conclude(tx, &asked, ended, Settled::remembered)
        })
        .await
}

/// What a settled change leaves under its idempotency key.
pub trait Settled {
    /// What may be shown again.
    fn remembered(&self) -> Option<serde_json::Value>;
}

impl<T: Outcome> Settled for T {
    fn remembered(&self) -> Option<serde_json::Value> {
        entrance::repeatable(self)
    }
}

impl<T: Outcome> Settled for (T, super::issue::Grant) {
    fn remembered(&self) -> Option<serde_json::Value> {
        entrance::repeatable(&self.0)
    }
}

fn require_assurance(call: &Call, account: &Account, proofs: &Proofs) -> Result<(), Refusal> {
    let max_age = call.cx.policy.step_up_max_age;
    let is_assured = call.holder.assurance.is_fresh(call.cx.now, max_age) || proofs.factor.is_some();
    if account.is_enabled() && !is_assured {
        return Err(Refusal::InsufficientUserAuthentication { max_age });
    }
    Ok(())
}

fn buckets(call: &Call, account: &Account, ask: &Ask) -> Vec<BucketId> {
    let mut buckets =
        vec![BucketId::new(Scope::ReauthSession, call.holder.session), BucketId::new(Scope::ReauthAccount, account.id)];
    buckets.extend(factor_in_use(account, &ask.proofs).map(|offered| factor::bucket_in_session(call, offered)));
    buckets.extend(ask.quota.clone());
    buckets
}

/// While two-factor authentication is off there is no second factor to judge, whatever is sent.
fn factor_in_use<'a>(account: &Account, proofs: &'a Proofs) -> Option<&'a Offered> {
    proofs.factor.as_ref().filter(|_| account.is_enabled())
}

fn judge(tx: &mut Tx<'_>, call: &Call, proven: &Proven) -> Result<Change, Stop> {
    let (mut account, session) = match entrance::reenter(tx, call) {
        Err(Stop::Refused(refusal)) => return refuse_moved(tx, call, proven, refusal),
        entered => entered?,
    };
    let (cx, ask) = (&call.cx, &proven.ask);
    let judged = match factor_in_use(&account, &ask.proofs) {
        Some(offered) => Some(factor::judge(tx, cx, account.id, Binding::Session(session.id), offered, &proven.paid)?),
        None => None,
    };
    let (quota_place, guesses) = proven.split_paid();
    // The epoch has not moved since the password was read, so it is still the account's password, even if
    // a sign-in beside us has hashed it anew.
    match (proven.compared.reverified.clone(), judged) {
        (Some(reverified), judged @ (None | Some(Judged::Right(_)))) => {
            ledger::give_back(tx, guesses, cx.now)?;
            if let Err(moved) = call.precondition.check(account.version) {
                ledger::release(tx, quota_place, cx.now)?;
                return Err(moved.into());
            }
            ledger::keep(tx, &cx.policy.limits, quota_place, cx.now)?;
            let caller = (session.id, call.holder.assurance.acr);
            let assured = match judged {
                Some(Judged::Right(matched)) => {
                    Some(Assured::by_factor(&factor::spend(tx, cx, &mut account, Some(caller), matched)?))
                }
                _ => Assured::by_token(&call.holder.assurance, cx.now, cx.policy.step_up_max_age),
            };
            let new_hash = proven.compared.new_hash.clone();
            Ok(Change { account, session, reverified, new_hash, assured, max_age: cx.policy.step_up_max_age })
        }
        (_, judged) => {
            // Proofs that do not hold together are all paid for: the end of a budget must not tell which
            // one was wrong.
            ledger::release(tx, quota_place, cx.now)?;
            let kept = factor::keep(tx, cx, account.id, guesses)?;
            let (was_alone, judged) = (judged.is_none(), judged.unwrap_or(Judged::Wrong));
            factor::refuse_in_session(tx, call, &mut account, ask.action, &kept, was_alone, &judged)
        }
    }
}

/// The account moved while the password was computed: the caller's token is dead. What the computation
/// found is not told, and a wrong guess is paid for all the same, with the session when it was the last.
fn refuse_moved<T>(tx: &mut Tx<'_>, call: &Call, proven: &Proven, refusal: Refusal) -> Result<T, Stop> {
    let now = call.cx.now;
    let (quota_place, guesses) = proven.split_paid();
    ledger::release(tx, quota_place, now)?;
    if proven.compared.reverified.is_some() {
        ledger::give_back(tx, guesses, now)?;
    } else {
        let kept = factor::keep(tx, &call.cx, call.holder.account, guesses)?;
        if let Some(mut account) = accounts::by_id(tx, call.holder.account)? {
            factor::end_if_used_up(tx, call, &mut account, &kept)?;
        }
    }
    Err(refusal.into())
}

/// Ends a change that broke down before anything was judged: nothing is owed, so places and idempotency
/// key are given back.
///
/// # Errors
/// Always `fault`, or the one met on the way.
async fn forget<T>(call: &Call, paid: Paid, fault: Fault) -> Result<T, Stop> {
    let asked = call.clone();
    let given_back = call.cx.store.write("forget", move |tx| {
        ledger::release(tx, paid.clone(), asked.cx.now)?;
        if let Some(claim) = &asked.claim {
            idempotency::release(tx, asked.holder.account, claim)?;
        }
        Ok(())
    });
    given_back.await?;
    Err(fault.into())
}
