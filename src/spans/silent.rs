//! A program that exports no traces: the words of [`super`], with nothing behind them.

use super::{Caller, Ended, Target};
use prometheus_client::registry::Registry;

/// What spans are made with: nothing.
#[derive(Clone, Debug, Default)]
pub struct Spans(());

/// The span of a request: nothing.
#[derive(Debug)]
pub struct RequestSpan;

impl Spans {
    /// Starts nothing.
    ///
    /// # Errors
    /// When there is somewhere to export to: the configuration does not let that come here.
    pub fn start(target: Option<Target>) -> Result<Self, String> {
        match target {
            Some(_) => Err("this program was built without the feature `otlp`".to_owned()),
            None => Ok(Self(())),
        }
    }

    /// There is nothing to count.
    pub fn register(&self, _: &mut Registry) {}

    /// Begins nothing.
    pub fn begin(&self, _: Caller<'_>) -> RequestSpan {
        RequestSpan
    }

    /// There is nothing to wait for.
    pub fn stop(&self) {}
}

impl RequestSpan {
    /// No trace is begun.
    pub fn trace_id(&self) -> Option<String> {
        None
    }

    /// Runs `work` as it is.
    pub fn around<F: Future>(&self, work: F) -> F {
        work
    }

    /// Ends nothing.
    pub fn end(self, _: impl FnOnce() -> Ended) {}
}

/// Runs `work` as it is.
pub fn within<F: Future>(_: &'static str, _: &'static str, work: F) -> F {
    work
}
