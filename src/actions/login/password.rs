//! Signing in with a password: tokens at once, or a challenge while two-factor authentication is on and the device is
//! not remembered.
//!
//! An unknown address costs the same work and gets the same answer as a wrong password.

use super::{Admitted, SignedIn, device};
use crate::{
    actions::{
        Cx, factor,
        issue::{self, Grant},
        requirement,
    },
    crypto::{gate::Class, opaque::Opaque, password::Reverified},
    domain::{
        account::{Account, Email},
        assurance::Assurance,
        event::{Event, EventKind},
        guesses::{BucketId, Scope},
        id::{AccountId, DeviceId},
        method::Kind,
        password::Password,
        refusal::{Fault, Refusal, Stop},
        session::Challenge,
    },
    store::{
        Db, Tx, accounts, challenges, known_addresses,
        ledger::{self, Paid},
        methods,
    },
};
use jiff::Timestamp;

/// What somebody sends.
#[derive(Clone, Debug)]
pub struct Login {
    /// The account's name.
    pub email: Email,
    /// Its password.
    pub password: Password,
    /// The token of a remembered device, if there is one.
    pub device: Option<String>,
}

/// The password was right.
pub enum LoggedIn {
    /// That was all it takes.
    SignedIn(SignedIn),
    /// The second factor is awaited.
    SecondFactorRequired {
        /// The challenge's token.
        challenge: String,
        /// The kinds of method that can answer it, beside recovery codes.
        kinds: Vec<Kind>,
        /// When it dies.
        expires_at: Timestamp,
    },
}

enum Granted {
    Session(Box<Admitted>),
    Challenge(Opaque, Vec<Kind>, Timestamp),
}

/// Signs in.
///
/// # Errors
/// `too-many-attempts`, `invalid-credential`; `overloaded`.
pub async fn login(cx: &Cx, command: Login) -> Result<LoggedIn, Stop> {
    let ticket = cx.passwords.reserve(Class::Anonymous)?;
    let (paying, email) = (cx.clone(), command.email);
    let pay = cx.store.write("pay", move |tx| {
        let account = accounts::by_email(tx, &email)?;
        let bucket = bucket(tx, &paying, &email, account.as_ref())?;
        let paid = ledger::pay(tx, &paying.policy.limits, vec![bucket], paying.now)?;
        // A suspended account is answered as one that is not there.
        let account = account.filter(|account| !account.is_suspended());
        Ok((account.map(|account| (account.id, account.password_hash, account.epoch)), paid))
    });
    let (known, paid) = pay.await?;
    let (read, hash) = match known {
        Some((id, hash, epoch)) => (Some((id, epoch)), hash),
        None => (None, cx.passwords.nobody()),
    };
    let is_outdated = read.is_some() && cx.passwords.is_outdated(&hash);
    let compared = match cx.passwords.verify(ticket, command.password.clone(), hash, None).await {
        Ok(compared) => compared.reverified,
        Err(fault) => return give_back(cx, paid, fault).await,
    };
    // A stronger hash is a favour: where there is no room for it now, the next sign-in makes it.
    let stronger = match (&compared, cx.passwords.reserve(Class::Anonymous)) {
        (Some(_), Ok(ticket)) if is_outdated => cx.passwords.hash(ticket, command.password).await.ok(),
        _ => None,
    };
    let settling = cx.clone();
    let right = Right { compared, stronger, device: device::read(cx, command.device.as_deref()) };
    let granted = cx.store.write("login", move |tx| settle(tx, &settling, read, paid.clone(), &right));
    answer(cx, granted.await?)
}

/// What came of the password, and what came beside it.
struct Right {
    compared: Option<Reverified>,
    stronger: Option<String>,
    device: Option<Opaque>,
}

/// Settles the guess and, when it was right, begins a session or opens a challenge.
fn settle(
    tx: &mut Tx<'_>,
    cx: &Cx,
    read: Option<(AccountId, i64)>,
    paid: Paid,
    right: &Right,
) -> Result<Granted, Stop> {
    let (account, epoch) = match read {
        Some((id, epoch)) => (accounts::lock(tx, id)?, epoch),
        None => (None, 0),
    };
    let (Some(mut account), Some(reverified)) = (account, right.compared.as_ref()) else { return refuse(tx, cx, paid) };
    // Every change of the password moves the epoch; another hash of the same epoch is the same password,
    // hashed anew by a sign-in beside this one.
    let is_same = reverified.is_against(&account.password_hash) || account.epoch == epoch;
    if !is_same || account.is_suspended() {
        return refuse(tx, cx, paid);
    }
    ledger::give_back(tx, paid, cx.now)?;
    if let Some(hash) = right.stronger.clone().filter(|_| reverified.is_against(&account.password_hash)) {
        accounts::rehash(tx, &mut account, hash)?;
    }
    if !account.is_enabled() {
        let grant = sign_in(tx, cx, &mut account, Assurance::password(cx.now), None)?;
        return Ok(Granted::Session(Box::new(Admitted { grant, device: None })));
    }
    let Some(remembered) = device::recognise(tx, cx, &mut account, right.device.as_ref())? else {
        let expires_at = cx.in_seconds(cx.policy.challenge_ttl);
        let challenge = Challenge { id: cx.random.id(cx.now)?, account: account.id, epoch: account.epoch, expires_at };
        let token = challenges::insert(tx, &challenge, cx.now)?;
        return Ok(Granted::Challenge(token, methods::kinds(tx, account.id)?, expires_at));
    };
    let grant = sign_in(tx, cx, &mut account, Assurance::password(cx.now), Some(remembered.id))?;
    let device = Some(device::renew(tx, cx, remembered, &grant)?);
    Ok(Granted::Session(Box::new(Admitted { grant, device })))
}

/// Completes a sign-in, from a remembered device or not: a session, an event, and a known address.
///
/// # Errors
/// `unavailable`.
pub(super) fn sign_in(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &mut Account,
    assurance: Assurance,
    device: Option<DeviceId>,
) -> Result<Grant, Fault> {
    requirement::meet(tx, cx, account)?;
    let amr = assurance.amr_text();
    let grant = issue::begin(tx, cx, account, assurance)?;
    let mut event = Event::of_owner(EventKind::LoginSucceeded, Some(grant.session_id())).with("amr", amr);
    if let Some(device) = device {
        event = event.with("device", device.to_string());
    }
    let network = cx.network();
    // The first sign-in is from a new network, too, and no news to anybody.
    let has_others = !known_addresses::of_account(tx, account.id)?.is_empty();
    if has_others && !known_addresses::is_known(tx, account.id, &network, cx.now)? {
        event = event.with("new_network", true);
    }
    accounts::record(tx, account, &cx.origin, cx.now, &event, |_| {})?;
    known_addresses::note(tx, account.id, &network, cx.now)?;
    Ok(grant)
}

fn refuse<T>(tx: &mut Tx<'_>, cx: &Cx, paid: Paid) -> Result<T, Stop> {
    let kept = ledger::keep(tx, &cx.policy.limits, paid, cx.now)?;
    Err(Refusal::InvalidCredential { attempts_remaining: factor::remaining(&kept) }.into())
}

/// Known and unknown addresses are counted alike. Who signed in from this network before has a bucket
/// of their own, so that nobody locks them out by knowing the address.
fn bucket(db: &mut Db<'_>, cx: &Cx, email: &Email, account: Option<&Account>) -> Result<BucketId, Fault> {
    let network = cx.network();
    let is_known = match account {
        Some(account) => known_addresses::is_known(db, account.id, &network, cx.now)?,
        None => false,
    };
    Ok(bucket_from(cx, email, is_known.then_some(&network)))
}

fn bucket_from(cx: &Cx, email: &Email, known: Option<&String>) -> BucketId {
    let name = cx.login_name(email);
    BucketId::new(Scope::Login, known.map_or(name.clone(), |network| format!("{name}/{network}")))
}

/// Every bucket that sign-ins to an account are paid from: that of strangers, and those of the networks that it has
/// been signed in from.
///
/// # Errors
/// `unavailable`.
pub(in crate::actions) fn buckets(db: &mut Db<'_>, cx: &Cx, account: &Account) -> Result<Vec<BucketId>, Fault> {
    let networks = known_addresses::of_account(db, account.id)?;
    let known = networks.iter().map(Some);
    Ok([None].into_iter().chain(known).map(|known| bucket_from(cx, &account.email, known)).collect())
}

/// Nothing was judged, so nothing is owed.
async fn give_back<T>(cx: &Cx, paid: Paid, fault: Fault) -> Result<T, Stop> {
    let now = cx.now;
    cx.store.write("forget", move |tx| Ok(ledger::release(tx, paid.clone(), now)?)).await?;
    Err(fault.into())
}

fn answer(cx: &Cx, granted: Granted) -> Result<LoggedIn, Stop> {
    Ok(match granted {
        Granted::Session(admitted) => LoggedIn::SignedIn(admitted.tokens(cx)?),
        Granted::Challenge(token, kinds, expires_at) => {
            LoggedIn::SecondFactorRequired { challenge: token.reveal(&cx.keys)?, kinds, expires_at }
        }
    })
}
