//! Asking for a proof that nobody can give unasked: a passkey signs what it is asked to, and a code has to be sent.

use super::{Call, Cx, Outcome, codes, entrance, login::second_factor, two_factor::enrollment};
use crate::{
    crypto::opaque::{Opaque, OpaqueKind},
    domain::{
        account::Account,
        binding::Binding,
        id::MethodId,
        method::{Kind, Method},
        passkey::CEREMONY_TTL,
        refusal::{Refusal, Stop},
    },
    store::{Tx, ceremonies, destinations, methods, passkeys},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the owner goes on with.
#[derive(Serialize, Deserialize)]
pub enum Started {
    /// What the browser is to hand to the passkey.
    Passkey {
        /// A `PublicKeyCredentialRequestOptionsJSON` (WebAuthn §5.1.8).
        public_key: Value,
        /// Until when it can be answered.
        expires_at: Timestamp,
    },
    /// A code is on its way.
    Sent {
        /// By which kind of method.
        kind: Kind,
        /// Where to, as far as it is shown.
        to: String,
        /// Until when it is good.
        expires_at: Timestamp,
    },
}

impl Outcome for Started {
    /// A second answer would stand for what an earlier start has superseded.
    fn is_repeatable(&self) -> bool {
        false
    }
}

/// Asks for a proof to complete a sign-in with.
///
/// # Errors
/// `challenge-expired`, `method-not-available`.
pub async fn at_sign_in(cx: &Cx, challenge: &str, kind: Kind) -> Result<Started, Stop> {
    let token = Opaque::read(&cx.keys, OpaqueKind::Challenge, challenge).ok_or(Refusal::ChallengeExpired)?;
    let asking = cx.clone();
    let start = move |tx: &mut Tx<'_>| {
        let (account, challenge) = second_factor::open_challenge(tx, &asking, &token)?;
        start(tx, &asking, &account, kind, Binding::SignIn(challenge.id), challenge.expires_at)
    };
    cx.store.write("start-second-factor", start).await
}

/// Asks for a proof to raise a session's assurance with.
///
/// # Errors
/// `two-factor-not-enabled`, `method-not-available`.
pub async fn in_session(call: &Call, kind: Kind) -> Result<Started, Stop> {
    let asked = call.clone();
    let start = move |tx: &mut Tx<'_>| {
        let (account, session) = entrance::enter(tx, &asked)?;
        account.require_enabled()?;
        let started = start(tx, &asked.cx, &account, kind, Binding::Session(session.id), Timestamp::MAX);
        entrance::conclude(tx, &asked, started, |_| None)
    };
    call.cx.store.write("start-verify", start).await
}

/// Sends one more code for an enrolment; the one before is void, and its guesses are not renewed.
///
/// # Errors
/// `not-found`, `enrolment-expired`, `already-confirmed`, `too-many-attempts`.
pub async fn resend(call: &Call, kind: Kind, id: MethodId) -> Result<Started, Stop> {
    let asked = call.for_setup();
    let resend = move |tx: &mut Tx<'_>| {
        let (_, session) = entrance::enter(tx, &asked)?;
        let method = enrollment::pending(tx, &asked, kind, id)?;
        if method.session != session.id {
            return Err(Refusal::EnrolmentExpired.into());
        }
        let started = send(tx, &asked.cx, &method, Binding::Enrolment(method.id), method.expires_at);
        entrance::conclude(tx, &asked, started, |_| None)
    };
    call.cx.store.write("resend", resend).await
}

fn start(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &Account,
    kind: Kind,
    binding: Binding,
    until: Timestamp,
) -> Result<Started, Stop> {
    let method = methods::active(tx, account.id)?.into_iter().find(|method| method.kind == kind);
    let method = method.ok_or(Refusal::MethodNotAvailable)?;
    match kind {
        Kind::Sms | Kind::Email => send(tx, cx, &method, binding, until),
        // The app shows its codes unasked.
        Kind::Totp => Err(Refusal::MethodNotAvailable.into()),
        Kind::Passkey => ask(tx, cx, account, binding),
    }
}

fn ask(tx: &mut Tx<'_>, cx: &Cx, account: &Account, binding: Binding) -> Result<Started, Stop> {
    let party = cx.passkeys.as_ref().ok_or(Refusal::MethodNotAvailable)?;
    let begun = party.ask(&passkeys::all(tx, account.id)?)?;
    let expires_at = cx.in_seconds(CEREMONY_TTL);
    ceremonies::begin(tx, account.id, binding, &begun.state, expires_at)?;
    Ok(Started::Passkey { public_key: begun.public_key, expires_at })
}

fn send(tx: &mut Tx<'_>, cx: &Cx, method: &Method, binding: Binding, until: Timestamp) -> Result<Started, Stop> {
    let to = destinations::open(tx, method)?;
    let expires_at = codes::ask(tx, cx, method, &to, binding, until)?;
    Ok(Started::Sent { kind: method.kind, to: to.masked(), expires_at })
}
