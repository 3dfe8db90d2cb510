//! What a run of load found: every latency, sorted, never a histogram of buckets; and every status.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What a run found.
#[derive(Clone, Default)]
pub struct Tally {
    latencies: Vec<Duration>,
    /// How long the counted part took.
    pub elapsed: Duration,
    /// CPU that the service used meanwhile.
    pub cpu: Duration,
    statuses: BTreeMap<u16, u64>,
    /// Requests that got no answer.
    pub unanswered: u64,
}

impl Tally {
    /// Notes an answer; one of the warm-up counts for its status alone.
    pub fn answer(&mut self, status: u16, latency: Duration, is_counted: bool) {
        *self.statuses.entry(status).or_default() += 1;
        if is_counted {
            self.latencies.push(latency);
        }
    }

    /// Adds what another thread found at the same time.
    pub fn merge(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.unanswered += other.unanswered;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
    }

    /// Ends a run that took from `began` until now.
    pub fn close(mut self, began: Instant, cpu: Duration) -> Self {
        self.latencies.sort_unstable();
        self.elapsed = began.elapsed();
        self.cpu = cpu;
        self
    }

    /// Adds what a later round found.
    pub fn join(mut self, later: Self) -> Self {
        self.elapsed += later.elapsed;
        self.cpu += later.cpu;
        self.merge(later);
        self.latencies.sort_unstable();
        self
    }

    /// Counted answers.
    pub fn count(&self) -> usize {
        self.latencies.len()
    }

    /// All answers, those of the warm-up and the drain included.
    pub fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// All answers with this status.
    pub fn answers_of(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.count() as f64 / self.elapsed.as_secs_f64()
    }

    /// CPU of the service a request, in microseconds.
    pub fn micros_each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.count().max(1) as f64
    }

    /// A quantile, in milliseconds: the smallest latency that this share of requests did not exceed.
    pub fn quantile(&self, share: f64) -> f64 {
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        let latency = self.latencies.get(rank.saturating_sub(1)).copied().unwrap_or_default();
        latency.as_secs_f64() * 1e3
    }

    /// Whether every request was answered, and with one of these.
    pub fn is_all(&self, expected: &[u16]) -> bool {
        self.unanswered == 0 && self.count() > 0 && self.statuses.keys().all(|found| expected.contains(found))
    }

    /// The statuses, as the table shows them.
    pub fn statuses(&self) -> String {
        let mut shown: Vec<String> = self.statuses.iter().map(|(status, n)| format!("{status}: {n}")).collect();
        if self.unanswered > 0 {
            shown.push(format!("unanswered: {}", self.unanswered));
        }
        shown.join(", ")
    }
}
