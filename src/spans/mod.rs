//! What a request did and how long each part of it took, for a collector of traces (OpenTelemetry). Exporting never
//! holds up a request: spans wait in a queue that has an end, and what finds no room is counted and dropped.
//!
//! Only a program that was built with the feature `otlp` keeps anything; in others `silent.rs` says the same words and
//! does nothing. A span names routes, kinds of problem and transactions, never a path, an address or an account.

#[cfg(feature = "otlp")]
mod otlp;
#[cfg(not(feature = "otlp"))]
mod silent;

#[cfg(feature = "otlp")]
pub use otlp::{RequestSpan, Spans, within};
#[cfg(not(feature = "otlp"))]
pub use silent::{RequestSpan, Spans, within};

/// Where spans go, and under which name.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address of the collector's OTLP over HTTP, without `/v1/traces`.
    pub endpoint: String,
    /// `service.name` of the resource.
    pub service_name: String,
    /// `host.name` of the resource: which of the replicas it is.
    pub machine: String,
}

/// The caller's place in a trace (W3C Trace Context); the ids are in hexadecimal, and empty where it named none.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Its trace.
    pub trace_id: &'a str,
    /// Its span.
    pub span_id: &'a str,
    /// Whether it keeps its own span: then ours is kept, too.
    pub is_sampled: bool,
}

/// How a request ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its method; `_OTHER` where it is one that nobody knows.
    pub method: &'static str,
    /// The pattern of its route; none where none matched.
    pub route: Option<String>,
    /// The status of its answer.
    pub status: u16,
    /// The kind of problem that it met.
    pub problem: Option<&'static str>,
}
