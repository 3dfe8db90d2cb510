//! What is measured of the requests: how many, how answered, how long. By the pattern of the route and never by the
//! path, which names people and grows without end.

use actix_web::{HttpRequest, http::StatusCode};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::time::Duration;

/// The requests of one process; clones share the counts.
#[derive(Clone)]
pub struct Requests {
    answered: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

impl Default for Requests {
    fn default() -> Self {
        let seconds = || Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]);
        Self { answered: Family::default(), seconds: Family::new_with_constructor(seconds as fn() -> Histogram) }
    }
}

impl Requests {
    /// Hands out the metrics.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Requests by route and status", self.answered.clone());
        let help = "How long requests took until their answer was ready";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.seconds.clone());
    }

    /// Counts a request that was answered.
    pub fn count(&self, request: &HttpRequest, status: StatusCode, took: Duration) {
        let (method, route) = (method(request), request.match_pattern().unwrap_or_else(|| "none".to_owned()));
        self.seconds.get_or_create(&Route { method, route: route.clone() }).observe(took.as_secs_f64());
        self.answered.get_or_create(&Answered { method, route, status: status.as_u16() }).inc();
    }
}

/// A client may invent methods; a label must not.
fn method(request: &HttpRequest) -> &'static str {
    known_method(request).unwrap_or("other")
}

/// The method of a request, where it is one that is known.
pub fn known_method(request: &HttpRequest) -> Option<&'static str> {
    let known = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"];
    known.into_iter().find(|known| *known == request.method().as_str())
}
