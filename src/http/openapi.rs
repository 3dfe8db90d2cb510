//! The document: generated from the routes, completed with what holds for all of them.

mod problems;

pub use problems::*;

use super::{
    examples,
    oauth::DeniedBody,
    problem::{self, Code, ProblemBody},
};
use crate::domain::client::ClientScope;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, ContentBuilder, HeaderBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
        example::{Example, ExampleBuilder},
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
        security::{ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme},
    },
};

/// What every document begins with.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Twofold",
        description = "Two-factor authentication for customer portals: enrolling, proving, and switching it off.\n\n\
                       Errors are problem details (RFC 9457); `/problems` lists them. Times are RFC 3339 in UTC.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "This installation")),
    tags(
        (name = "two-factor", description = "How two-factor authentication stands, and changing it"),
        (name = "account", description = "The Account Security tab, the security log, sessions, the password"),
        (name = "login", description = "The standard login process"),
        (name = "support", description = "What the support desk sees and does; for accounts with the scope `support`"),
        (name = "partner", description = "What partners' programs see and do, by tokens of their own"),
        (name = "well-known", description = "What is published for everybody"),
        (name = "problems", description = "The catalogue of problems")
    ),
    components(schemas(ProblemBody, DeniedBody)),
    modifiers(&Schemes)
)]
pub struct Preamble;

/// How callers show themselves.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token of ours (RFC 9068)"))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic);
        let basic = basic.description(Some("The id and the secret of a partner's client (RFC 6749 §2.3.1)")).build();
        components.add_security_scheme("client", SecurityScheme::Http(basic));
        let scopes = Scopes::from_iter(ClientScope::ALL.map(|scope| (scope.as_str(), described(scope))));
        let flow = Flow::ClientCredentials(ClientCredentials::new("/oauth/token", scopes));
        let partner = OAuth2::with_description([flow], "An access token of a partner's client (RFC 6749 §4.4)");
        components.add_security_scheme("partner", SecurityScheme::OAuth2(partner));
    }
}

fn described(scope: ClientScope) -> &'static str {
    match scope {
        ClientScope::ReadTwoFactor => "See whether an account is protected",
        ClientScope::VerifyTwoFactor => "Have a code of an account's owner judged",
        ClientScope::ReadEvents => "Read what happens to accounts",
        ClientScope::ManageWebhooks => "Keep webhooks",
        ClientScope::ProvisionAccounts => "Add and change accounts of the portal's user base",
    }
}

/// The responses of these problems.
pub(super) fn responses(codes: &[Code]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_str().to_owned()).or_default().push(*code);
    }
    by_status.into_iter().map(|(status, codes)| (status, RefOr::T(response(&codes)))).collect()
}

fn response(codes: &[Code]) -> Response {
    let names: Vec<&str> = codes.iter().map(|code| code.slug()).collect();
    let examples = codes.iter().map(|code| (code.slug(), reference::<Example>("examples", code.slug())));
    let content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).examples_from_iter(examples).build();
    let mut response =
        ResponseBuilder::new().description(names.join(", ")).content("application/problem+json", content);
    if codes.iter().any(|code| matches!(code.status().as_u16(), 429 | 503) || *code == Code::RequestInProgress) {
        response = response.header("Retry-After", header("Seconds until it is worth another try", Type::Integer));
    }
    if codes.contains(&Code::TooManyAttempts) {
        let policy = "The budget that is used up, its size and its seconds (draft-ietf-httpapi-ratelimit-headers)";
        response = response
            .header("RateLimit-Policy", header(policy, Type::String))
            .header("RateLimit", header("The same budget: nothing remains, and for how many seconds", Type::String));
    }
    if codes.contains(&Code::InvalidToken) {
        response = response
            .header("WWW-Authenticate", header("What the token lacks (RFC 6750 §3, RFC 9470 §3)", Type::String));
    }
    response.build()
}

fn header(description: &str, kind: Type) -> utoipa::openapi::Header {
    HeaderBuilder::new().description(Some(description)).schema(Some(ObjectBuilder::new().schema_type(kind))).build()
}

/// Header parameters that operations share: name in the components, header, pattern, description.
const PARAMETERS: [(&str, &str, Option<&str>, &str); 4] = [
    (
        "IfMatch",
        "If-Match",
        Some(r#"^(\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*"){0,9})$"#),
        "The version of the account that the change is meant for (RFC 9110 §13.1.1)",
    ),
    (
        "IdempotencyKey",
        "Idempotency-Key",
        Some("^[!-~]([ -~]{0,62}[!-~])?$"),
        "1 to 64 printable ASCII characters; the same key and body take effect once within 24 hours",
    ),
    (
        "RequestId",
        "X-Request-Id",
        None,
        "1 to 64 of `[A-Za-z0-9._-]` are returned as they are; anything else is passed over",
    ),
    ("AcceptLanguage", "Accept-Language", None, "The language of human texts: `en`, `ms` or `zh-Hans`"),
];

const JSON: &str = "application/json";

/// Problems of paths and methods that the document does not have, and one that is a `reason` alone.
const NOWHERE: [Code; 2] = [Code::MethodNotAllowed, Code::TwoFactorAlreadyEnabled];

/// Completes a collected document with what operations share.
pub fn complete(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let components = document.components.get_or_insert_default();
    for code in Code::ALL {
        if NOWHERE.contains(code) {
            continue;
        }
        let example = ExampleBuilder::new().value(Some(problem::example(*code))).build();
        components.examples.insert(code.slug().to_owned(), RefOr::T(example));
    }
    for (name, header, pattern, description) in PARAMETERS {
        components.parameters.insert(name.to_owned(), RefOr::T(parameter(header, pattern, description)));
    }
    for (path, item) in &mut document.paths.paths {
        let keyed = item.post.iter_mut().map(|post| (post, true));
        let others = [&mut item.put, &mut item.patch, &mut item.delete]
            .into_iter()
            .flatten()
            .map(|operation| (operation, false));
        for (operation, is_post) in keyed.chain(others).filter(|(operation, _)| operation.security.is_some()) {
            // Partners are told no version, and the endpoint of tokens changes nothing.
            let (is_partners, is_standards) = (path.starts_with("/partner/"), path.starts_with("/oauth/"));
            if !is_partners && !is_standards {
                share(operation, "IfMatch");
            }
            // What is about no account has nowhere to keep a key, and its answers hold secrets.
            if is_post && !is_standards && !path.starts_with("/partner/webhooks") {
                share(operation, "IdempotencyKey");
                tell_replays(operation);
            }
        }
        let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in all.into_iter().flatten() {
            if path.starts_with("/partner/") {
                tell_lacks(operation);
            }
            share(operation, "RequestId");
            share(operation, "AcceptLanguage");
            // Nobody is asked for a token where none is named.
            operation.security.get_or_insert_default();
            show(operation);
        }
    }
    document
}

/// Whoever sends a key again is told that nothing was done again.
fn tell_replays(operation: &mut Operation) {
    let description =
        "`true` when this is the kept answer to an earlier request with the same key; it holds no secrets";
    for (_, response) in successes(operation) {
        response.headers.insert("Idempotent-Replayed".to_owned(), header(description, Type::String).into());
    }
}

/// A partner's token is told which scope it lacks; and that it is told no version, so that it names none.
fn tell_lacks(operation: &mut Operation) {
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("412") {
        response
            .description
            .push_str(": partners are told no version, so leave `If-Match` out; any but `*` is refused");
    }
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("403") {
        let lacks = header("The scope that the token lacks (RFC 6750 §3)", Type::String);
        response.headers.insert("WWW-Authenticate".to_owned(), lacks.into());
    }
}

fn successes(operation: &mut Operation) -> impl Iterator<Item = (&str, &mut Response)> {
    let responses = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
    responses.filter_map(|(status, response)| match response {
        RefOr::T(response) => Some((status.as_str(), response)),
        RefOr::Ref(_) => None,
    })
}

/// Adds the examples of its request and of its success to an operation.
fn show(operation: &mut Operation) {
    let Some(id) = operation.operation_id.clone() else { return };
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        give(body.content.get_mut(JSON), examples::request(&id));
    }
    for (status, response) in successes(operation) {
        give(response.content.get_mut(JSON), examples::success(&id, status));
    }
}

fn give(content: Option<&mut RefOr<Content>>, example: Option<Value>) {
    if let Some(RefOr::T(content)) = content {
        content.example = example;
    }
}

fn share(operation: &mut Operation, name: &str) {
    operation.parameters.get_or_insert_default().push(reference("parameters", name));
}

fn reference<T>(kind: &str, name: &str) -> RefOr<T> {
    RefOr::Ref(Ref::new(format!("#/components/{kind}/{name}")))
}

fn parameter(header: &str, pattern: Option<&str>, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(header)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(pattern)))
        .build()
}

/// The document as it is committed and served.
///
/// # Errors
/// When it does not serialise.
pub fn text() -> serde_json::Result<String> {
    written(&super::routes::document())
}

/// A document as text.
///
/// # Errors
/// When it does not serialise.
pub fn written(document: &utoipa::openapi::OpenApi) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}
