//! Who calls, and with what: the extractors. A handler that takes an [`OwnerCall`] does not run without
//! a good token; whatever else a request asks of its execution is read here too.

use super::{
    body,
    envelope::{self, Facts},
    problem::{Code, Problem},
};
use crate::{
    actions::{Call, Cx, Outcome, Precondition, Rooms, entrance},
    crypto::keyring::Purpose,
    domain::{
        event::Origin,
        id::ClientId,
        idempotency::{Claim, IdempotencyKey, fingerprint_text},
        refusal::{Refusal, Stop},
    },
};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{Method, StatusCode, header},
    web::{self, Bytes},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

/// A client has this long to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
const USER_AGENT_MAX_CHARS: usize = 256;

/// What every handler answers.
pub type Answer = Result<HttpResponse, Problem>;

/// A request of anybody.
pub struct AnyCall {
    /// The request, for the action.
    pub cx: Cx,
    /// What the envelope knows of it.
    pub facts: Facts,
    pub(super) request: HttpRequest,
    body: Result<Bytes, Problem>,
}

/// A request of the holder of an access token.
pub struct OwnerCall {
    /// The request, for the action.
    pub call: Call,
    any: AnyCall,
    replay: Option<Value>,
}

/// How an outcome looks as a response.
pub trait Render {
    /// The response.
    fn render(self, call: &OwnerCall) -> HttpResponse;
}

impl FromRequest for AnyCall {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            // The body comes first, and in bounded time: the instant of a request is when it is complete,
            // and nobody holds an instant back by holding a body back.
            let body = tokio::time::timeout(BODY_TIMEOUT, body).await;
            let body = body.map_err(|_| Problem::Http(Code::MalformedRequest))?.map_err(unreadable_body);
            let facts = envelope::facts_of(&request);
            let cx = Cx::new(rooms(&request)?, origin(&request, &facts))?;
            Ok(Self { cx, facts, request, body })
        })
    }
}

impl AnyCall {
    /// The body, which must be there.
    ///
    /// # Errors
    /// `payload-too-large`, `unsupported-media-type`, `malformed-request`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let body = self.body.clone()?;
        body::check_type(&self.request, &body, true)?;
        body::parse(&body)
    }

    /// The body, which must be a form.
    ///
    /// # Errors
    /// `payload-too-large`, `unsupported-media-type`, `malformed-request`.
    pub fn form(&self) -> Result<Bytes, Problem> {
        let body = self.body.clone()?;
        body::check_form_type(&self.request)?;
        Ok(body)
    }

    /// That the body is the one of a one-click unsubscription.
    ///
    /// # Errors
    /// `payload-too-large`, `unsupported-media-type`, `malformed-request`.
    pub fn one_click(&self) -> Result<(), Problem> {
        body::check_one_click(&self.request, &self.body.clone()?)
    }

    /// That there is no body, or none that says anything.
    ///
    /// # Errors
    /// `payload-too-large`, `unsupported-media-type`, `malformed-request`.
    pub fn no_body(&self) -> Result<(), Problem> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        let body = self.body.clone()?;
        body::check_type(&self.request, &body, false)?;
        if body.is_empty() { Ok(()) } else { body::parse(&body).map(|Nothing {}| ()) }
    }
}

impl FromRequest for OwnerCall {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let any = AnyCall::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let any = any.await?;
            let token = bearer(&request).ok_or(Refusal::InvalidToken)?;
            let holder = any.cx.holder(token).await?;
            let mut call =
                Call { cx: any.cx.clone(), holder, precondition: Precondition::None, claim: None, is_for_setup: false };
            if request.method() == Method::GET {
                return Ok(Self { call, any, replay: None });
            }
            // The body is read for the key's fingerprint; whether it is a body at all comes later.
            let headers = headers(&any, None);
            call.claim = headers.as_ref().map(|(_, claim)| claim.clone()).unwrap_or_default();
            let replay = entrance::admit(&call).await?;
            call.precondition = headers?.0;
            Ok(Self { call, any, replay })
        })
    }
}

impl OwnerCall {
    /// Carries out a change with a body, once: an earlier answer to the same idempotency key is given
    /// again instead.
    ///
    /// # Errors
    /// What the body or the action refuses.
    pub async fn change<B, C, T>(
        self,
        parse: impl FnOnce(B) -> Result<C, Problem>,
        act: impl AsyncFnOnce(&Call, C) -> Result<T, Stop>,
    ) -> Answer
    where
        B: DeserializeOwned,
        T: Outcome + Render,
    {
        if let Some(replayed) = self.replayed::<T>()? {
            return Ok(replayed);
        }
        let command = parse(self.any.body()?)?;
        let outcome = act(&self.call, command).await?;
        Ok(outcome.render(&self))
    }

    /// Carries out a change that needs no body, once.
    ///
    /// # Errors
    /// What the action refuses.
    pub async fn change_without_body<T: Outcome + Render>(
        self,
        act: impl AsyncFnOnce(&Call) -> Result<T, Stop>,
    ) -> Answer {
        if let Some(replayed) = self.replayed::<T>()? {
            return Ok(replayed);
        }
        self.any.no_body()?;
        let outcome = act(&self.call).await?;
        Ok(outcome.render(&self))
    }

    /// The body, for changes whose method is idempotent by itself.
    ///
    /// # Errors
    /// `payload-too-large`, `unsupported-media-type`, `malformed-request`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.any.body()
    }

    /// That there is no body.
    ///
    /// # Errors
    /// As [`AnyCall::no_body`].
    pub fn no_body(&self) -> Result<(), Problem> {
        self.any.no_body()
    }

    /// What the envelope knows of the request.
    pub fn facts(&self) -> &Facts {
        &self.any.facts
    }

    fn replayed<T: Outcome + Render>(&self) -> Result<Option<HttpResponse>, Problem> {
        let Some(outcome) = self.replay.clone() else { return Ok(None) };
        let outcome: T = serde_json::from_value(outcome).map_err(|_| {
            // An outcome of another release: it was done, and cannot be shown.
            Refusal::AlreadyCompleted
        })?;
        let mut response = outcome.render(self);
        response
            .headers_mut()
            .insert(header::HeaderName::from_static("idempotent-replayed"), header::HeaderValue::from_static("true"));
        Ok(Some(response))
    }
}

/// An answer in JSON.
pub fn json(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    match serde_json::to_vec(body) {
        Ok(bytes) => HttpResponse::build(status).content_type("application/json").body(bytes),
        Err(_) => HttpResponse::from_error(Problem::Http(Code::Unavailable)),
    }
}

/// An answer in JSON that is the picture of one version.
pub fn versioned(status: StatusCode, version: i64, body: &impl Serialize) -> HttpResponse {
    let mut response = json(status, body);
    if let Ok(etag) = header::HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

fn unreadable_body(error: actix_web::Error) -> Problem {
    Problem::Http(match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::PayloadTooLarge,
        _ => Code::MalformedRequest,
    })
}

fn rooms(request: &HttpRequest) -> Result<Arc<Rooms>, Problem> {
    let rooms = request.app_data::<web::Data<Rooms>>();
    rooms.map(|rooms| rooms.clone().into_inner()).ok_or(Problem::Http(Code::Unavailable))
}

fn origin(request: &HttpRequest, facts: &Facts) -> Origin {
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Origin {
        request_id: facts.request_id.clone(),
        ip: facts.ip,
        user_agent: agent.chars().filter(|c| !c.is_control()).take(USER_AGENT_MAX_CHARS).collect(),
    }
}

/// The token of the one `Authorization` header (RFC 6750 §2.1); nothing else carries one.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut lines = request.headers().get_all(header::AUTHORIZATION);
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let (scheme, token) = line.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// `If-Match` and `Idempotency-Key`. The key is claimed on `POST` alone: the other methods are
/// idempotent by themselves. A key of a partner's is its client's.
pub(super) fn headers(any: &AnyCall, client: Option<ClientId>) -> Result<(Precondition, Option<Claim>), Problem> {
    let request = &any.request;
    let claim = match request.headers().get("Idempotency-Key") {
        Some(key) if request.method() == Method::POST => Some(claim(any, key.to_str().unwrap_or_default(), client)?),
        _ => None,
    };
    Ok((precondition(request)?, claim))
}

fn claim(any: &AnyCall, key: &str, client: Option<ClientId>) -> Result<Claim, Problem> {
    let key = IdempotencyKey::parse(key).ok_or(Code::MalformedRequest)?;
    let body = any.body.clone().unwrap_or_default();
    let fingerprint = match (serde_json::from_slice::<Value>(&body), client) {
        (Ok(value), None) => fingerprint_text(&value),
        // What one customer's code has proved, another code must not seem to: it is another request.
        (Ok(value), Some(_)) => value.to_string(),
        (Err(_), _) => String::new(),
    };
    let (keys, request) = (&any.cx.keys, &any.request);
    let mut parts = vec![request.method().as_str().as_bytes(), request.path().as_bytes(), key.as_str().as_bytes()];
    parts.extend(client.as_ref().map(|client| &client.0.as_bytes()[..]));
    let key = keys.name(Purpose::IdempotencyKey, &parts);
    let fingerprint = keys.name(Purpose::Fingerprint, &[&key, fingerprint.as_bytes()]);
    Ok(Claim { key, fingerprint })
}

/// RFC 9110 §13.1.1: strong comparison, so a weak tag matches nothing.
fn precondition(request: &HttpRequest) -> Result<Precondition, Problem> {
    let mut versions = Vec::new();
    let mut is_asked = false;
    for line in request.headers().get_all(header::IF_MATCH) {
        is_asked = true;
        let line = line.to_str().map_err(|_| Code::MalformedRequest)?.trim();
        if line == "*" {
            return Ok(Precondition::None);
        }
        let tags = entity_tags(line).ok_or(Code::MalformedRequest)?;
        let strong = tags.into_iter().filter(|(is_weak, _)| !is_weak);
        versions
            .extend(strong.filter_map(|(_, tag)| tag.parse().ok().filter(|version: &i64| version.to_string() == tag)));
    }
    Ok(if is_asked { Precondition::OneOf(versions) } else { Precondition::None })
}

/// The entity tags of a list (RFC 9110 §8.8.3), each with whether it is weak. A tag may hold commas, and a list
/// may have empty places (§5.6.1); the parser of actix-web splits at every comma.
fn entity_tags(line: &str) -> Option<Vec<(bool, &str)>> {
    let mut tags = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if rest.is_empty() {
            return (!tags.is_empty()).then_some(tags);
        }
        let opaque = rest.strip_prefix("W/").unwrap_or(rest);
        let (tag, after) = opaque.strip_prefix('"')?.split_once('"')?;
        tags.push((opaque.len() < rest.len(), tag));
        rest = after.trim_start();
        if !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_read_as_the_standard_writes_them() {
        assert_eq!(entity_tags("\"7\""), Some(vec![(false, "7")]));
        assert_eq!(entity_tags("W/\"7\" ,, \"a,b\",\"\""), Some(vec![(true, "7"), (false, "a,b"), (false, "")]));
        for line in ["", ",", "7", "\"7", "7\"", "w/\"7\"", "\"7\" \"8\"", "\"7\", *", "W/ \"7\""] {
            assert_eq!(entity_tags(line), None, "{line}");
        }
    }
}
