//! Sending codes. Somebody waits for each of them with the page open, so they go by no outbox: what is asked for in this
//! process is sent at once, and what another one asked for and did not send, soon after.

use super::{
    mail::{self, Mail},
    sms::{self, SmsSender},
};
use crate::{
    actions::{
        Rooms,
        codes::{self, Sent},
    },
    domain::{destination::Destination, method::Kind},
    store::sent_codes::Note,
};
use jiff::Timestamp;
use std::{future::Future, rc::Rc, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// What another replica was asked for and has not sent is found after so long.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// Codes of one kind that are under way at once.
const AT_ONCE: usize = 8;

/// A way to send codes.
pub trait Way: 'static {
    /// The kind of method whose codes go by it.
    const KIND: Kind;

    /// Makes one attempt, which ends before its lease does.
    fn send(&self, note: &Note, now: Timestamp) -> impl Future<Output = Sent>;
}

impl Way for Mail {
    const KIND: Kind = Kind::Email;

    async fn send(&self, note: &Note, _: Timestamp) -> Sent {
        let Destination::Email(to) = &note.to else { return Sent::Refused };
        match self.send_code(note, to).await {
            Ok(_) => Sent::Taken,
            Err(mail::relay::Refused::Recipient(status)) => {
                log::warn!(status = status; "a code is not sent: there is no such mailbox");
                Sent::Refused
            }
            Err(mail::relay::Refused::Now { error, .. }) => {
                log::warn!(attempts = note.attempts; "a code is not sent: {error}");
                Sent::Failed
            }
        }
    }
}

impl Way for SmsSender {
    const KIND: Kind = Kind::Sms;

    async fn send(&self, note: &Note, now: Timestamp) -> Sent {
        let Destination::Phone(to) = &note.to else { return Sent::Refused };
        let life = u32::try_from(note.expires_at.duration_since(now).as_secs()).unwrap_or_default();
        let refused = match SmsSender::send(self, (&note.code, note.minutes()), to, note.locale, life).await {
            Ok(()) => return Sent::Taken,
            Err(refused) => refused,
        };
        log::warn!(attempts = note.attempts; "an SMS is not sent: {refused}");
        match refused {
            sms::Refused::ForGood(_) => Sent::Refused,
            sms::Refused::Now(_) => Sent::Failed,
            sms::Refused::Perhaps(_) => Sent::Unknown,
        }
    }
}

/// Sends codes by one way for ever. What is in hand when the process ends is sent again by whoever finds it after its
/// lease, unless it is good for nothing by then.
pub async fn send<W: Way>(rooms: Arc<Rooms>, way: Rc<W>) {
    let mut under_way = JoinSet::new();
    loop {
        let asked = rooms.store.codes_asked();
        while under_way.try_join_next().is_some() {}
        let room = i64::try_from(AT_ONCE.saturating_sub(under_way.len())).unwrap_or_default();
        let notes = match codes::claim(&rooms, W::KIND, room).await {
            Ok(notes) => notes,
            Err(stop) => {
                log::error!("no code is sent for now: {stop:?}");
                Vec::new()
            }
        };
        for note in notes {
            let (rooms, way) = (rooms.clone(), way.clone());
            under_way.spawn_local(async move { attempt(&rooms, &*way, note).await });
        }
        tokio::select! {
            Some(_) = under_way.join_next() => {}
            () = asked => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn attempt<W: Way>(rooms: &Rooms, way: &W, note: Note) {
    let Ok(now) = rooms.clock.now() else { return };
    let sent = way.send(&note, now).await;
    if let Err(stop) = codes::settle(rooms, note, sent).await {
        log::warn!("a code that was sent may be sent again: {stop:?}");
    }
}

/// Measures how much of the budget of SMS is used, for ever.
pub async fn measure(rooms: Arc<Rooms>) {
    loop {
        if let Err(stop) = codes::measure(&rooms).await {
            log::debug!("measuring the budget of SMS: {stop:?}");
        }
        tokio::time::sleep(MEASURE_EVERY).await;
    }
}
