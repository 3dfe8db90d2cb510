//! Confirming an enrolment with the first proof of the new method: it protects the account from then on. Where it
//! replaces another one, of whatever kind, the two swap in this transaction, without a gap.

use super::{
    enrollment,
    status::{self, Status},
};
use crate::{
    actions::{
        Call, Cx, Outcome, entrance,
        issue::{self, Grant, Tokens},
    },
    domain::{
        account::Account,
        assurance::Assurance,
        binding::Binding,
        event::{Event, EventKind},
        guesses::{BucketId, Scope},
        id::MethodId,
        method::{Kind, Method, State},
        passkey::CredentialJson,
        recovery_code::RecoveryCode,
        refusal::{Fault, Refusal, Stop},
        sent_code::SentCode,
        session::Session,
        totp::Code,
    },
    store::{
        Tx, accounts,
        factors::{self, Assured, First},
        ledger, methods, recovery_codes, sent_codes, sessions, tombstones, totp,
    },
};
use serde::{Deserialize, Serialize};

/// What the owner sends.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// The kind of method that is enrolled.
    pub kind: Kind,
    /// The enrolment.
    pub id: MethodId,
    /// The first proof of the new method.
    pub answer: Answer,
}

/// A first proof.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A code of the new authenticator app.
    Code(Code),
    /// What a browser made.
    Credential(CredentialJson),
    /// The code that was sent.
    Sent(SentCode),
}

/// What became of it.
enum Verdict {
    Right(First),
    /// Wrong, by so many seconds where it is a code that is right for another moment.
    Wrong(Option<i64>),
}

/// The method is in service.
#[derive(Serialize, Deserialize)]
pub struct Confirmed {
    /// How the account stands now.
    pub status: Status,
    has_codes: bool,
    /// A new set of recovery codes, where this confirm made one.
    #[serde(skip)]
    pub recovery_codes: Option<Vec<RecoveryCode>>,
    /// A fresh pair for the caller, whose older tokens are refused now.
    #[serde(skip)]
    pub tokens: Option<Tokens>,
}

impl Outcome for Confirmed {
    /// Recovery codes that nobody has seen must not pass for none.
    fn is_repeatable(&self) -> bool {
        !self.has_codes
    }
}

/// Confirms an enrolment.
///
/// # Errors
/// `not-found`, `enrolment-expired`, `already-confirmed`, `invalid-credential`, `code-out-of-window`,
/// `too-many-attempts`.
pub async fn confirm(call: &Call, command: Confirm) -> Result<Confirmed, Stop> {
    let asked = call.for_setup();
    let write = call.cx.store.write("confirm", move |tx| {
        let (account, session) = entrance::enter(tx, &asked)?;
        let ended = judge_and_activate(tx, &asked, account, session, &command);
        entrance::conclude(tx, &asked, ended, |(confirmed, _)| entrance::repeatable(confirmed))
    });
    let (mut confirmed, grant) = write.await?;
    confirmed.tokens = issue::fresh_tokens(&call.cx, grant)?;
    Ok(confirmed)
}

fn judge_and_activate(
    tx: &mut Tx<'_>,
    call: &Call,
    account: Account,
    session: Session,
    command: &Confirm,
) -> Result<(Confirmed, Grant), Stop> {
    let cx = &call.cx;
    let method = enrollment::pending(tx, call, command.kind, command.id)?;
    if method.session != session.id || !is_replaceable(tx, &method)? {
        return Err(Refusal::EnrolmentExpired.into());
    }
    let paid = ledger::pay(tx, &cx.policy.limits, vec![BucketId::new(Scope::Confirm, method.id)], cx.now)?;
    match judge(tx, cx, &method, &command.answer)? {
        Verdict::Right(first) => {
            ledger::give_back(tx, paid, cx.now)?;
            activate(tx, call, account, session, &method, first)
        }
        Verdict::Wrong(skew) => {
            let kept = ledger::keep(tx, &cx.policy.limits, paid, cx.now)?;
            let remaining = crate::actions::factor::remaining(&kept);
            if kept.iter().any(|(_, kept)| kept.ends) {
                wear_out(tx, call, account, &method)?;
            }
            Err(match skew {
                Some(skew_seconds) => Refusal::CodeOutOfWindow { skew_seconds, server_time: cx.now },
                None => Refusal::InvalidCredential { attempts_remaining: remaining },
            }
            .into())
        }
    }
}

fn judge(tx: &mut Tx<'_>, cx: &Cx, method: &Method, answer: &Answer) -> Result<Verdict, Stop> {
    match answer {
        Answer::Code(code) => {
            let opened = totp::open(tx, method.account, method.id)?;
            let step = opened.secret.matching_step(code, cx.now, cx.policy.totp_window, opened.last);
            Ok(match step {
                Some(step) => Verdict::Right(First::Step(step)),
                None => Verdict::Wrong(opened.secret.skew(code, cx.now)),
            })
        }
        Answer::Credential(credential) => {
            let party = cx.passkeys.as_ref().ok_or(Refusal::EnrolmentExpired)?;
            let first = factors::judge_new(tx, party, method, credential, cx.now)?;
            Ok(first.map_or(Verdict::Wrong(None), Verdict::Right))
        }
        Answer::Sent(code) => {
            let asked_for = Binding::Enrolment(method.id);
            let found = sent_codes::find(tx, (method.account, method.id), asked_for, code, cx.now)?;
            Ok(found.map_or(Verdict::Wrong(None), |hashed| Verdict::Right(First::Sent(method.kind, hashed))))
        }
    }
}

/// The method that this one is to replace must still be there.
fn is_replaceable(tx: &mut Tx<'_>, method: &Method) -> Result<bool, Stop> {
    Ok(method.replaces.is_none() || replaced(tx, method)?.is_some())
}

fn replaced(tx: &mut Tx<'_>, method: &Method) -> Result<Option<Method>, Fault> {
    let Some(old) = method.replaces else { return Ok(None) };
    Ok(methods::find(tx, method.account, old)?.filter(|old| old.state == State::Active))
}

fn activate(
    tx: &mut Tx<'_>,
    call: &Call,
    mut account: Account,
    session: Session,
    method: &Method,
    first: First,
) -> Result<(Confirmed, Grant), Stop> {
    let cx = &call.cx;
    let spent = factors::activate(tx, method, first, cx.now)?;
    let proved = Assured::by_factor(&spent);
    // Whoever has a new phone now needs the old one no more, and whoever has stolen the old one must not come back.
    tombstones::discard(tx, account.id)?;
    let old = replaced(tx, method)?;
    let kind = match &old {
        Some(old) => {
            methods::replace(tx, method, old.id, cx.now, &proved)?;
            EventKind::TwoFactorReplaced
        }
        None if account.is_enabled() => EventKind::MethodAdded,
        None => EventKind::TwoFactorEnabled,
    };
    let codes = match leaves_codes(tx, method, old.as_ref(), kind)? {
        true => None,
        false => Some(recovery_codes::regenerate(tx, account.id, cx.now, &proved)?),
    };
    let ended = sessions::end_others(tx, account.id, Some(session.id), cx.now)?;
    let mut event = Event::of_owner(kind, Some(session.id))
        .with("method", method.id.to_string())
        .with("type", method.kind.to_string())
        .with("sessions", ended);
    if let Some(old) = &old {
        event = event.with("replaced", old.id.to_string()).with("replaced_type", old.kind.to_string());
    }
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |account| {
        account.epoch += 1;
        account.enabled_at = account.enabled_at.or(Some(cx.now));
        account.reminder_at = None;
        account.subject_unproven_since = account.subject_unproven_since.filter(|_| !session.is_portals);
    })?;
    let assurance = Assurance::second_factor(spent.factor, cx.now);
    let mut assured = call.clone();
    assured.holder.assurance = assurance.clone();
    let status = status::picture(tx, &assured, &account)?;
    let grant = issue::renew(tx, cx, &account, session, assurance)?;
    Ok((Confirmed { status, has_codes: codes.is_some(), recovery_codes: codes, tokens: None }, grant))
}

/// A method that joins others leaves the recovery codes alone, and so does one of another kind that takes over: the codes
/// were not in the phone. Whoever replaces a phone by a phone may have lost them with it.
fn leaves_codes(tx: &mut Tx<'_>, new: &Method, old: Option<&Method>, kind: EventKind) -> Result<bool, Fault> {
    let is_switch = old.is_some_and(|old| old.kind != new.kind);
    let is_left = |codes: recovery_codes::Standing| codes.remaining > 0;
    Ok(kind == EventKind::MethodAdded || (is_switch && recovery_codes::standing(tx, new.account)?.is_some_and(is_left)))
}

fn wear_out(tx: &mut Tx<'_>, call: &Call, mut account: Account, method: &Method) -> Result<(), Stop> {
    methods::abandon(tx, method, call.cx.now)?;
    let event =
        Event::of_owner(EventKind::EnrollmentFailed, Some(call.holder.session)).with("method", method.id.to_string());
    Ok(accounts::record(tx, &mut account, &call.cx.origin, call.cx.now, &event, |_| {})?)
}
