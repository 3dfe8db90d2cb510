//! What a walk has visited: a walk that goes in circles has shown nothing.

use super::{checker::Call, walk::state_shown};
use std::{collections::BTreeMap, fmt};

/// How often each state was shown, and each operation had each answer.
#[derive(Default)]
pub struct Table {
    counts: BTreeMap<(&'static str, String), u32>,
    rounds: u32,
    overlapped: u32,
}

impl Table {
    /// Notes a round, and whether requests were seen in flight together from inside the service.
    pub fn note_overlap(&mut self, is_overlapped: bool) {
        self.rounds += 1;
        self.overlapped += u32::from(is_overlapped);
    }

    pub fn note(&mut self, calls: &[Call]) {
        for call in calls {
            self.add(call.op.name(), call.told.name());
            state_shown(&call.told).into_iter().for_each(|state| self.add("state", state));
        }
    }

    fn add(&mut self, what: &'static str, how: &str) {
        *self.counts.entry((what, how.to_owned())).or_default() += 1;
    }

    /// That everything of `important` was visited, and that rounds overlapped.
    pub fn has(&self, important: &[(&'static str, &str)]) {
        for (what, how) in important {
            let count = self.counts.get(&(*what, (*how).to_owned()));
            assert!(count.is_some(), "the walk never saw: {what}, {how}\n{self}");
        }
        assert!(
            self.overlapped * 10 >= self.rounds * 8,
            "only {} of {} rounds overlapped",
            self.overlapped,
            self.rounds
        );
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} rounds, {} with requests in flight together", self.rounds, self.overlapped)?;
        self.counts.iter().try_for_each(|((what, how), count)| writeln!(f, "{count:7}  {what}: {how}"))
    }
}
