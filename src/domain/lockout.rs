//! One ledger for every guess: a bucket a thing that can be guessed, paid before the guess is judged.
//!
//! ```text
//!            take: budget left                      keep: the guess was wrong
//!   free ───────────────────────► place in flight ───────────────────────────► failure
//!     ▲                                │   │                                      │
//!     └──────── give_back: right ──────┘   └── nobody settles it for a minute ────┤
//!     ▲                                                                           │
//!     └───────────────────────── grows older than every window ◄──────────────────┘
//! ```
//! Places in flight fill the budget like failures do, so a flood in parallel gets no more guesses than
//! one in sequence. A success gives back its own place and clears nothing else.

use super::{
    guesses::{Policy, Scope},
    refusal::Limit,
};
use serde::{Deserialize, Serialize};

/// Milliseconds after which a place that nobody settled counts as a failure: a crash never refunds.
const LEASE_MS: i64 = 60_000;
const DAY: u32 = 24 * 3600;
const MONTH: u32 = 30 * DAY;
/// Seconds that a caller waits whose place is taken by guesses in flight.
const IN_FLIGHT_RETRY: u32 = 1;

/// What is known of earlier guesses. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bucket {
    /// Wrong guesses, oldest first.
    failures: Vec<i64>,
    /// Guesses that nobody settled, oldest first: they use up budget, and end nothing.
    lapsed: Vec<i64>,
    /// Guesses being judged: place and time.
    places: Vec<(i64, i64)>,
    /// Whether a cap has locked it.
    locked: bool,
}

/// What a wrong guess left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Free guesses left.
    pub remaining: u32,
    /// Whether what was guessed at ends now.
    pub ends: bool,
}

impl Bucket {
    /// Takes a place for a guess.
    ///
    /// # Errors
    /// The [`Limit`] that stands in the way; then the guess must not be evaluated.
    pub fn take(&mut self, policy: &Policy, scope: Scope, place: i64, now: i64) -> Result<(), Limit> {
        self.age(policy, now);
        match self.wait(policy, now) {
            None => {
                self.places.push((place, now));
                Ok(())
            }
            Some(retry_after) => {
                Err(Limit { policy: scope.name(), quota: policy.free, window: policy.window, retry_after })
            }
        }
    }

    /// Settles a guess that was right.
    pub fn give_back(&mut self, place: i64) {
        self.places.retain(|(id, _)| *id != place);
    }

    /// Settles a guess that was wrong.
    pub fn keep(&mut self, policy: &Policy, place: i64, now: i64) -> Kept {
        self.give_back(place);
        self.fail(policy, now);
        let in_window = self.count(policy.window, now);
        let settled = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        Kept { remaining: policy.free.saturating_sub(in_window), ends: policy.ends_at > 0 && settled >= policy.ends_at }
    }

    /// Opens a locked bucket: the owner has proved who they are in another way.
    pub fn open(&mut self) {
        if self.locked {
            *self = Self { places: std::mem::take(&mut self.places), ..Self::default() };
        }
    }

    /// Forgets every failure, whatever the rules: support has opened it. Guesses in flight are settled later.
    /// Returns whether there was anything to forget.
    pub fn forget(&mut self) -> bool {
        let before = std::mem::take(self);
        self.places.clone_from(&before.places);
        *self != before
    }

    /// How much of the budget is used now, by what is within the window and what is under way.
    pub fn used(&self, policy: &Policy, now: i64) -> u32 {
        self.count(policy.window, now).saturating_add(u32::try_from(self.places.len()).unwrap_or(u32::MAX))
    }

    /// Seconds to wait, or `None` when there is a place now.
    fn wait(&self, policy: &Policy, now: i64) -> Option<u32> {
        if self.locked {
            return Some(policy.delay_max.max(IN_FLIGHT_RETRY));
        }
        let in_flight = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        for (cap, window) in [(policy.cap_day, DAY), (policy.cap_month, MONTH)] {
            let failures = self.count(window, now);
            if cap > 0 && failures >= cap {
                return Some(self.until_fewer(cap, window, now));
            }
            if cap > 0 && failures.saturating_add(in_flight) >= cap {
                return Some(IN_FLIGHT_RETRY);
            }
        }
        let failures = self.count(policy.window, now);
        if failures < policy.free {
            return (failures.saturating_add(in_flight) >= policy.free).then_some(IN_FLIGHT_RETRY);
        }
        if policy.delay_first == 0 {
            return Some(self.until_fewer(policy.free, policy.window, now));
        }
        let doublings = (failures - policy.free).min(31);
        let delay = policy.delay_first.saturating_mul(1 << doublings).min(policy.delay_max);
        let over_at = self.spent().max().map_or(now, |last| last.saturating_add(i64::from(delay) * 1000));
        if now < over_at {
            // The window may let go of enough failures before the delay is over.
            return Some(seconds_up(over_at - now).min(self.until_fewer(policy.free, policy.window, now)));
        }
        (in_flight > 0).then_some(IN_FLIGHT_RETRY)
    }

    /// Drops what no rule looks at any more, and counts places that nobody settled as failures.
    fn age(&mut self, policy: &Policy, now: i64) {
        let (left_alone, in_flight): (Vec<_>, Vec<_>) =
            self.places.iter().copied().partition(|(_, at)| now - at >= LEASE_MS);
        self.places = in_flight;
        self.lapsed.extend(left_alone.into_iter().map(|(_, at)| at));
        let longest =
            [policy.window, if policy.cap_day > 0 { DAY } else { 0 }, if policy.cap_month > 0 { MONTH } else { 0 }];
        let horizon = now - i64::from(longest.into_iter().max().unwrap_or(0)) * 1000;
        self.failures.retain(|at| *at > horizon);
        self.lapsed.retain(|at| *at > horizon);
    }

    fn fail(&mut self, policy: &Policy, at: i64) {
        self.failures.push(at);
        self.failures.sort_unstable();
        let day = policy.cap_day > 0 && self.count(DAY, at) >= policy.cap_day;
        let month = policy.cap_month > 0 && self.count(MONTH, at) >= policy.cap_month;
        self.locked |= policy.caps_lock && (day || month);
    }

    /// Every guess that used up budget.
    fn spent(&self) -> impl Iterator<Item = i64> {
        self.failures.iter().chain(&self.lapsed).copied()
    }

    fn count(&self, window: u32, now: i64) -> u32 {
        let since = now - i64::from(window) * 1000;
        u32::try_from(self.spent().filter(|at| *at > since).count()).unwrap_or(u32::MAX)
    }

    /// Seconds until fewer than `quota` failures lie within `window`.
    fn until_fewer(&self, quota: u32, window: u32, now: i64) -> u32 {
        let mut oldest_first: Vec<i64> = self.spent().collect();
        oldest_first.sort_unstable();
        let nth_newest = oldest_first.iter().rev().nth(quota.max(1) as usize - 1);
        let deciding = nth_newest.copied().unwrap_or(now);
        seconds_up(deciding + i64::from(window) * 1000 - now)
    }
}

fn seconds_up(milliseconds: i64) -> u32 {
    u32::try_from(milliseconds.saturating_add(999) / 1000).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests;
