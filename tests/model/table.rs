//! What a walk has visited: a walk that goes in circles has shown nothing.

use super::{
    checker::Call,
    machine::{Answer, What},
};
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
            if let Answer::Refused(code, _) = &call.told {
                self.add("refused", code);
            }
            if call.op.if_match.is_some() && call.told.name() == "done" {
                self.add("precondition", "met");
            }
            // The last free guess takes with it what was guessed at.
            if call.told == Answer::Refused("invalid-credential".to_owned(), Some(0)) {
                match &call.op.what {
                    What::Confirm(..) => self.add("confirm", "worn out"),
                    _ if call.op.proofs().is_some() => self.add("session", "ended"),
                    _ => {}
                }
            }
            state_shown(&call.told).into_iter().for_each(|state| self.add("state", state));
        }
    }

    fn add(&mut self, what: &'static str, how: &str) {
        *self.counts.entry((what, how.to_owned())).or_default() += 1;
    }

    /// What of `important` was not visited.
    pub fn lacks(&self, important: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        let is_visited =
            |(what, how): &&(&'static str, &'static str)| self.counts.contains_key(&(*what, (*how).into()));
        important.iter().filter(|entry| !is_visited(entry)).copied().collect()
    }

    /// Whether most rounds were really concurrent.
    pub fn is_concurrent(&self) -> bool {
        self.overlapped * 10 >= self.rounds * 8
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} rounds, {} with requests in flight together", self.rounds, self.overlapped)?;
        self.counts.iter().try_for_each(|((what, how), count)| writeln!(f, "{count:7}  {what}: {how}"))
    }
}

/// The name of the state that an answer shows.
fn state_shown(told: &Answer) -> Option<&'static str> {
    match told {
        Answer::Status(status) | Answer::Confirmed { status, .. } | Answer::Removed { status, .. } => {
            Some(match (status.since, &status.pending) {
                (None, None) => "off",
                (None, Some(_)) => "pending",
                (Some(_), None) => "on",
                (Some(_), Some(_)) => "on, pending",
            })
        }
        _ => None,
    }
}
