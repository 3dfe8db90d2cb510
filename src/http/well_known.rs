//! What is published for everybody: token keys, the policy in force, the document.

use super::{
    caller::{Answer, AnyCall},
    openapi::Published,
    problem::Problem,
};
use crate::domain::{
    password::{MAX_BYTES, MIN_BYTES_NEW},
    policy::MAX_METHODS,
    recovery_code::SET_SIZE,
    refusal::Fault,
    totp::{DIGITS, PERIOD},
};
use actix_web::{HttpResponse, get, http::header, web};
use serde_json::json;
use std::sync::Arc;

const CACHE: &str = "public, max-age=300";

/// The document as it is served.
pub struct Document(pub Arc<str>);

/// Publishes the keys that access tokens are checked with (RFC 7517).
#[utoipa::path(operation_id = "getJwks", tag = "well-known",
    responses((status = 200, description = "A JWK set", body = Object, content_type = "application/json"), Published))]
#[get("/.well-known/jwks.json")]
pub async fn jwks(call: AnyCall) -> Answer {
    Ok(cached(call.cx.keys.signer.jwks.clone()))
}

/// Publishes the numbers in force: windows, ages, and the budgets of guesses.
#[utoipa::path(operation_id = "getTwoFactorPolicy", tag = "well-known",
    responses((status = 200, description = "The policy", body = Object, content_type = "application/json"), Published))]
#[get("/.well-known/two-factor-policy")]
pub async fn policy(call: AnyCall) -> Answer {
    let policy = &call.cx.policy;
    let body = json!({
        "totp": {"algorithm": "SHA1", "digits": DIGITS, "period": PERIOD, "window": policy.totp_window},
        "recovery_codes": {"count": SET_SIZE},
        "methods": {"max": MAX_METHODS},
        "password": {"min_bytes": MIN_BYTES_NEW, "max_bytes": MAX_BYTES},
        "step_up_max_age": policy.step_up_max_age,
        "access_token_ttl": policy.access_token_ttl,
        "session_idle": policy.session_idle,
        "session_max": policy.session_max,
        "challenge_ttl": policy.challenge_ttl,
        "enrollment_ttl": policy.enrollment_ttl,
        "reminder_after": policy.reminder_after,
        "address": {"per_minute": policy.auth_per_minute, "burst": policy.auth_burst},
        "limits": policy.limits,
    });
    Ok(cached(body.to_string()))
}

/// Publishes this document.
#[utoipa::path(operation_id = "getOpenapi", tag = "well-known",
    responses((status = 200, description = "The OpenAPI document", body = Object, content_type = "application/json"), Published))]
#[get("/openapi.json")]
pub async fn document(document: web::Data<Document>) -> Answer {
    match document.0.is_empty() {
        true => Err(Problem::Failed(Fault::Unavailable("no document".to_owned()))),
        false => Ok(cached(document.0.to_string())),
    }
}

fn cached(body: String) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").insert_header((header::CACHE_CONTROL, CACHE)).body(body)
}
