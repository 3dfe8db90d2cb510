//! The budgets of guesses, as section 5 of the contract has them: a place is taken before a guess is judged,
//! fills the budget while it is in flight, and stays taken when the guess was wrong.

use super::machine::Id;
use std::collections::BTreeMap;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What a guess is paid from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Passwords in one session.
    SessionPassword(u32),
    /// Passwords in all sessions.
    Password,
    /// Codes in a session that is `aal2`.
    SessionCode(u32),
    /// Codes in sessions that are `aal1`.
    Code,
    RecoveryCode,
    /// Codes at the confirm of one enrolment.
    Confirm(Id),
    /// Starts of enrolments.
    Start,
}

/// The numbers of a bucket, in seconds; zero means that there is no such rule.
struct Rule {
    free: usize,
    window: i64,
    delay: i64,
    longest_delay: i64,
    ends_at: usize,
}

impl Bucket {
    fn rule(self) -> Rule {
        let rule = |free, window, delay, longest_delay, ends_at| Rule { free, window, delay, longest_delay, ends_at };
        match self {
            Self::SessionPassword(_) => rule(5, 30 * DAY, 0, 0, 5),
            Self::Password => rule(10, HOUR, 15 * MINUTE, DAY, 0),
            Self::SessionCode(_) => rule(5, 30 * DAY, 30, 15 * MINUTE, 12),
            Self::Code => rule(5, DAY, 30, HOUR, 0),
            Self::RecoveryCode => rule(5, DAY, MINUTE, HOUR, 0),
            Self::Confirm(_) => rule(5, 30 * DAY, 0, 0, 5),
            Self::Start => rule(5, HOUR, 0, 0, 0),
        }
    }
}

/// What a wrong guess leaves.
pub struct Missed {
    /// Free guesses.
    pub left: usize,
    /// Whether what was guessed at ends.
    pub ends: bool,
}

/// Wrong guesses by the time they were made, and the places of operations in flight.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ledger {
    misses: BTreeMap<Bucket, Vec<i64>>,
    places: BTreeMap<u32, Vec<Bucket>>,
}

impl Ledger {
    /// The places that an operation holds.
    pub fn places(&self, serial: u32) -> Option<&[Bucket]> {
        self.places.get(&serial).map(Vec::as_slice)
    }

    /// Takes a place in every bucket or in none; otherwise the seconds to wait for the first that has none.
    pub fn take(&mut self, serial: u32, buckets: Vec<Bucket>, now: i64) -> Result<(), i64> {
        match buckets.iter().find_map(|bucket| self.wait(*bucket, now)) {
            Some(seconds) => Err(seconds),
            None => {
                self.places.insert(serial, buckets);
                Ok(())
            }
        }
    }

    /// Gives the places of an operation back.
    pub fn settle(&mut self, serial: u32) -> Vec<Bucket> {
        self.places.remove(&serial).unwrap_or_default()
    }

    /// Seconds until a bucket has a place; `None` where it has one.
    pub fn wait(&self, bucket: Bucket, now: i64) -> Option<i64> {
        let rule = bucket.rule();
        let misses = self.misses.get(&bucket).map_or(&[][..], Vec::as_slice);
        let in_flight = self.places.values().flatten().filter(|taken| **taken == bucket).count();
        if misses.len() < rule.free {
            return (misses.len() + in_flight >= rule.free).then_some(1);
        }
        // The window may let go of enough misses before a delay is over.
        let fewer_at = misses[misses.len() - rule.free] + rule.window * 1000;
        let over_at = if rule.delay == 0 {
            fewer_at
        } else {
            let delay = (rule.delay << (misses.len() - rule.free)).min(rule.longest_delay);
            fewer_at.min(misses[misses.len() - 1] + delay * 1000)
        };
        if now < over_at { Some((over_at - now + 999) / 1000) } else { (in_flight > 0).then_some(1) }
    }

    /// Counts a wrong guess.
    pub fn miss(&mut self, bucket: Bucket, now: i64) -> Missed {
        let (rule, misses) = (bucket.rule(), self.misses.entry(bucket).or_default());
        misses.push(now);
        Missed { left: rule.free.saturating_sub(misses.len()), ends: rule.ends_at > 0 && misses.len() >= rule.ends_at }
    }

    /// Forgets what no rule looks at any more.
    pub fn age(&mut self, now: i64) {
        for (bucket, misses) in &mut self.misses {
            misses.retain(|at| *at > now - bucket.rule().window * 1000);
        }
        self.misses.retain(|_, misses| !misses.is_empty());
    }
}
