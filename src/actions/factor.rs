//! Guessing at a second factor: which budget pays, and what a right one changes beside its purpose.

use super::{Call, Cx};
use crate::{
    domain::{
        account::Account,
        assurance::{Acr, Factor},
        binding::Binding,
        event::{Event, EventKind},
        guesses::{BucketId, Scope},
        id::{AccountId, BypassCodeId, SessionId},
        lockout::Kept,
        refusal::{Fault, Refusal, Stop},
    },
    store::{
        Tx, accounts, bypass_codes,
        factors::{self, Judged, Match, Offered, Question, Spent},
        ledger::{self, Paid},
        sessions,
    },
};

/// Pays for a guess: a place in each of `buckets`. While a bypass code is live, what is sent as a recovery code is a
/// guess at both, and takes a place in both budgets; when that of recovery codes is spent, it is a guess at the bypass
/// code alone.
///
/// # Errors
/// `too-many-attempts`; then the guess must not be judged.
pub fn pay(tx: &mut Tx<'_>, cx: &Cx, account: AccountId, buckets: Vec<BucketId>) -> Result<Paid, Stop> {
    let limits = &cx.policy.limits;
    let is_recovery = |bucket: &BucketId| bucket.scope == Scope::RecoveryCode;
    let bypass = if buckets.iter().any(is_recovery) { bypass_codes::live(tx, account, cx.now)? } else { None };
    let Some(bypass) = bypass.map(|id| BucketId::new(Scope::BypassCode, id)) else {
        return ledger::pay(tx, limits, buckets, cx.now);
    };
    let both = buckets.iter().cloned().chain([bypass.clone()]).collect();
    match ledger::pay(tx, limits, both, cx.now) {
        Err(Stop::Refused(Refusal::TooManyAttempts(spent))) if spent.policy == Scope::RecoveryCode.name() => {
            let others = buckets.into_iter().filter(|bucket| !is_recovery(bucket));
            ledger::pay(tx, limits, others.chain([bypass]).collect(), cx.now)
        }
        paid => paid,
    }
}

/// Settles guesses that were wrong. A bypass code whose budget is used up by them dies; nothing else ends by that
/// budget.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn keep(tx: &mut Tx<'_>, cx: &Cx, account: AccountId, paid: Paid) -> Result<Vec<(Scope, Kept)>, Fault> {
    let bypass: Option<BypassCodeId> = paid.key_in(Scope::BypassCode).and_then(|id| id.parse().ok());
    let mut kept = ledger::keep(tx, &cx.policy.limits, paid, cx.now)?;
    for (_, kept) in kept.iter_mut().filter(|(scope, _)| *scope == Scope::BypassCode) {
        if let (true, Some(id)) = (kept.ends, bypass) {
            bypass_codes::wear_out(tx, account, id)?;
        }
        kept.ends = false;
    }
    Ok(kept)
}

/// The bucket that a guess inside a session is paid from. A session that has proved the second factor to us
/// has one of its own, so that guesses before sign-in cannot lock its owner out of it.
pub fn bucket_in_session(call: &Call, offered: &Offered) -> BucketId {
    let assurance = &call.holder.assurance;
    if assurance.acr == Acr::Aal2 && assurance.is_ours() && !offered.is_recovery_code() {
        return BucketId::new(Scope::SessionCode, call.holder.session);
    }
    bucket_of_account(call.holder.account, offered)
}

/// The bucket that a guess before sign-in is paid from.
pub fn bucket_of_account(account: AccountId, offered: &Offered) -> BucketId {
    BucketId::new(if offered.is_recovery_code() { Scope::RecoveryCode } else { Scope::Code }, account)
}

/// Judges what was offered, for what it is asked for.
///
/// # Errors
/// `unreadable` when nothing of what the account has could be opened: then nothing was judged.
pub fn judge(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: AccountId,
    binding: Binding,
    offered: &Offered,
    paid: &Paid,
) -> Result<Judged, Fault> {
    let (window, party) = (cx.policy.totp_window, cx.passkeys.as_ref());
    factors::judge(tx, &Question { account, binding, paid, now: cx.now, window, party }, offered)
}

/// Uses a right factor up. A used recovery code is a change of the account and an event, a used bypass code an event.
/// Either of them may have been stolen from a drawer, so others are asked to hold back. Either of them, or a code in a session that is `aal2`, opens the bucket of codes when a cap has locked it.
///
/// # Errors
/// `contended` when the factor was used meanwhile.
pub fn spend(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &mut Account,
    session: Option<(SessionId, Acr)>,
    matched: Match,
) -> Result<Spent, Stop> {
    let spent = factors::spend(tx, account.id, matched, cx.now)?;
    let used = match spent.factor {
        Factor::RecoveryCode => Some(EventKind::RecoveryCodeUsed),
        Factor::BypassCode => Some(EventKind::BypassCodeUsed),
        Factor::Passkey { .. } | Factor::Totp | Factor::Sms | Factor::Email => None,
    };
    if let Some(kind) = used {
        let event = Event::of_owner(kind, session.map(|(id, _)| id));
        let hold = cx.policy.hold(cx.now);
        accounts::record(tx, account, &cx.origin, cx.now, &event, |account| account.restrict(hold))?;
    }
    if used.is_some() || session.is_some_and(|(_, acr)| acr == Acr::Aal2) {
        ledger::open(tx, &BucketId::new(Scope::Code, account.id), cx.now)?;
    }
    Ok(spent)
}

/// Tells the owner of a passkey that somebody may have a copy of it.
///
/// # Errors
/// `unavailable`; `contended` when another writer was faster.
pub fn tell_of_copy(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &mut Account,
    session: Option<SessionId>,
    judged: &Judged,
) -> Result<(), Fault> {
    let Judged::Copied(method) = judged else { return Ok(()) };
    let event = Event::of_owner(EventKind::PasskeyCounterWentBack, session).with("method", method.to_string());
    accounts::record(tx, account, &cx.origin, cx.now, &event, |_| {})
}

/// Answers wrong proofs inside a session: an event, and the end of the session once its budget for
/// wrong proofs is used up. `attempts_remaining` is told where one proof was sent alone.
///
/// # Errors
/// Always `invalid-credential`, or that the factor is unreadable, unless the database fails.
pub fn refuse_in_session<T>(
    tx: &mut Tx<'_>,
    call: &Call,
    account: &mut Account,
    action: &'static str,
    kept: &[(Scope, Kept)],
    was_alone: bool,
    judged: &Judged,
) -> Result<T, Stop> {
    let session = Some(call.holder.session);
    tell_of_copy(tx, &call.cx, account, session, judged)?;
    let failed = Event::of_owner(EventKind::ReauthenticationFailed, session).with("action", action);
    accounts::record(tx, account, &call.cx.origin, call.cx.now, &failed, |_| {})?;
    end_if_used_up(tx, call, account, kept)?;
    Err(judged.refusal(remaining(kept).filter(|_| was_alone)).into())
}

/// Ends the caller's session when its budget for wrong proofs is used up, and records that.
///
/// # Errors
/// `unavailable`.
pub fn end_if_used_up(
    tx: &mut Tx<'_>,
    call: &Call,
    account: &mut Account,
    kept: &[(Scope, Kept)],
) -> Result<(), Fault> {
    let (session, now) = (call.holder.session, call.cx.now);
    if kept.iter().any(|(_, kept)| kept.ends) && sessions::end(tx, session, now)? {
        let ended = Event::of_owner(EventKind::SessionRevoked, Some(session))
            .with("reason", "too-many-failures")
            .with("sessions", 1);
        accounts::record(tx, account, &call.cx.origin, now, &ended, |_| {})?;
    }
    Ok(())
}

/// Guesses left, by the bucket that has fewest.
pub fn remaining(kept: &[(Scope, Kept)]) -> Option<u32> {
    kept.iter().map(|(_, kept)| kept.remaining).min()
}
