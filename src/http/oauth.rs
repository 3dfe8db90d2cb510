//! `/oauth/token`: where partners' programs get their tokens. Its errors are those of RFC 6749 §5.2, for the libraries
//! that read them; what the standard does not know is a problem here as everywhere.

use super::{
    caller::{Answer, AnyCall, json},
    envelope::Worded,
    openapi,
    problem::{Code, Problem},
};
use crate::{
    actions::partner::token::{self, Asked, Granted},
    crypto::client_secret::ClientSecret,
    domain::{client::Denied, id::ClientId},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    post,
};
use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        ContentBuilder, HeaderBuilder, Ref, RefOr, Response,
        schema::{ObjectBuilder, Type},
    },
};
use uuid::Uuid;

const GRANT: &str = "client_credentials";
const CHALLENGE: &str = "Basic realm=\"twofold\"";

/// What a client asks with.
#[derive(ToSchema)]
#[schema(as = ClientTokenRequest)]
#[expect(dead_code, reason = "the schema of a form, which is read parameter by parameter")]
struct TokenForm {
    /// Always `client_credentials`.
    #[schema(pattern = "^client_credentials$", example = "client_credentials")]
    grant_type: String,
    /// What the token is to be used for, a space between two words; all that the client may do where it is left out.
    #[schema(nullable = false, example = "2fa:read")]
    scope: Option<String>,
    /// The client's id, where it does not show itself by HTTP Basic.
    #[schema(nullable = false)]
    client_id: Option<String>,
    /// The client's secret, where it does not show itself by HTTP Basic.
    #[schema(nullable = false, format = Password)]
    client_secret: Option<String>,
}

/// A token (RFC 6749 §5.1). There is none to refresh it with: ask for the next one in the same way.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientToken)]
struct TokenBody {
    /// The token.
    access_token: String,
    /// Always `Bearer`.
    #[schema(value_type = String, example = "Bearer")]
    token_type: &'static str,
    /// Seconds that it lives.
    expires_in: u32,
    /// What it may be used for.
    #[schema(example = "2fa:read events:read")]
    scope: String,
}

/// Why there is no token (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
#[schema(as = ClientTokenError)]
pub struct DeniedBody {
    /// `invalid_request`, `invalid_client`, `unsupported_grant_type` or `invalid_scope`.
    #[schema(value_type = String, pattern = "^[a-z_]+$", example = "invalid_client")]
    error: &'static str,
    /// The same, for a person.
    #[schema(value_type = String, example = "the client is unknown or disabled, or the secret is not its own")]
    error_description: &'static str,
}

/// What the endpoint answers where it issues no token.
struct Denials;

impl IntoResponses for Denials {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = openapi::responses(&[
            Code::MalformedRequest,
            Code::InvalidToken,
            Code::NotAcceptable,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
            Code::TooManyAttempts,
            Code::Overloaded,
            Code::Unavailable,
            Code::OutcomeUnknown,
        ]);
        for (status, words, error, keeps_problems) in [
            (
                "400",
                "invalid_request, unsupported_grant_type, invalid_scope; malformed-request",
                Denied::InvalidScope,
                true,
            ),
            ("401", "invalid_client", Denied::InvalidClient, false),
        ] {
            if let Some(RefOr::T(response)) = responses.get_mut(status) {
                let example = serde_json::to_value(body_of(error)).ok();
                let schema = Some(Ref::from_schema_name("ClientTokenError"));
                let denied = ContentBuilder::new().schema(schema).example(example).build();
                words.clone_into(&mut response.description);
                response.content.retain(|_, _| keeps_problems);
                response.content.insert("application/json".to_owned(), RefOr::T(denied));
                for header in response.headers.values_mut() {
                    *header = RefOr::T(challenge());
                }
            }
        }
        responses
    }
}

fn challenge() -> utoipa::openapi::Header {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    HeaderBuilder::new().description(Some("How a client shows itself (RFC 7617)")).schema(Some(text)).build()
}

/// Issues an access token to a partner's client (RFC 6749 §4.4).
///
/// The client shows itself by HTTP Basic, or by `client_id` and `client_secret` in the form, and not by both. A request
/// of it that is refused answers as the standard says; the description is for people.
#[utoipa::path(operation_id = "issueClientToken", tag = "partner", security(("client" = []), ()),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "A token", body = TokenBody,
        headers(("Pragma" = String, description = "Always `no-cache`, as the standard has it"))), Denials))]
#[post("/oauth/token")]
pub async fn issue_client_token(call: AnyCall, request: HttpRequest) -> Answer {
    let form = match call.form() {
        Err(Problem::Http(Code::MalformedRequest)) => return Ok(denied(Denied::InvalidRequest)),
        form => form?,
    };
    let asked = match asked(&request, &form) {
        Ok(asked) => asked,
        Err(error) => return Ok(denied(error)),
    };
    Ok(match token::issue(&call.cx, asked).await? {
        Ok(granted) => issued(&granted),
        Err(error) => denied(error),
    })
}

fn issued(granted: &Granted) -> HttpResponse {
    let Granted { access_token, expires_in, scopes } = granted;
    let scope = scopes.to_string();
    let body = TokenBody { access_token: access_token.clone(), token_type: "Bearer", expires_in: *expires_in, scope };
    let mut response = json(StatusCode::OK, &body);
    response.headers_mut().insert(header::PRAGMA, header::HeaderValue::from_static("no-cache"));
    response
}

fn denied(error: Denied) -> HttpResponse {
    let is_unknown = error == Denied::InvalidClient;
    let status = if is_unknown { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    let mut response = json(status, &body_of(error));
    if is_unknown {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static(CHALLENGE));
    }
    response.extensions_mut().insert(Worded);
    response
}

fn body_of(error: Denied) -> DeniedBody {
    let error_description = match error {
        Denied::InvalidRequest => "a parameter is missing or stands twice, or the client shows itself in two ways",
        Denied::InvalidClient => "the client is unknown or disabled, or the secret is not its own",
        Denied::UnsupportedGrantType => "the one grant here is client_credentials",
        Denied::InvalidScope => "the scope is none, or not one of the client",
    };
    DeniedBody { error: error.as_str(), error_description }
}

/// What a request asks for. A parameter without a value counts as left out, and one that nobody knows is passed over
/// (RFC 6749 §3.2).
fn asked(request: &HttpRequest, form: &[u8]) -> Result<Asked, Denied> {
    // Secrets do not belong into an address, which ends up in logs (RFC 6749 §2.3.1).
    if !request.query_string().is_empty() {
        return Err(Denied::InvalidRequest);
    }
    let mut parameters = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(form) {
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Denied::InvalidRequest);
        }
    }
    let mut take = |name: &str| parameters.remove(name).filter(|value| !value.is_empty());
    let (grant, scope, id, secret) = (take("grant_type"), take("scope"), take("client_id"), take("client_secret"));
    let (client, secret) = credentials(request, id, secret)?;
    match grant.as_deref() {
        None => Err(Denied::InvalidRequest),
        Some(GRANT) => {
            let client = client.parse().unwrap_or(ClientId(Uuid::nil()));
            Ok(Asked { client, secret: ClientSecret::presented(secret), scope })
        }
        Some(_) => Err(Denied::UnsupportedGrantType),
    }
}

/// Id and secret, by one of the two ways. Beside HTTP Basic the form may name the same client once more.
fn credentials(request: &HttpRequest, id: Option<String>, secret: Option<String>) -> Result<(String, String), Denied> {
    let mut lines = request.headers().get_all(header::AUTHORIZATION);
    match (lines.next(), lines.next()) {
        (None, _) => id.zip(secret).ok_or(Denied::InvalidClient),
        (Some(line), None) if secret.is_none() => {
            let (named, secret) = line.to_str().ok().and_then(basic).ok_or(Denied::InvalidClient)?;
            let is_same = id.is_none_or(|id| id == named);
            is_same.then_some((named, secret)).ok_or(Denied::InvalidRequest)
        }
        _ => Err(Denied::InvalidRequest),
    }
}

/// HTTP Basic (RFC 7617), in which both parts are encoded as in a form (RFC 6749 §2.3.1).
fn basic(line: &str) -> Option<(String, String)> {
    let (scheme, encoded) = line.split_once(' ')?;
    let bytes = BASE64.decode(encoded.trim_start().as_bytes()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    let decoded = |part: &str| {
        let part = part.replace('+', " ");
        percent_decode_str(&part).decode_utf8().ok().map(|part| part.into_owned())
    };
    decoded(id).zip(decoded(secret)).filter(|(id, secret)| !id.is_empty() && !secret.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_read_as_the_standards_write_it() {
        let line = |text: &str| format!("Basic {}", BASE64.encode(text.as_bytes()));
        let read = |text: &str| basic(&line(text));
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(read("a-b:c_d"), pair("a-b", "c_d"));
        assert_eq!(read("a%2Db:c%3Ad+e:f"), pair("a-b", "c:d e:f"));
        assert_eq!(basic(&line("a:b").replace("Basic", "bAsIc")), pair("a", "b"));
        for text in ["", "a", ":b", "a:", "a:%ff"] {
            assert_eq!(read(text), None, "{text}");
        }
        for line in ["", "Basic", "Basic !", "Basic YTpi=", "Bearer YTpi", "YTpi"] {
            assert_eq!(basic(line), None, "{line}");
        }
    }
}
