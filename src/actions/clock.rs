//! The time, as long as it can be trusted.
//!
//! Codes, delays and lifetimes are decided by a replica's own clock and read by all others. A replica whose
//! clock is wrong would take codes of another hour, and write moments that lock people out. So the clock is
//! held against the database's every few seconds, and in between against the time that the process has
//! been running; beyond [`MAX_SKEW_MS`] the replica answers 503 until they agree again.

use crate::domain::refusal::{Fault, Stop};
use jiff::Timestamp;
use prometheus_client::{
    metrics::gauge::Gauge,
    registry::{Registry, Unit},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Instant,
};

/// Milliseconds that our clock and the database's may differ: one time step of a code (RFC 6238 §5.2).
pub const MAX_SKEW_MS: i64 = 30_000;
/// No comparison yet.
const UNKNOWN: i64 = i64::MIN;

/// Tells the time.
pub type Tell = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A clock that knows whether it is right.
pub struct Clock {
    tell: Tell,
    started: Instant,
    /// The moment the process started, in milliseconds since 1970, by the database's clock.
    started_at: AtomicI64,
    skew: Gauge<f64, AtomicU64>,
}

impl Clock {
    /// A clock that is trusted until it is compared.
    pub fn new(tell: Tell) -> Self {
        Self { tell, started: Instant::now(), started_at: AtomicI64::new(UNKNOWN), skew: Gauge::default() }
    }

    /// The time.
    ///
    /// # Errors
    /// `unavailable` while the clock is more than [`MAX_SKEW_MS`] off.
    pub fn now(&self) -> Result<Timestamp, Fault> {
        let now = (self.tell)();
        let started_at = self.started_at.load(Ordering::Relaxed);
        let off_by = self.began(now).abs_diff(started_at);
        if started_at != UNKNOWN && off_by > MAX_SKEW_MS.unsigned_abs() {
            return Err(Fault::Unavailable(format!("our clock is {} s off the database's", off_by / 1000)));
        }
        Ok(now)
    }

    /// Compares it with the database's, where that has one of its own. `read` asks by how many milliseconds
    /// theirs is ahead of the given moment.
    ///
    /// # Errors
    /// What `read` says; then the last comparison stands.
    pub async fn compare(&self, read: impl AsyncFnOnce(Timestamp) -> Result<Option<i64>, Stop>) -> Result<(), Stop> {
        let now = (self.tell)();
        let began = self.began(now);
        if let Some(ahead) = read(now).await? {
            #[expect(clippy::cast_precision_loss, reason = "seconds of a wrong clock, for people to look at")]
            self.skew.set(ahead as f64 / 1000.0);
            self.started_at.store(began.saturating_add(ahead), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Hands out how far apart the clocks were.
    pub fn register(&self, registry: &mut Registry) {
        let help = "By how much the database's clock was ahead of ours when they were last compared";
        registry.register_with_unit("clock_skew", help, Unit::Seconds, self.skew.clone());
    }

    /// When the process started, if `now` is right.
    fn began(&self, now: Timestamp) -> i64 {
        let uptime = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        now.as_millisecond().saturating_sub(uptime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::sync::atomic::AtomicI64;

    fn movable() -> (Arc<AtomicI64>, Clock) {
        let time = Arc::new(AtomicI64::new(2_000_000_000_000));
        let told = time.clone();
        let clock = Clock::new(Arc::new(move || Timestamp::from_millisecond(told.load(Ordering::SeqCst)).unwrap()));
        (time, clock)
    }

    fn compare(clock: &Clock, theirs: Result<Option<i64>, Stop>) -> Result<(), Stop> {
        clock.compare(async |_| theirs).now_or_never().unwrap()
    }

    #[test]
    fn a_clock_is_trusted_within_thirty_seconds_of_the_database() {
        let (_, clock) = movable();
        assert!(clock.now().is_ok(), "not compared yet");
        for (ahead, is_right) in [(0, true), (29_000, true), (-29_000, true), (31_000, false), (-3_600_000, false)] {
            compare(&clock, Ok(Some(ahead))).unwrap();
            assert_eq!(clock.now().is_ok(), is_right, "{ahead} ms");
        }
        compare(&clock, Ok(None)).unwrap();
        assert!(clock.now().is_err(), "nothing was learned");
        compare(&clock, Err(Fault::Unavailable(String::new()).into())).unwrap_err();
        assert!(clock.now().is_err(), "the last comparison stands");
        compare(&clock, Ok(Some(0))).unwrap();
        assert!(clock.now().is_ok());
    }

    #[test]
    fn a_jump_between_two_comparisons_is_noticed_at_once() {
        let (time, clock) = movable();
        compare(&clock, Ok(Some(0))).unwrap();
        for jump in [40_000, -3_600_000] {
            time.fetch_add(jump, Ordering::SeqCst);
            assert!(clock.now().is_err(), "{jump} ms");
            time.fetch_sub(jump, Ordering::SeqCst);
            assert!(clock.now().is_ok());
        }
    }
}
