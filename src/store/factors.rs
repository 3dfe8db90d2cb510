//! What a code or a recovery code proves. Judging spends nothing; spending happens once, in the
//! transaction of what it is spent on, and leaves a [`Spent`] as evidence.

use super::{Db, Tx, bypass_codes, ledger::Paid, methods, recovery_codes, row::parsed, totp};
use crate::crypto::keyring::Hashed;
use crate::domain::{
    assurance::{Assurance, Factor},
    binding::Binding,
    guesses::Scope,
    id::{AccountId, BypassCodeId, MethodId},
    recovery_code::RecoveryCode,
    refusal::{Fault, Refusal},
    totp::{Code, Step},
};
use jiff::Timestamp;

/// A second factor as it was sent.
#[derive(Clone, Debug)]
pub enum Offered {
    /// A code of an authenticator app.
    Code(Code),
    /// A recovery code, or a bypass code in its place.
    RecoveryCode(RecoveryCode),
}

/// What a proof is judged by, beside what the account has.
pub struct Question<'a> {
    /// Whose proof it is to be.
    pub account: AccountId,
    /// What it is asked for.
    pub binding: Binding,
    /// The places that were paid for it.
    pub paid: &'a Paid,
    /// When.
    pub now: Timestamp,
    /// Steps that a code of an authenticator app may be early or late.
    pub window: u32,
}

/// The first proof of a method that is to be confirmed.
pub enum First {
    /// The time step of an authenticator app's code.
    Step(Step),
}

/// An offered factor that is right, not spent yet.
pub struct Match(What);

/// What became of a guess.
pub enum Judged {
    /// It is right.
    Right(Match),
    /// It is wrong.
    Wrong,
    /// It is wrong for every authenticator that could be opened, and one could not be. It was judged, so
    /// it is paid for; the answer is that we cannot tell.
    Unclear,
}

impl Judged {
    /// The refusal of a guess that was not right.
    pub fn refusal(&self, attempts_remaining: Option<u32>) -> Refusal {
        match self {
            Self::Unclear => Refusal::FactorUnreadable,
            Self::Right(_) | Self::Wrong => Refusal::InvalidCredential { attempts_remaining },
        }
    }
}

enum What {
    Step(MethodId, Step),
    Recovery(Hashed),
    Bypass(BypassCodeId),
}

/// Evidence that a factor was right and is used up. Only [`spend`] makes one.
#[derive(Debug)]
pub struct Spent {
    /// The kind of factor.
    pub factor: Factor,
}

/// Evidence of the assurance that changing second factors takes.
#[derive(Debug)]
pub struct Assured(());

impl Offered {
    /// Whether it is a guess at recovery codes, whose budget is one of their own.
    pub fn is_recovery_code(&self) -> bool {
        matches!(self, Self::RecoveryCode(_))
    }
}

impl Assured {
    /// By what the caller's token says: `aal2`, no longer ago than `max_age` seconds.
    pub fn by_token(assurance: &Assurance, now: Timestamp, max_age: u32) -> Option<Self> {
        assurance.is_fresh(now, max_age).then_some(Self(()))
    }

    /// By a factor in the same request.
    pub fn by_factor(_: &Spent) -> Self {
        Self(())
    }
}

/// Judges an offered factor against what the account has and a place was paid for.
///
/// # Errors
/// `unreadable` when nothing of what the account has could be opened: then nothing was judged.
pub fn judge(db: &mut Db<'_>, question: &Question<'_>, offered: &Offered) -> Result<Judged, Fault> {
    match offered {
        Offered::Code(code) => judge_code(db, question, code),
        Offered::RecoveryCode(code) => judge_recovery_code(db, question, code),
    }
}

/// The two budgets are apart: while that of recovery codes is spent, a bypass code is judged alone, and what came to
/// be after the guess was paid for is not judged by it.
fn judge_recovery_code(db: &mut Db<'_>, question: &Question<'_>, code: &RecoveryCode) -> Result<Judged, Fault> {
    let Question { account, paid, now, .. } = *question;
    let recovery = match paid.key_in(Scope::RecoveryCode) {
        Some(_) => recovery_codes::find_unused(db, account, code)?.map(What::Recovery),
        None => None,
    };
    let bypass = match paid.key_in(Scope::BypassCode) {
        Some(id) => {
            let id = parsed(id)?;
            bypass_codes::is_live(db, account, id, code, now)?.then_some(What::Bypass(id))
        }
        None => None,
    };
    Ok(recovery.or(bypass).map_or(Judged::Wrong, |what| Judged::Right(Match(what))))
}

fn judge_code(db: &mut Db<'_>, question: &Question<'_>, code: &Code) -> Result<Judged, Fault> {
    let Question { account, now, window, .. } = *question;
    let (mut found, mut opened_any, mut fault) = (None, false, None);
    for (method, opened) in totp::open_active(db, account)? {
        match opened {
            Ok(opened) => {
                opened_any = true;
                let step = opened.secret.matching_step(code, now, window, opened.last);
                found = found.or(step.map(|step| Match(What::Step(method, step))));
            }
            Err(unreadable) => fault = Some(unreadable),
        }
    }
    match (found, fault) {
        (Some(found), _) => Ok(Judged::Right(found)),
        (None, None) => Ok(Judged::Wrong),
        (None, Some(fault)) if opened_any => {
            log::error!("{fault}");
            Ok(Judged::Unclear)
        }
        (None, Some(fault)) => Err(fault),
    }
}

/// Takes a pending method into use, by its first proof, which is used up with that.
///
/// # Errors
/// `contended` when it was confirmed or abandoned meanwhile.
pub fn activate(tx: &mut Tx<'_>, method: MethodId, first: First, now: Timestamp) -> Result<Spent, Fault> {
    let factor = match first {
        First::Step(step) => {
            totp::advance(tx, method, step)?;
            Factor::Totp
        }
    };
    methods::activate(tx, method, now)?;
    Ok(Spent { factor })
}

/// Uses a right factor up.
///
/// # Errors
/// `contended` when it was used meanwhile.
pub fn spend(tx: &mut Tx<'_>, account: AccountId, matched: Match, now: Timestamp) -> Result<Spent, Fault> {
    match matched.0 {
        What::Step(method, step) => {
            totp::advance(tx, method, step)?;
            methods::touch(tx, method, now)?;
            Ok(Spent { factor: Factor::Totp })
        }
        What::Recovery(code) => {
            recovery_codes::consume(tx, account, &code, now)?;
            Ok(Spent { factor: Factor::RecoveryCode })
        }
        What::Bypass(id) => {
            bypass_codes::consume(tx, account, id)?;
            Ok(Spent { factor: Factor::BypassCode })
        }
    }
}
