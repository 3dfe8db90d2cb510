//! Confirming an enrolment with the first code of the new authenticator: it protects the account from
//! then on. Where it replaces another one, the two swap in this transaction, without a gap.

use super::{
    enrollment,
    status::{self, Status},
};
use crate::{
    actions::{
        Call, Outcome, entrance,
        issue::{self, Grant, Tokens},
    },
    domain::{
        account::Account,
        assurance::{Assurance, Factor},
        event::{Event, EventKind},
        guesses::{BucketId, Scope},
        id::MethodId,
        method::{Method, State},
        recovery_code::RecoveryCode,
        refusal::{Refusal, Stop},
        session::Session,
        totp::{Code, Step},
    },
    store::{
        Tx, accounts,
        factors::{self, Assured},
        ledger, methods, recovery_codes, sessions, tombstones, totp,
    },
};
use serde::{Deserialize, Serialize};

/// What the owner sends.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// The enrolment.
    pub id: MethodId,
    /// The first code of the new authenticator.
    pub code: Code,
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
    let asked = call.clone();
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
    let method = enrollment::pending(tx, call, command.id)?;
    if method.session != session.id || !is_replaceable(tx, &method)? {
        return Err(Refusal::EnrolmentExpired.into());
    }
    let paid = ledger::pay(tx, &cx.policy.limits, vec![BucketId::new(Scope::Confirm, method.id)], cx.now)?;
    let opened = totp::open(tx, account.id, method.id)?;
    match opened.secret.matching_step(&command.code, cx.now, cx.policy.totp_window, opened.last) {
        Some(step) => {
            ledger::give_back(tx, paid, cx.now)?;
            activate(tx, call, account, session, &method, step)
        }
        None => {
            let kept = ledger::keep(tx, &cx.policy.limits, paid, cx.now)?;
            let remaining = crate::actions::factor::remaining(&kept);
            if kept.iter().any(|(_, kept)| kept.ends) {
                wear_out(tx, call, account, &method)?;
            }
            Err(match opened.secret.skew(&command.code, cx.now) {
                Some(skew_seconds) => Refusal::CodeOutOfWindow { skew_seconds, server_time: cx.now },
                None => Refusal::InvalidCredential { attempts_remaining: remaining },
            }
            .into())
        }
    }
}

/// The method that this one is to replace must still be there.
fn is_replaceable(tx: &mut Tx<'_>, method: &Method) -> Result<bool, Stop> {
    let Some(old) = method.replaces else { return Ok(true) };
    let old = methods::find(tx, method.account, old)?;
    Ok(old.is_some_and(|old| old.state == State::Active))
}

fn activate(
    tx: &mut Tx<'_>,
    call: &Call,
    mut account: Account,
    session: Session,
    method: &Method,
    step: Step,
) -> Result<(Confirmed, Grant), Stop> {
    let cx = &call.cx;
    let proved = Assured::by_factor(&factors::activate(tx, method.id, step, cx.now)?);
    // Whoever has a new phone now needs the old one no more, and whoever has stolen the old one must not come back.
    tombstones::discard(tx, account.id)?;
    let kind = match method.replaces {
        Some(old) => {
            methods::replace(tx, method, old, cx.now, &proved)?;
            EventKind::TwoFactorReplaced
        }
        None if account.is_enabled() => EventKind::MethodAdded,
        None => EventKind::TwoFactorEnabled,
    };
    // A method that joins others leaves the codes alone; whoever replaces one may have lost them with it.
    let codes = match kind {
        EventKind::MethodAdded => None,
        _ => Some(recovery_codes::regenerate(tx, account.id, cx.now, &proved)?),
    };
    let ended = sessions::end_others(tx, account.id, Some(session.id), cx.now)?;
    let mut event = Event::of_owner(kind, Some(session.id))
        .with("method", method.id.to_string())
        .with("type", method.kind.to_string())
        .with("sessions", ended);
    if let Some(old) = method.replaces {
        event = event.with("replaced", old.to_string());
    }
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |account| {
        account.epoch += 1;
        account.enabled_at = account.enabled_at.or(Some(cx.now));
        account.reminder_at = None;
    })?;
    let assurance = Assurance::second_factor(Factor::Totp, cx.now);
    let mut assured = call.clone();
    assured.holder.assurance = assurance.clone();
    let status = status::picture(tx, &assured, &account)?;
    let grant = issue::renew(tx, cx, &account, session, assurance)?;
    Ok((Confirmed { status, has_codes: codes.is_some(), recovery_codes: codes, tokens: None }, grant))
}

fn wear_out(tx: &mut Tx<'_>, call: &Call, mut account: Account, method: &Method) -> Result<(), Stop> {
    methods::abandon_pending(tx, account.id, call.cx.now)?;
    let event =
        Event::of_owner(EventKind::EnrollmentFailed, Some(call.holder.session)).with("method", method.id.to_string());
    Ok(accounts::record(tx, &mut account, &call.cx.origin, call.cx.now, &event, |_| {})?)
}
