//! Telling others: numbering what was announced, and bringing each delivery to its receiver by a channel of its kind.

use crate::{
    actions::{Rooms, outbox},
    domain::{
        delivery::{Attempt, Parcel, Target},
        refusal::{Fault, Stop},
    },
};
use std::{
    collections::HashMap,
    future::Future,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet, spawn_local},
};

/// What another replica has announced or numbered is found after so long; what is ours is heard at once.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// Counting a backlog of millions takes seconds: then it is counted more rarely, so that it costs a hundredth of the time.
const MEASURE_SHARE: u32 = 100;
/// What became of an attempt that a fault of ours ended. If it was sent all the same, it comes once more.
pub const UNSENT: Attempt = Attempt::Unsent("it was not sent, for reasons of ours");
/// Failures in a row after which a receiver is left alone for a while.
const PATIENCE: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A way to deliver.
pub trait Channel: 'static {
    /// How many deliveries to one receiver are under way at once.
    const AT_ONCE: usize;

    /// The receivers that there are now.
    fn targets(&self, rooms: &Rooms) -> impl Future<Output = Result<Vec<Target>, Stop>>;

    /// Makes one attempt, which ends before its lease does.
    fn deliver(&self, rooms: &Rooms, parcel: &Parcel) -> impl Future<Output = Attempt>;
}

/// Numbers what is announced for ever, and tells those who deliver.
pub async fn number(rooms: Arc<Rooms>, numbered: Arc<Notify>) {
    loop {
        loop {
            match outbox::number(&rooms).await {
                Ok(0) => break,
                Ok(_) => numbered.notify_waiters(),
                Err(stop) => {
                    // After a fault, and when another replica was faster, the next round tries again.
                    tell(&stop);
                    break;
                }
            }
        }
        let _ = tokio::time::timeout(LOOK_EVERY, rooms.store.announced()).await;
    }
}

/// That another replica was faster is no news; whatever else stops the telling is.
fn tell(stop: &Stop) {
    match stop {
        Stop::Failed(Fault::Contended(_)) => log::debug!("telling others: {stop:?}"),
        _ => log::error!("nobody is told for now: {stop:?}"),
    }
}

/// Measures the backlog for ever.
pub async fn measure(rooms: Arc<Rooms>) {
    loop {
        let began = Instant::now();
        if let Err(stop) = outbox::measure(&rooms).await {
            log::debug!("measuring the outbox: {stop:?}");
        }
        tokio::time::sleep(MEASURE_EVERY.max(began.elapsed() * MEASURE_SHARE)).await;
    }
}

/// Delivers by one channel for ever. What is in hand when the process ends is delivered again by whoever finds it
/// after its lease: at least once, and under the same id.
pub async fn deliver<C: Channel>(rooms: Arc<Rooms>, channel: Rc<C>, numbered: Arc<Notify>) {
    let mut courier =
        Courier { rooms, channel, under_way: JoinSet::new(), done: Vec::new(), receivers: HashMap::new() };
    loop {
        let heard = numbered.notified();
        while let Some(done) = courier.under_way.try_join_next() {
            courier.end(done);
        }
        if courier.turn().await {
            continue;
        }
        tokio::select! {
            Some(done) = courier.under_way.join_next() => courier.end(done),
            () = heard => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// What one channel has in hand.
struct Courier<C> {
    rooms: Arc<Rooms>,
    channel: Rc<C>,
    under_way: JoinSet<(Parcel, Attempt)>,
    /// Attempts that are made and not written down yet.
    done: Vec<(Parcel, Attempt)>,
    receivers: HashMap<Target, Receiver>,
}

/// How it goes with one receiver.
#[derive(Default)]
struct Receiver {
    /// Deliveries in hand.
    in_hand: usize,
    /// Failures since the last success.
    failures: u32,
    /// It is left alone until then.
    rests_until: Option<Instant>,
}

impl Receiver {
    /// How many deliveries more it may be sent now. One that has failed is asked with one until it takes it, so that a
    /// dead receiver costs little, and its deliveries lose no attempts.
    fn room(&self, at_once: usize, now: Instant) -> usize {
        match (self.failures < PATIENCE, self.rests_until) {
            (true, _) => at_once.saturating_sub(self.in_hand),
            (false, Some(until)) if now < until => 0,
            (false, _) => 1_usize.saturating_sub(self.in_hand),
        }
    }

    fn settle(&mut self, target: Target, attempt: &Attempt, now: Instant) {
        self.in_hand = self.in_hand.saturating_sub(1);
        match attempt {
            Attempt::Failed { status, .. } if is_about_one(target, *status) => {}
            // What keeps us from asking with one keeps us from asking with the next.
            Attempt::Failed { .. } | Attempt::Gone(_) | Attempt::Unsent(_) => {
                self.failures = self.failures.saturating_add(1);
                let doublings = self.failures.saturating_sub(PATIENCE).min(10);
                self.rests_until = Some(now + (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE));
            }
            // It is well, and has said for how long it wants to be left alone.
            Attempt::Postponed { seconds, .. } => {
                self.failures = self.failures.max(PATIENCE);
                self.rests_until = Some(now + Duration::from_secs((*seconds).into()).max(FIRST_PAUSE));
            }
            Attempt::Taken(_) => (self.failures, self.rests_until) = (0, None),
            // It was not asked.
            Attempt::Withdrawn(_) => {}
        }
    }
}

/// Whether a failure says nothing of the receiver's health: a mail server that answers is well and speaks of one
/// mailbox or mail, unless it is going (421) or does not let us in (RFC 5321 §4.2.2, RFC 4954 §6). One customer's
/// address must not hold up everybody's mail.
fn is_about_one(target: Target, status: Option<u16>) -> bool {
    target == Target::Mail && status.is_some_and(|status| ![421, 454, 530, 534, 535, 538].contains(&status))
}

impl<C: Channel> Courier<C> {
    /// An attempt has ended: it is written down in the next turn, and its receiver is asked as it deserves from now on.
    fn end(&mut self, ended: Result<(Parcel, Attempt), JoinError>) {
        // It only waits for the attempt's own task, so there is nothing in it that could panic.
        let Ok((parcel, attempt)) = ended else { return };
        if let Attempt::Failed { status, error } = &attempt {
            let (target, status) = (parcel.target.to_string(), status.map_or(0, u64::from));
            log::warn!(target = target.as_str(), event_id:% = parcel.announcement.id, attempts = parcel.attempts, status = status; "not delivered: {error}");
        }
        let receiver = self.receivers.entry(parcel.target).or_default();
        receiver.settle(parcel.target, &attempt, Instant::now());
        self.done.push((parcel, attempt));
    }

    /// Writes down what has ended, takes as much in hand as there is room for, and begins it. Returns whether it took
    /// anything.
    async fn turn(&mut self) -> bool {
        let parcels = match self.exchange().await {
            Ok(parcels) => parcels,
            Err(stop) => {
                tell(&stop);
                return false;
            }
        };
        self.done.clear();
        let took = !parcels.is_empty();
        for parcel in parcels {
            self.receivers.entry(parcel.target).or_default().in_hand += 1;
            let (rooms, channel) = (self.rooms.clone(), self.channel.clone());
            let this = parcel.clone();
            // A task of its own: what panics is one attempt, and its receiver gets its place back.
            let attempt = spawn_local(async move { channel.deliver(&rooms, &this).await });
            self.under_way.spawn_local(async move { (parcel, attempt.await.unwrap_or(UNSENT)) });
        }
        took
    }

    async fn exchange(&mut self) -> Result<Vec<Parcel>, Stop> {
        let targets = self.channel.targets(&self.rooms).await?;
        let now = Instant::now();
        let wanted = targets.into_iter().filter_map(|target| {
            let room = self.receivers.get(&target).map_or(C::AT_ONCE, |receiver| receiver.room(C::AT_ONCE, now));
            (room > 0).then(|| (target, i64::try_from(room).unwrap_or(i64::MAX)))
        });
        outbox::exchange(&self.rooms, &self.done, wanted.collect()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_fails_is_asked_rarely_and_with_one() {
        let (mut receiver, now) = (Receiver::default(), Instant::now());
        let failed = Attempt::Failed { status: None, error: String::new() };
        assert_eq!(receiver.room(8, now), 8);
        for _ in 0..PATIENCE {
            receiver.in_hand += 1;
            receiver.settle(Target::Mail, &failed, now);
        }
        assert_eq!(receiver.room(8, now), 0);
        assert_eq!(receiver.room(8, now + FIRST_PAUSE), 1);
        receiver.in_hand = 1;
        assert_eq!(receiver.room(8, now + FIRST_PAUSE), 0, "one at a time");
        receiver.settle(Target::Mail, &failed, now);
        assert_eq!(receiver.room(8, now + FIRST_PAUSE), 0);
        for _ in 0..40 {
            receiver.settle(Target::Mail, &failed, now);
        }
        assert_eq!(receiver.room(8, now + LONGEST_PAUSE), 1);
        receiver.settle(Target::Mail, &Attempt::Withdrawn("disabled"), now);
        assert_eq!(receiver.room(8, now), 0, "it has not taken anything");
        receiver.settle(Target::Mail, &Attempt::Taken(Some(204)), now);
        assert_eq!(receiver.room(8, now), 8);
        let of_mailbox = Attempt::Failed { status: Some(450), error: String::new() };
        for _ in 0..=PATIENCE {
            receiver.settle(Target::Mail, &of_mailbox, now);
        }
        assert_eq!(receiver.room(8, now), 8, "of one mailbox");
        receiver.settle(Target::Mail, &Attempt::Postponed { status: 429, seconds: 60 }, now);
        assert_eq!(receiver.room(8, now + Duration::from_secs(59)), 0);
        assert_eq!(receiver.room(8, now + Duration::from_secs(60)), 1);
    }
}
