//! How guesses came out, for whoever watches: by kind and result, and by nobody's name.

use crate::domain::{
    guesses::Scope,
    refusal::{Refusal, Stop},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// How a guess came out, once it was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was right.
    Right,
    /// It was wrong.
    Wrong,
}

/// The guesses of one process; clones share the counts.
#[derive(Clone, Default)]
pub struct Attempts(Family<Label, Counter>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Label {
    kind: &'static str,
    result: &'static str,
}

impl Attempts {
    /// Hands out the metric.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Guesses by kind; refused are those that no budget was left for, and that nobody judged";
        registry.register("attempts", help, self.0.clone());
    }

    /// Counts what a transaction has settled, and the guess that it refused.
    pub fn count<T>(&self, settled: &[(Scope, Verdict)], outcome: &Result<T, Stop>) {
        for (scope, verdict) in settled.iter().filter(|(scope, _)| scope.is_guess()) {
            self.add(scope.name(), if *verdict == Verdict::Right { "right" } else { "wrong" });
        }
        if let Err(Stop::Refused(Refusal::TooManyAttempts(limit))) = outcome
            && !Scope::QUOTAS.map(Scope::name).contains(&limit.policy)
        {
            self.add(limit.policy, "refused");
        }
    }

    fn add(&self, kind: &'static str, result: &'static str) {
        self.0.get_or_create(&Label { kind, result }).inc();
    }
}
