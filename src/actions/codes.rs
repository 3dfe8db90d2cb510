//! Codes that are sent: asking for one within what may be sent, and handing it to whoever sends.

use super::{Cx, Rooms};
use crate::{
    crypto::keyring::Purpose,
    domain::{
        binding::Binding,
        destination::Destination,
        guesses::{BucketId, Scope},
        id::AccountId,
        method::{Kind, Method},
        refusal::{Fault, Refusal, Stop},
    },
    store::{
        Db, Tx, ledger,
        sent_codes::{self, Next, Note},
    },
};
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::sync::atomic::AtomicU64;

/// The one bucket of all SMS.
const ALL: &str = "all";
/// How often a code is tried to be sent. Its owner waits, and asks for another one sooner than we would come back.
const MOST_ATTEMPTS: i64 = 3;
/// Seconds between two attempts, as often as there were some.
const PAUSE_SECONDS: i64 = 5;

/// By which ways an installation sends codes, and how it goes.
#[derive(Default)]
pub struct Codes {
    /// The kinds of method whose codes somebody sends.
    pub kinds: Vec<Kind>,
    mails: Family<Label, Counter>,
    sms: Family<Label, Counter>,
    budget_used: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Label {
    result: &'static str,
}

/// What became of an attempt to send a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Whoever brings it on has taken it.
    Taken,
    /// It is not taken, another time neither.
    Refused,
    /// It was not taken, and may be another time.
    Failed,
    /// Nobody knows whether it was taken; another one would cost its price again.
    Unknown,
}

impl Codes {
    /// Those of an installation whose methods of these kinds have somebody to send their codes.
    pub fn of(kinds: Vec<Kind>) -> Self {
        let codes = Self { kinds, ..Self::default() };
        // What has not happened yet is told as nothing, so that the first time is seen as more.
        for sent in [Sent::Taken, Sent::Refused, Sent::Failed, Sent::Unknown] {
            drop(codes.mails.get_or_create(&sent.label()));
            drop(codes.sms.get_or_create(&sent.label()));
        }
        codes
    }

    /// Hands out the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Attempts to send a code by mail, by result";
        registry.register("code_mails_sent", help, self.mails.clone());
        let help = "Attempts to send an SMS, by result";
        registry.register("sms_sent", help, self.sms.clone());
        let help = "How much of the hourly budget of all SMS is used; at 1 none is sent";
        registry.register("sms_budget_used_ratio", help, self.budget_used.clone());
    }

    fn count(&self, kind: Kind, sent: Sent) {
        let family = if kind == Kind::Sms { &self.sms } else { &self.mails };
        family.get_or_create(&sent.label()).inc();
    }
}

impl Sent {
    fn label(self) -> Label {
        let result = match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        };
        Label { result }
    }
}

/// Asks for a code of a method, for one thing alone that is over at `until`, and tells until when it is good.
///
/// # Errors
/// As [`pay`].
pub fn ask(
    tx: &mut Tx<'_>,
    cx: &Cx,
    method: &Method,
    to: &Destination,
    binding: Binding,
    until: Timestamp,
) -> Result<Timestamp, Stop> {
    pay(tx, cx, method.account, to)?;
    Ok(issue(tx, cx, method, binding, until)?)
}

/// Pays for sending a code there.
///
/// # Errors
/// `method-not-available` when nobody sends such codes; `too-many-attempts` when nothing more may be sent for this
/// account, or there.
pub fn pay(tx: &mut Tx<'_>, cx: &Cx, account: AccountId, to: &Destination) -> Result<(), Stop> {
    if !cx.codes.kinds.contains(&to.kind()) {
        return Err(Refusal::MethodNotAvailable.into());
    }
    let paid = ledger::pay(tx, &cx.policy.limits, budgets(cx, account, to), cx.now)?;
    ledger::keep(tx, &cx.policy.limits, paid, cx.now)?;
    Ok(())
}

/// Has a code sent that was paid for. The one before is void with this, and no guess is won: those are counted by what
/// they are made at.
///
/// # Errors
/// `unavailable`.
pub fn issue(
    tx: &mut Tx<'_>,
    cx: &Cx,
    method: &Method,
    binding: Binding,
    until: Timestamp,
) -> Result<Timestamp, Fault> {
    let expires_at = cx.in_seconds(cx.policy.sent_code_ttl).min(until);
    sent_codes::issue(tx, method, binding, expires_at, cx.now)?;
    Ok(expires_at)
}

/// What a code that is sent is paid from. Whoever has many accounts has one mailbox, and whoever earns by SMS has numbers
/// that begin alike.
fn budgets(cx: &Cx, account: AccountId, to: &Destination) -> Vec<BucketId> {
    let name = |purpose, text: &str| HEXLOWER.encode(&cx.keys.name(purpose, &[text.as_bytes()]));
    let own = BucketId::new(Scope::CodeSend, account);
    match to {
        Destination::Email(email) => {
            vec![own, BucketId::new(Scope::CodeSendAddress, name(Purpose::Email, email.as_str()))]
        }
        Destination::Phone(number) => vec![
            own,
            BucketId::new(Scope::CodeSendAddress, name(Purpose::Phone, number.as_str())),
            BucketId::new(Scope::Sms, account),
            BucketId::new(Scope::SmsRange, name(Purpose::Phone, number.range())),
            BucketId::new(Scope::SmsInstallation, ALL),
        ],
    }
}

/// Takes at most `limit` codes of this kind in hand that are to be sent.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn claim(rooms: &Rooms, kind: Kind, limit: i64) -> Result<Vec<Note>, Stop> {
    let now = rooms.clock.now()?;
    if !rooms.store.read("codes-due", move |db| Ok(sent_codes::is_due(db, kind, now)?)).await? {
        return Ok(Vec::new());
    }
    rooms.store.write("claim-codes", move |tx| Ok(sent_codes::claim(tx, kind, now, limit)?)).await
}

/// Notes what has become of a code in hand.
///
/// # Errors
/// `unavailable`; then it is sent again once its lease has ended, if it is still good.
pub async fn settle(rooms: &Rooms, note: Note, sent: Sent) -> Result<(), Stop> {
    rooms.codes.count(note.to.kind(), sent);
    let pause = SignedDuration::from_secs(PAUSE_SECONDS * note.attempts);
    let next = match sent {
        Sent::Failed if note.attempts < MOST_ATTEMPTS => {
            Next::Again(rooms.clock.now()?.checked_add(pause).unwrap_or(Timestamp::MAX))
        }
        Sent::Taken | Sent::Refused | Sent::Failed | Sent::Unknown => Next::Wipe,
    };
    rooms.store.write("settle-code", move |tx| Ok(sent_codes::settle(tx, &note, next)?)).await
}

/// Looks how much of the budget of all SMS is used, for the metrics.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn measure(rooms: &Rooms) -> Result<(), Stop> {
    let (now, policy) = (rooms.clock.now()?, rooms.policy.limits.sms_installation);
    let bucket = BucketId::new(Scope::SmsInstallation, ALL);
    let used =
        rooms.store.read("sms-budget", move |db: &mut Db<'_>| Ok(ledger::used(db, &policy, &bucket, now)?)).await?;
    rooms.codes.budget_used.set(f64::from(used) / f64::from(policy.free.max(1)));
    Ok(())
}
