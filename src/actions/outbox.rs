//! From what was announced to what was received: numbering, taking deliveries in hand, and noting what has become of
//! them. Every replica may do all of it at any time; nothing depends on one that dies.

use super::{
    Rooms,
    webhooks::{self, Receivers},
};
use crate::{
    domain::{
        account::Account,
        announcement::Announcement,
        delivery::{Attempt, Parcel, Target},
        id::AccountId,
        refusal::{Fault, Stop},
    },
    store::{Db, Tx, accounts, deliveries, feed},
};
use jiff::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::sync::atomic::AtomicU64;

/// What an installation tells others, and how it goes.
#[derive(Default)]
pub struct Outbox {
    /// Whether owners are told by mail.
    pub mails: bool,
    waiting: Gauge,
    oldest: Gauge<f64, AtomicU64>,
    attempts: Family<Label, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Label {
    channel: &'static str,
    result: &'static str,
}

impl Outbox {
    /// One of an installation that tells owners by mail, or does not.
    pub fn new(mails: bool) -> Self {
        Self { mails, ..Self::default() }
    }

    /// Hands out the metrics.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("outbox_waiting", "Deliveries that are to be made, or made again", self.waiting.clone());
        let help = "Age of the oldest delivery that is to be made";
        registry.register_with_unit("outbox_oldest", help, Unit::Seconds, self.oldest.clone());
        let help = "Attempts to deliver an announcement, by channel and result";
        registry.register("deliveries", help, self.attempts.clone());
    }

    fn count(&self, target: Target, attempt: &Attempt) {
        let channel = match target {
            Target::Mail => "mail",
            Target::Webhook(_) => "webhook",
        };
        let result = match attempt {
            Attempt::Taken(_) => "taken",
            Attempt::Failed { .. } | Attempt::Gone(_) => "failed",
            Attempt::Unsent(_) => "unsent",
            Attempt::Postponed { .. } => "postponed",
            Attempt::Withdrawn(_) => "withdrawn",
        };
        self.attempts.get_or_create(&Label { channel, result }).inc();
    }
}

/// Numbers some of what was announced since, and makes its deliveries. Returns how much; 0 when nothing was left.
///
/// # Errors
/// `contended` when another replica was faster.
pub async fn number(rooms: &Rooms) -> Result<usize, Stop> {
    if !rooms.store.read("news", |db| Ok(feed::has_news(db)?)).await? {
        return Ok(0);
    }
    let (now, mails) = (rooms.clock.now()?, rooms.outbox.mails);
    let advance = move |tx: &mut Tx<'_>| {
        let receivers = Receivers::default();
        feed::advance(tx, now, |tx, announcement| targets(tx, announcement, mails, &receivers))
    };
    rooms.store.write("feed", advance).await
}

/// Who is to receive an announcement.
fn targets(
    tx: &mut Tx<'_>,
    announcement: &Announcement,
    mails: bool,
    receivers: &Receivers,
) -> Result<Vec<Target>, Fault> {
    let mut targets = receivers.of(tx, announcement)?;
    let mail = announcement.recipient.is_some().then_some(Target::Mail);
    targets.extend(mail.filter(|_| mails));
    Ok(targets)
}

/// Writes down how attempts came out, and takes deliveries in hand that are due: of each target at most so many. One
/// write does both, so that whoever delivers as fast as it can waits for the disk once a round.
///
/// # Errors
/// `unavailable`, `unreadable`; then what is done is to be written down again, or is made again once its lease has ended.
pub async fn exchange(
    rooms: &Rooms,
    done: &[(Parcel, Attempt)],
    wanted: Vec<(Target, i64)>,
) -> Result<Vec<Parcel>, Stop> {
    let now = rooms.clock.now()?;
    let due = due(rooms, wanted, now).await?;
    if done.is_empty() && due.is_empty() {
        return Ok(Vec::new());
    }
    let ended = done.to_vec();
    let exchange = move |tx: &mut Tx<'_>| {
        for (parcel, attempt) in &ended {
            deliveries::settle(tx, parcel, attempt, now)?;
        }
        let disabled = webhooks::note(tx, &ended, now)?;
        let mut parcels = Vec::new();
        for (target, limit) in &due {
            parcels.append(&mut deliveries::claim(tx, *target, now, *limit)?);
        }
        Ok((disabled, parcels))
    };
    let (disabled, parcels) = rooms.store.write("exchange", exchange).await?;
    for (webhook, because) in disabled {
        log::error!(webhook:% = webhook, because = because.as_str(); "a webhook is disabled");
    }
    for (parcel, attempt) in done {
        rooms.outbox.count(parcel.target, attempt);
    }
    Ok(parcels)
}

/// Those of the targets that something is due for.
async fn due(rooms: &Rooms, wanted: Vec<(Target, i64)>, now: Timestamp) -> Result<Vec<(Target, i64)>, Stop> {
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let look = move |db: &mut Db<'_>| {
        let mut due = Vec::new();
        for (target, limit) in &wanted {
            if deliveries::is_due(db, *target, now)? {
                due.push((*target, *limit));
            }
        }
        Ok(due)
    };
    rooms.store.read("due", look).await
}

/// The account that an announcement is about, as it is now; none once it is deleted.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn account(rooms: &Rooms, id: AccountId) -> Result<Option<Account>, Stop> {
    rooms.store.read("owner", move |db| Ok(accounts::by_id(db, id)?)).await
}

/// Looks how much is waiting, for the metrics.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn measure(rooms: &Rooms) -> Result<(), Stop> {
    let now = rooms.clock.now()?;
    let backlog = rooms.store.read("backlog", move |db| Ok(deliveries::backlog(db, now)?)).await?;
    let age = backlog.oldest.map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64());
    rooms.outbox.waiting.set(backlog.waiting);
    rooms.outbox.oldest.set(age.max(0.0));
    Ok(())
}
