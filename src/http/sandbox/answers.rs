//! What the sandbox answers. It is for tests, so its paths are in no document; docs/integrate.md describes them.

use super::{
    AHEAD_MAX, Sandbox, hooks,
    known::{AccountBody, CLIENT, ClientBody, HOOK, HookBody, PEOPLE, Person},
};
use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data, Json, Path, Query, ServiceConfig},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// As for the service's own page; mails are shown in frames.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A mail brings styles, and nothing else that works.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
const HTML: &str = "text/html; charset=utf-8";

/// All that a test needs to know.
#[derive(Serialize)]
struct SandboxBody {
    service: String,
    sandbox: String,
    now: Timestamp,
    accounts: Vec<AccountBody>,
    client: ClientBody,
    webhook: HookBody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceBody {
    /// Seconds.
    advance: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    to: Option<String>,
    kind: Option<String>,
}

/// Registers the answers.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(web::resource("/").get(async || file(HTML, include_str!("page/index.html"))))
        .service(web::resource("/sandbox.js").get(async || file("text/javascript", include_str!("page/sandbox.js"))))
        .service(web::resource("/sandbox.css").get(async || file("text/css", include_str!("page/sandbox.css"))))
        .service(web::resource("/sandbox").get(tell))
        .service(web::resource("/sandbox/clock").get(clock).post(advance))
        .service(web::resource("/sandbox/messages").get(list).delete(clear))
        .service(web::resource("/sandbox/messages/{n}").get(mail))
        .service(web::resource("/sandbox/hooks/{name}").post(hooks::take))
        .service(web::resource("/sandbox/reset").post(reset));
}

async fn tell(sandbox: Data<Sandbox>) -> HttpResponse {
    answer(&told(&sandbox))
}

fn told(sandbox: &Sandbox) -> SandboxBody {
    let now = sandbox.now();
    SandboxBody {
        service: sandbox.service.get().map(|address| format!("http://{address}")).unwrap_or_default(),
        sandbox: format!("http://{}", sandbox.address),
        now,
        accounts: PEOPLE.iter().map(|person: &Person| person.told(now)).collect(),
        client: CLIENT.told(),
        webhook: HOOK.told(sandbox.address),
    }
}

async fn clock(sandbox: Data<Sandbox>) -> HttpResponse {
    answer(&json!({"now": sandbox.now()}))
}

async fn advance(sandbox: Data<Sandbox>, body: Json<AdvanceBody>) -> HttpResponse {
    if sandbox.advance(body.advance) {
        return clock(sandbox).await;
    }
    let detail = format!("the clock may be {AHEAD_MAX} seconds ahead of the machine's; a reset puts it right");
    HttpResponse::UnprocessableEntity().json(json!({"detail": detail}))
}

async fn list(sandbox: Data<Sandbox>, which: Query<Which>) -> HttpResponse {
    answer(&json!({"messages": sandbox.messages.find(which.to.as_deref(), which.kind.as_deref())}))
}

async fn clear(sandbox: Data<Sandbox>) -> HttpResponse {
    sandbox.messages.clear();
    HttpResponse::NoContent().finish()
}

/// A mail as a page, for the frame that shows it.
async fn mail(sandbox: Data<Sandbox>, n: Path<u64>) -> HttpResponse {
    match sandbox.messages.html(*n) {
        Some(html) => page(HTML, MAIL_POLICY, html),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn reset(sandbox: Data<Sandbox>) -> HttpResponse {
    if sandbox.reset().await {
        return tell(sandbox).await;
    }
    HttpResponse::ServiceUnavailable().json(json!({"detail": "the sandbox ends"}))
}

fn answer(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}

fn file(kind: &str, text: &'static str) -> HttpResponse {
    page(kind, PAGE_POLICY, text.to_owned())
}

fn page(kind: &str, policy: &str, text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(text)
}
