//! The second listener: what an orchestrator asks, and what a monitor reads. Loopback by default, never for customers.

use crate::actions::Rooms;
use actix_web::{HttpResponse, http::header, web};
use prometheus_client::{encoding::text::encode, registry::Registry};
use serde_json::json;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Registers the probes and the metrics.
pub fn register(config: &mut web::ServiceConfig) {
    config.route("/livez", web::get().to(live)).route("/readyz", web::get().to(ready));
    config.route("/metrics", web::get().to(metrics));
}

/// The process answers.
async fn live() -> HttpResponse {
    answer(true, "alive")
}

/// The process can serve: the database answers, takes part in our time, and has our schema.
async fn ready(rooms: web::Data<Rooms>) -> HttpResponse {
    match (rooms.compare_clocks().await, rooms.clock.now()) {
        (Ok(()), Ok(_)) => answer(true, "ready"),
        (Ok(()), Err(_)) => answer(false, "the clock is more than 30 s off the database's"),
        (Err(_), _) => answer(false, "the database does not answer"),
    }
}

/// What can be full, and how full it is, in the text format of OpenMetrics.
async fn metrics(registry: web::Data<Registry>) -> HttpResponse {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(_) => answer(false, "the metrics cannot be written"),
    }
}

fn answer(is_well: bool, status: &str) -> HttpResponse {
    let mut response = if is_well { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.insert_header((header::CACHE_CONTROL, "no-store")).json(json!({ "status": status }))
}
