//! A partner's end of webhooks: takes every message, and says whether it is signed as it should be (Standard Webhooks,
//! "Verifying signatures").

use super::{Sandbox, known::HOOK, messages::What};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data, Path},
};
use serde_json::Value;

/// Seconds that a message may be old, or ahead.
const TOLERANCE: i64 = 300;

/// Takes a message at the hook of this name.
pub async fn take(sandbox: Data<Sandbox>, name: Path<String>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let now = sandbox.now();
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let id = header("webhook-id").to_owned();
    let body = String::from_utf8_lossy(&body).into_owned();
    let signature = match header("webhook-signature") {
        "" => "missing",
        // Another hook has a secret of its own.
        _ if *name != HOOK.name => "unchecked",
        signatures if is_signed(&id, header("webhook-timestamp"), signatures, &body, now.as_second()) => "right",
        _ => "wrong",
    };
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let kind = body["type"].as_str().unwrap_or_default().to_owned();
    sandbox.messages.add(name.into_inner(), kind, now, What::Webhook { id, signature, body });
    HttpResponse::NoContent().finish()
}

/// Whether one of the signatures is ours, of this moment.
fn is_signed(id: &str, timestamp: &str, signatures: &str, body: &str, now: i64) -> bool {
    let Ok(seconds) = timestamp.parse::<i64>() else { return false };
    // Nothing is protected here, so it need not take the same time for every signature.
    let ours = HOOK.secret().sign(id, seconds, body);
    now.abs_diff(seconds) <= TOLERANCE.unsigned_abs() && signatures.split(' ').any(|signature| signature == ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_signature_that_holds_is_enough_and_an_old_message_is_none() {
        let ours = HOOK.secret().sign("id", 1000, "{}");
        let is = |signatures: &str, body, now| is_signed("id", "1000", signatures, body, now);
        assert!(is(&ours, "{}", 1000) && is(&format!("v1,AAAA {ours}"), "{}", 1300) && is(&ours, "{}", 700));
        assert!(!is(&ours, "{ }", 1000) && !is(&ours, "{}", 1301) && !is(&ours, "{}", 699));
        assert!(!is("v1,AAAA", "{}", 1000) && !is_signed("di", "1000", &ours, "{}", 1000));
        assert!(!is_signed("id", "", &ours, "{}", 1000));
    }
}
