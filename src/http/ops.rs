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

/// The process can serve, or why it cannot.
async fn ready(rooms: web::Data<Rooms>) -> HttpResponse {
    match rooms.check().await {
        Ok(()) => answer(true, "ready"),
        Err(why) => answer(false, why),
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
