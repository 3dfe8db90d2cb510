//! Starting an enrolment: the owner proves who they are, and gets what the new method is made of, once.
//! What protects the account already goes on protecting it until the enrolment is confirmed.

use crate::{
    actions::{
        Call, Cx, Outcome, codes,
        reverify::{self, Ask, Change, Proofs},
    },
    domain::{
        account::Account,
        binding::Binding,
        destination::Destination,
        event::{Event, EventKind},
        guesses::{BucketId, Scope},
        id::MethodId,
        method::{Kind, Label, Method, State},
        passkey::CEREMONY_TTL,
        phone::PhoneNumber,
        policy::MAX_METHODS,
        refusal::{Refusal, Stop},
        totp::TotpSecret,
    },
    store::{Tx, accounts, ceremonies, destinations, methods, passkeys, totp},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the owner sends.
#[derive(Clone, Debug)]
pub struct Enroll {
    /// What the method is to be.
    pub means: Means,
    /// The proofs.
    pub proofs: Proofs,
    /// What it is to be called; by its kind when nothing is said.
    pub label: Option<Label>,
    /// The method that the confirm is to take out of service.
    pub replaces: Option<MethodId>,
}

/// What a method is to be, with all that its owner says of it.
#[derive(Clone, Debug)]
pub enum Means {
    /// An authenticator app.
    Totp,
    /// A passkey or a security key.
    Passkey,
    /// Codes by mail, to the account's address.
    Email,
    /// Codes by SMS.
    Sms(PhoneNumber),
}

/// An enrolment that was started.
#[derive(Serialize, Deserialize)]
pub struct Enrolled {
    /// The pending method.
    pub id: MethodId,
    /// Its kind.
    pub kind: Kind,
    /// Its label.
    pub label: Label,
    /// When the enrolment ends.
    pub expires_at: Timestamp,
    /// The version that the account has now.
    pub version: i64,
    /// What the owner goes on with.
    #[serde(skip)]
    pub shown: Option<Shown>,
}

/// What the owner of a new method goes on with.
pub enum Shown {
    /// The secret as an authenticator app takes it.
    Totp {
        /// The secret.
        secret: TotpSecret,
        /// The key URI for the app.
        otpauth_uri: String,
    },
    /// What the browser is to make a passkey by: a `PublicKeyCredentialCreationOptionsJSON` (WebAuthn §5.1.9).
    Passkey(Value),
    /// A code is on its way.
    Sent {
        /// Where to, as far as it is shown.
        to: String,
    },
}

impl Outcome for Enrolled {
    /// Without what is shown once it is of no use.
    fn is_repeatable(&self) -> bool {
        false
    }
}

impl Means {
    /// The kind of method.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Totp => Kind::Totp,
            Self::Passkey => Kind::Passkey,
            Self::Email => Kind::Email,
            Self::Sms(_) => Kind::Sms,
        }
    }

    /// Seconds until an enrolment ends: for a passkey, as long as the browser may take.
    fn ttl(&self, cx: &Cx) -> u32 {
        match self {
            Self::Totp | Self::Email | Self::Sms(_) => cx.policy.enrollment_ttl,
            Self::Passkey => cx.policy.enrollment_ttl.min(CEREMONY_TTL),
        }
    }

    /// Where its codes go; none where it has none that are sent.
    fn destination(&self, account: &Account) -> Option<Destination> {
        match self {
            Self::Totp | Self::Passkey => None,
            Self::Email => Some(Destination::Email(account.email.clone())),
            Self::Sms(number) => Some(Destination::Phone(number.clone())),
        }
    }
}

/// Starts the enrolment of a method.
///
/// # Errors
/// `method-not-offered`, `too-many-methods`, `not-found` for a method to replace that is not active, and those of [`reverify`].
pub async fn enroll(call: &Call, command: Enroll) -> Result<Enrolled, Stop> {
    let call = &call.for_setup();
    let quota = Some(BucketId::new(Scope::EnrollStart, call.holder.account));
    let ask = Ask { action: "enroll", proofs: command.proofs, quota, new_password: None };
    let Enroll { means, replaces, .. } = command;
    if !call.cx.policy.kinds.contains(&means.kind()) {
        return Err(Refusal::MethodNotOffered.into());
    }
    let kind = means.kind();
    let proven = reverify::prove(call, ask, move |tx, account| has_room(tx, account, kind, replaces)).await?;

    let (call, label) = (call.clone(), command.label.unwrap_or_else(|| means.kind().label()));
    reverify::settle(&call.clone(), proven, move |tx, change| {
        has_room(tx, &change.account, kind, replaces)?;
        start(tx, &call, change, &means, &label, replaces)
    })
    .await
}

fn has_room(tx: &mut Tx<'_>, account: &Account, kind: Kind, replaces: Option<MethodId>) -> Result<(), Stop> {
    if replaces.is_some() {
        account.require_enabled()?;
    }
    let active = methods::active(tx, account.id)?;
    let stays = |method: &Method| replaces != Some(method.id);
    let is_second = kind.is_sent() && active.iter().any(|method| method.kind == kind && stays(method));
    match replaces {
        Some(id) if active.iter().all(|method| method.id != id) => Err(Refusal::NotFound.into()),
        _ if is_second => Err(Refusal::TooManyMethods.into()),
        None if active.len() >= MAX_METHODS => Err(Refusal::TooManyMethods.into()),
        _ => Ok(()),
    }
}

fn start(
    tx: &mut Tx<'_>,
    call: &Call,
    mut change: Change,
    means: &Means,
    label: &Label,
    replaces: Option<MethodId>,
) -> Result<Enrolled, Stop> {
    let cx = &call.cx;
    let method = Method {
        id: cx.random.id(cx.now)?,
        account: change.account.id,
        kind: means.kind(),
        state: State::Pending,
        label: label.clone(),
        created_at: cx.now,
        last_used_at: None,
        expires_at: cx.in_seconds(means.ttl(cx)),
        replaces,
        session: change.session.id,
    };
    // Nothing is begun that nothing may be sent for.
    if let Some(to) = means.destination(&change.account) {
        codes::pay(tx, cx, change.account.id, &to)?;
    }
    methods::insert_pending(tx, &method)?;
    let shown = make(tx, cx, &change.account, &method, means)?;
    let event = Event::of_owner(EventKind::EnrollmentStarted, Some(change.session.id))
        .with("method", method.id.to_string())
        .with("type", method.kind.to_string());
    accounts::record(tx, &mut change.account, &cx.origin, cx.now, &event, |_| {})?;
    Ok(Enrolled {
        id: method.id,
        kind: method.kind,
        label: method.label,
        expires_at: method.expires_at,
        version: change.account.version,
        shown: Some(shown),
    })
}

/// Makes what a method of its kind consists of.
fn make(tx: &mut Tx<'_>, cx: &Cx, account: &Account, method: &Method, means: &Means) -> Result<Shown, Stop> {
    match means {
        Means::Totp => {
            let secret = TotpSecret::from_bytes(cx.random.bytes()?);
            totp::insert(tx, account.id, method.id, &secret)?;
            let otpauth_uri = secret.otpauth_uri(&cx.policy.product_name, account.email.as_str());
            Ok(Shown::Totp { secret, otpauth_uri })
        }
        Means::Passkey => {
            let party = cx.passkeys.as_ref().ok_or(Refusal::MethodNotOffered)?;
            let begun = party.register(account.id, account.email.as_str(), &passkeys::all(tx, account.id)?)?;
            let binding = Binding::Enrolment(method.id);
            ceremonies::begin(tx, account.id, binding, &begun.state, method.expires_at)?;
            Ok(Shown::Passkey(begun.public_key))
        }
        Means::Email => send(tx, cx, method, &Destination::Email(account.email.clone())),
        Means::Sms(number) => send(tx, cx, method, &Destination::Phone(number.clone())),
    }
}

/// Sends the code that confirms the enrolment; it was paid for.
fn send(tx: &mut Tx<'_>, cx: &Cx, method: &Method, to: &Destination) -> Result<Shown, Stop> {
    destinations::insert(tx, method, to)?;
    codes::issue(tx, cx, method, Binding::Enrolment(method.id), method.expires_at)?;
    Ok(Shown::Sent { to: to.masked() })
}
