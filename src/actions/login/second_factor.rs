//! Answering a challenge with a code or a recovery code. One write: paid, judged, settled; a right
//! answer uses up challenge and factor and begins the session, together or not at all.

use super::{Admitted, SignedIn, device, password::sign_in};
use crate::{
    actions::{Cx, factor},
    crypto::opaque::{Opaque, OpaqueKind},
    domain::{
        account::Account,
        assurance::Assurance,
        binding::Binding,
        event::{Event, EventKind},
        guesses::{BucketId, Scope},
        refusal::{Refusal, Stop},
        session::Challenge,
    },
    store::{
        Tx, accounts, challenges,
        factors::{Judged, Offered},
        ledger::{self, Paid},
    },
};

/// Completes a sign-in, and remembers the device where the owner asks to `remember` it.
///
/// # Errors
/// `challenge-expired`, `too-many-attempts`, `invalid-credential`.
pub async fn second_factor(cx: &Cx, challenge: &str, offered: Offered, remember: bool) -> Result<SignedIn, Stop> {
    let token = Opaque::read(&cx.keys, OpaqueKind::Challenge, challenge).ok_or(Refusal::ChallengeExpired)?;
    let judging = cx.clone();
    let judge = move |tx: &mut Tx<'_>| judge(tx, &judging, &token, &offered, remember);
    let admitted = cx.store.write("second-factor", judge).await?;
    Ok(admitted.tokens(cx)?)
}

fn judge(tx: &mut Tx<'_>, cx: &Cx, token: &Opaque, offered: &Offered, remember: bool) -> Result<Admitted, Stop> {
    let (mut account, challenge) = open_challenge(tx, cx, token)?;
    let buckets = vec![BucketId::new(Scope::Challenge, challenge.id), factor::bucket_of_account(account.id, offered)];
    let paid = factor::pay(tx, cx, account.id, buckets)?;
    let matched = match factor::judge(tx, cx, account.id, Binding::SignIn(challenge.id), offered, &paid)? {
        Judged::Right(matched) => matched,
        missed => return refuse(tx, cx, &mut account, &challenge, paid, &missed),
    };
    ledger::give_back(tx, paid, cx.now)?;
    let spent = factor::spend(tx, cx, &mut account, None, matched)?;
    challenges::end(tx, challenge.id, cx.now)?;
    let grant = sign_in(tx, cx, &mut account, Assurance::second_factor(spent.factor, cx.now), None)?;
    let device = if remember { device::remember(tx, cx, &mut account, spent.factor, &grant)? } else { None };
    Ok(Admitted { grant, device })
}

/// The challenge and its account, held first: its twin may have used it until then.
///
/// # Errors
/// `challenge-expired`.
pub(in crate::actions) fn open_challenge(
    tx: &mut Tx<'_>,
    cx: &Cx,
    token: &Opaque,
) -> Result<(Account, Challenge), Stop> {
    let account = accounts::lock_of_challenge(tx, token.id.into())?.ok_or(Refusal::ChallengeExpired)?;
    let challenge = challenges::find_open(tx, token, cx.now)?.ok_or(Refusal::ChallengeExpired)?;
    if challenge.epoch != account.epoch || !account.is_enabled() {
        return Err(Refusal::ChallengeExpired.into());
    }
    Ok((account, challenge))
}

fn refuse<T>(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &mut Account,
    challenge: &Challenge,
    paid: Paid,
    judged: &Judged,
) -> Result<T, Stop> {
    let kept = factor::keep(tx, cx, account.id, paid)?;
    if kept.iter().any(|(_, kept)| kept.ends) {
        challenges::end(tx, challenge.id, cx.now)?;
    }
    factor::tell_of_copy(tx, cx, account, None, judged)?;
    let event = Event::of_owner(EventKind::LoginSecondFactorFailed, None);
    accounts::record(tx, account, &cx.origin, cx.now, &event, |_| {})?;
    Err(judged.refusal(factor::remaining(&kept)).into())
}
