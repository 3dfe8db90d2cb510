//! The second listener: what an orchestrator asks. Loopback by default, never for customers.

use crate::actions::Rooms;
use actix_web::{HttpResponse, http::header, web};
use serde_json::json;

/// Registers the probes.
pub fn register(config: &mut web::ServiceConfig) {
    config.route("/livez", web::get().to(live)).route("/readyz", web::get().to(ready));
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

fn answer(is_well: bool, status: &str) -> HttpResponse {
    let mut response = if is_well { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.insert_header((header::CACHE_CONTROL, "no-store")).json(json!({ "status": status }))
}
