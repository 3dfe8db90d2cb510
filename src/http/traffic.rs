//! How many requests are being answered at this moment, seen from inside.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The requests in flight of one process.
#[derive(Debug, Default)]
pub struct Traffic {
    now: AtomicUsize,
    peak: AtomicUsize,
}

/// One request in flight, until it is dropped.
pub struct InFlight<'a>(&'a Traffic);

impl Traffic {
    /// Counts a request in, for as long as the answer lives.
    pub fn enter(&self) -> InFlight<'_> {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(now, Ordering::Relaxed);
        InFlight(self)
    }

    /// The most requests that were in flight at once since this was last asked.
    pub fn take_peak(&self) -> usize {
        self.peak.swap(self.now.load(Ordering::Relaxed), Ordering::Relaxed)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_most_at_once_since_the_last_look() {
        let traffic = Traffic::default();
        let first = traffic.enter();
        drop(traffic.enter());
        assert_eq!(traffic.take_peak(), 2);
        assert_eq!(traffic.take_peak(), 1, "one is still in flight");
        drop(first);
        traffic.take_peak();
        assert_eq!(traffic.take_peak(), 0);
    }
}
