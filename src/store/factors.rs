//! What a code or a recovery code proves. Judging spends nothing; spending happens once, in the
//! transaction of what it is spent on, and leaves a [`Spent`] as evidence.

use super::{
    Db, Tx, bypass_codes, ceremonies, ledger::Paid, methods, passkeys, recovery_codes, row::parsed, sent_codes, totp,
};
use crate::crypto::{
    keyring::Hashed,
    passkeys::{Assertion, Passkey, RelyingParty, Wrong},
};
use crate::domain::{
    assurance::{Assurance, Factor},
    binding::Binding,
    guesses::Scope,
    id::{AccountId, BypassCodeId, MethodId},
    method::{Kind, Method},
    passkey::CredentialJson,
    recovery_code::RecoveryCode,
    refusal::{Fault, Refusal},
    sent_code::SentCode,
    totp::{Code, Step},
};
use jiff::Timestamp;

/// A second factor as it was sent.
#[derive(Clone, Debug)]
pub enum Offered {
    /// A code of an authenticator app.
    Code(Code),
    /// A code that was sent, by a method of this kind.
    Sent(Kind, SentCode),
    /// A recovery code, or a bypass code in its place.
    RecoveryCode(RecoveryCode),
    /// What a passkey signed.
    Credential(CredentialJson),
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
    /// Whom passkeys are made for, where there are any.
    pub party: Option<&'a RelyingParty>,
}

/// The first proof of a method that is to be confirmed.
pub enum First {
    /// The time step of an authenticator app's code.
    Step(Step),
    /// A passkey, as it was registered.
    Passkey(NewPasskey),
    /// The hash of a code that was sent, by a method of this kind.
    Sent(Kind, Hashed),
}

/// A passkey that is registered and not stored yet.
pub struct NewPasskey {
    /// It.
    pub passkey: Passkey,
    /// How many signatures it has made.
    pub counter: u32,
    /// What it was checked against, which is used up with it.
    pub state: Vec<u8>,
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
    /// It is a passkey's, right in everything, and says to have made no more signatures than before: somebody may have
    /// a copy of it. This is its method.
    Copied(MethodId),
}

impl Judged {
    /// The refusal of a guess that was not right.
    pub fn refusal(&self, attempts_remaining: Option<u32>) -> Refusal {
        match self {
            Self::Unclear => Refusal::FactorUnreadable,
            Self::Right(_) | Self::Wrong | Self::Copied(_) => Refusal::InvalidCredential { attempts_remaining },
        }
    }
}

enum What {
    Step(MethodId, Step),
    Sent(MethodId, Factor, Hashed),
    Recovery(Hashed),
    Bypass(BypassCodeId),
    Passkey(Signed),
}

/// A signature of a passkey that is right.
struct Signed {
    method: MethodId,
    binding: Binding,
    state: Vec<u8>,
    counter: (u32, u32),
    stays: bool,
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
        Offered::Sent(kind, code) => judge_sent(db, question, *kind, code),
        Offered::RecoveryCode(code) => judge_recovery_code(db, question, code),
        Offered::Credential(credential) => judge_credential(db, question, credential),
    }
}

/// By the passkey that it names, if that is the account's, and by what was asked for the same thing.
fn judge_credential(db: &mut Db<'_>, question: &Question<'_>, credential: &CredentialJson) -> Result<Judged, Fault> {
    let Question { account, binding, now, .. } = *question;
    let Some(party) = question.party else { return Ok(Judged::Wrong) };
    let Ok(assertion) = Assertion::read(credential.bytes()) else { return Ok(Judged::Wrong) };
    let Some(state) = ceremonies::find(db, account, binding, now)? else { return Ok(Judged::Wrong) };
    let Some(kept) = passkeys::find(db, account, assertion.credential())? else { return Ok(Judged::Wrong) };
    Ok(match party.finish_assertion(&state, &assertion, account, &kept.passkey, kept.counter) {
        Ok(asserted) => Judged::Right(Match(What::Passkey(Signed {
            method: kept.method,
            binding,
            state,
            counter: (kept.counter, asserted.counter),
            stays: kept.passkey.is_bound_to_device(),
        }))),
        Err(Wrong::CounterWentBack) => Judged::Copied(kept.method),
        Err(wrong) => {
            log::info!("a passkey was refused: {wrong}");
            Judged::Wrong
        }
    })
}

/// Checks a new passkey of a method that waits for its confirm; none where it is wrong, or is registered already.
///
/// # Errors
/// `unavailable`.
pub fn judge_new(
    db: &mut Db<'_>,
    party: &RelyingParty,
    method: &Method,
    credential: &CredentialJson,
    now: Timestamp,
) -> Result<Option<First>, Fault> {
    let Some(state) = ceremonies::find(db, method.account, Binding::Enrolment(method.id), now)? else {
        return Ok(None);
    };
    let (passkey, counter) = match party.finish_registration(&state, credential.bytes()) {
        Ok(made) => made,
        Err(wrong) => {
            log::info!("a new passkey was refused: {wrong}");
            return Ok(None);
        }
    };
    let is_taken = passkeys::is_taken(db, &passkey.id)?;
    Ok((!is_taken).then_some(First::Passkey(NewPasskey { passkey, counter, state })))
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

/// A code that was sent counts for what it was asked for alone.
fn judge_sent(db: &mut Db<'_>, question: &Question<'_>, kind: Kind, code: &SentCode) -> Result<Judged, Fault> {
    let Question { account, binding, now, .. } = *question;
    let factor = sent_by(kind)?;
    for method in methods::active(db, account)?.iter().filter(|method| method.kind == kind) {
        if let Some(hashed) = sent_codes::find(db, (account, method.id), binding, code, now)? {
            return Ok(Judged::Right(Match(What::Sent(method.id, factor, hashed))));
        }
    }
    Ok(Judged::Wrong)
}

/// What a code proves that was sent by a method of this kind.
fn sent_by(kind: Kind) -> Result<Factor, Fault> {
    match kind {
        Kind::Sms => Ok(Factor::Sms),
        Kind::Email => Ok(Factor::Email),
        Kind::Passkey | Kind::Totp => Err(Fault::Unreadable(format!("no code is sent by {kind}"))),
    }
}

/// Takes a pending method into use, by its first proof, which is used up with that.
///
/// # Errors
/// `contended` when it was confirmed or abandoned meanwhile.
pub fn activate(tx: &mut Tx<'_>, method: &Method, first: First, now: Timestamp) -> Result<Spent, Fault> {
    let factor = match first {
        First::Step(step) => {
            totp::advance(tx, method.id, step)?;
            Factor::Totp
        }
        First::Passkey(NewPasskey { passkey, counter, state }) => {
            ceremonies::end(tx, Binding::Enrolment(method.id), &state)?;
            passkeys::insert(tx, method.account, method.id, &passkey, counter)?;
            Factor::Passkey { stays: passkey.is_bound_to_device() }
        }
        First::Sent(kind, hashed) => {
            sent_codes::consume(tx, method.id, &hashed)?;
            sent_by(kind)?
        }
    };
    methods::activate(tx, method.id, now)?;
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
        What::Passkey(Signed { method, binding, state, counter: (from, to), stays }) => {
            ceremonies::end(tx, binding, &state)?;
            passkeys::count(tx, method, from, to)?;
            methods::touch(tx, method, now)?;
            Ok(Spent { factor: Factor::Passkey { stays } })
        }
        What::Sent(method, factor, hashed) => {
            sent_codes::consume(tx, method, &hashed)?;
            methods::touch(tx, method, now)?;
            Ok(Spent { factor })
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
