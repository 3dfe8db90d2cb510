//! What every request and response goes through: an id, a language, the headers that protect, the words
//! of a problem, and one line in the log.

use super::{
    address::{self, NetworkLimit},
    language, links,
    metrics::{Requests, known_method},
    pages,
    problem::{Code, Problem},
    trace::{self, Trace},
    traffic::Traffic,
};
use crate::{
    crypto::random::Random,
    domain::account::Locale,
    spans::{Caller, Ended, RequestSpan, Spans},
};
use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, Accept, Header, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use ipnet::IpNet;
use std::{net::IpAddr, sync::Arc, time::Instant};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_MAX: usize = 64;

/// What is known of a request before it is routed.
#[derive(Clone)]
pub struct Facts {
    /// Its id.
    pub request_id: String,
    /// Where it comes from.
    pub ip: IpAddr,
    /// The language its sender reads.
    pub locale: Locale,
    /// The trace that it belongs to; empty where its sender named none.
    pub trace: Trace,
}

/// That a response has its words already, though it is an error and no problem: another standard's.
pub struct Worded;

/// How the envelope is set up.
pub struct Envelope {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The limit of one network on `/auth/*`, on `/oauth/*`, and on what the links of our mails do.
    pub limit: Option<NetworkLimit>,
    /// Whether customers sign in here, and not at the portal's own issuer.
    pub signs_in: bool,
    /// Measures the requests.
    pub requests: Requests,
    /// Counts the requests in flight.
    pub traffic: Arc<Traffic>,
    /// Makes their spans.
    pub spans: Spans,
}

/// The middleware.
///
/// # Errors
/// Only what inner middleware could not turn into a response.
pub async fn seal(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let envelope = request.app_data::<web::Data<Envelope>>().cloned();
    let _in_flight = envelope.as_ref().map(|envelope| envelope.traffic.enter());
    let mut facts = facts(&request);
    let span = begin(envelope.as_ref().map(|envelope| &envelope.spans), &mut facts.trace);
    request.extensions_mut().insert(facts.clone());
    let mut response = span.around(next.call(request)).await?.map_into_boxed_body();
    let problem = problem_in(&response);
    if let Some(problem) = &problem {
        if let Problem::Failed(fault) = problem {
            let (id, trace) = (facts.request_id.as_str(), facts.trace.trace_id.as_str());
            log::error!(request_id = id, trace_id = trace, path = response.request().path(); "{fault}");
        }
        let mut worded = problem.respond(facts.locale, &facts.request_id);
        keep_headers(response.headers(), worded.headers_mut());
        response = response.into_response(worded);
    }
    protect(response.headers_mut(), &facts);
    let took = began.elapsed();
    if let Some(envelope) = &envelope {
        envelope.requests.count(response.request(), response.status(), took);
    }
    span.end(|| ended(response.request(), response.status(), problem.as_ref()));
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    log::info!(
        request_id = facts.request_id.as_str(),
        method = response.request().method().as_str(),
        path = response.request().path(),
        status = response.status().as_u16(),
        micros = micros,
        ip:% = facts.ip,
        trace_id = facts.trace.trace_id.as_str(),
        parent_id = facts.trace.parent_id.as_str();
        "request"
    );
    Ok(response)
}

/// Begins the span of a request; a trace that nobody named before it is named in the log by it.
fn begin(spans: Option<&Spans>, trace: &mut Trace) -> RequestSpan {
    let caller = Caller { trace_id: &trace.trace_id, span_id: &trace.parent_id, is_sampled: trace.is_sampled };
    let span = spans.unwrap_or(&Spans::default()).begin(caller);
    if trace.trace_id.is_empty() {
        trace.trace_id = span.trace_id().unwrap_or_default();
    }
    span
}

fn ended(request: &HttpRequest, status: StatusCode, problem: Option<&Problem>) -> Ended {
    Ended {
        method: known_method(request).unwrap_or("_OTHER"),
        route: request.match_pattern(),
        status: status.as_u16(),
        problem: problem.map(|problem| problem.code().slug()),
    }
}

/// The door behind the envelope: turns away what no handler needs to see.
///
/// # Errors
/// Only what inner middleware could not turn into a response.
pub async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match check(&request) {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        // `into_response` would forget the problem, and with it how long to wait.
        Err(problem) => Ok(ServiceResponse::new(request.into_parts().0, HttpResponse::from_error(problem))),
    }
}

fn facts(request: &ServiceRequest) -> Facts {
    let asked = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let request_id = asked.filter(|id| is_request_id(id)).map_or_else(new_request_id, str::to_owned);
    let trusted = request.app_data::<web::Data<Envelope>>().map_or(&[][..], |envelope| &envelope.trusted_proxies);
    let (ip, locale) = (address::client(request.request(), trusted), language::of(request.request()));
    Facts { request_id, ip, locale, trace: trace::of(request).unwrap_or_default() }
}

fn is_request_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=REQUEST_ID_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

fn new_request_id() -> String {
    Random.bytes::<16>().map(|bytes| data_encoding::HEXLOWER.encode(&bytes)).unwrap_or_else(|_| "unknown".to_owned())
}

fn check(request: &ServiceRequest) -> Result<(), Problem> {
    if request.path().contains('%') {
        // No path of ours needs an encoding, and two spellings of one path are one too many.
        return Err(Code::NotFound.into());
    }
    let is_for_customers = request.path().starts_with("/auth/");
    let is_limited = is_for_customers || request.path().starts_with("/oauth/") || links::has(request.path());
    if is_limited && let Some(envelope) = request.app_data::<web::Data<Envelope>>() {
        if is_for_customers && !envelope.signs_in {
            return Err(Code::NotFound.into());
        }
        envelope.limit.as_ref().map_or(Ok(()), |limit| limit.check(facts_of(request).ip))?;
    }
    let offered: &[&str] = match request.path() {
        path if pages::has(path) => return Ok(()),
        path if path.starts_with("/problems") => &["application/json", "text/html"],
        _ => &["application/json", "application/problem+json"],
    };
    if accepts_one_of(request, offered) { Ok(()) } else { Err(Code::NotAcceptable.into()) }
}

/// Whether the client takes one of the media types (RFC 9110 §12.5.1); one that names none takes all.
pub fn accepts_one_of(request: &impl HttpMessage, offered: &[&str]) -> bool {
    if request.headers().get(header::ACCEPT).is_none_or(|accept| accept.is_empty()) {
        return true;
    }
    let accepted = Accept::parse(request).map(|accept| accept.0).unwrap_or_default();
    accepted.iter().filter(|item| item.quality > header::Quality::ZERO).any(|item| {
        let (kind, sub) = (item.item.type_().as_str(), item.item.essence_str());
        offered.iter().any(|offer| kind == "*" || sub == *offer || (sub.ends_with("/*") && offer.starts_with(kind)))
    })
}

/// The problem that a response stands for: ours, or the framework's in our words.
fn problem_in(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let status = response.status();
    if let Some(problem) = response.response().error().and_then(|error| error.as_error::<Problem>()) {
        return Some(problem.clone());
    }
    let is_problem =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    let is_worded = is_problem || response.response().extensions().contains::<Worded>();
    if is_worded || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let code = Code::ALL.iter().find(|code| code.status() == status);
    Some(Problem::Http(code.copied().unwrap_or(match status.is_server_error() {
        true => Code::Unavailable,
        false => Code::MalformedRequest,
    })))
}

/// What was said inside about origins stays said.
fn keep_headers(from: &HeaderMap, to: &mut HeaderMap) {
    for (name, value) in from {
        if name.as_str().starts_with("access-control-") || name == header::VARY {
            to.append(name.clone(), value.clone());
        }
    }
}

fn protect(headers: &mut HeaderMap, facts: &Facts) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let defaults = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in defaults {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(id) = HeaderValue::from_str(&facts.request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The facts of a routed request.
pub fn facts_of(request: &impl HttpMessage) -> Facts {
    let facts = request.extensions().get::<Facts>().cloned();
    facts.unwrap_or_else(|| Facts {
        request_id: new_request_id(),
        ip: IpAddr::from([0, 0, 0, 0]),
        locale: Locale::default(),
        trace: Trace::default(),
    })
}

/// What no route takes.
pub fn not_routed(allowed: Option<String>) -> HttpResponse {
    match allowed {
        Some(allowed) => HttpResponse::from_error(Problem::Method(allowed)),
        None => HttpResponse::from_error(Problem::Http(Code::NotFound)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_short_and_plain() {
        assert!(is_request_id("a-Z_0.9"));
        for text in ["", "a b", "a\r\nSet-Cookie:x", "é", &"x".repeat(65)] {
            assert!(!is_request_id(text), "{text}");
        }
    }
}
