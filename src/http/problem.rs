//! Problem details (RFC 9457): the one table of everything that can go wrong, and how each looks.

mod rules;

use super::language;
use crate::domain::{
    account::Locale,
    policy::ALTERNATIVES,
    refusal::{Fault, Limit, Refusal, Rule, Stop},
};
use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;
use utoipa::ToSchema;

/// Seconds after which a caller whom we could not serve may come again.
const RETRY_UNAVAILABLE: u32 = 2;
const RETRY_OVERLOADED: u32 = 1;

/// Details that some callers get in place of the one of their kind, where that would send them somewhere else: their names
/// in `locales/`, which begin with the kind's.
pub const OTHER_DETAILS: [&str; 4] = [OF_A_CLIENT, OF_A_SCOPE, NO_VERSION, NOT_A_FORM];
const OF_A_CLIENT: &str = "invalid-token.detail-client";
const OF_A_SCOPE: &str = "not-permitted.detail-scope";
/// That partners are told no version.
pub const NO_VERSION: &str = "version-mismatch.detail-partner";
/// That a form is read here.
pub const NOT_A_FORM: &str = "unsupported-media-type.detail-form";

macro_rules! catalogue {
    ($($name:ident $slug:literal $status:ident),+ $(,)?) => {
        /// The kinds of problem: a code is what a program tells them apart by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(clippy::enum_variant_names, reason = "CodeOutOfWindow is about a code of an authenticator")]
        pub enum Code { $(#[doc = $slug] $name),+ }

        impl Code {
            /// All of them, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name in `type` and `code`, which never changes.
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),+ }
            }

            /// The status that it comes with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }
        }
    };
}

catalogue! {
    MalformedRequest "malformed-request" BAD_REQUEST,
    InvalidToken "invalid-token" UNAUTHORIZED,
    InsufficientUserAuthentication "insufficient-user-authentication" UNAUTHORIZED,
    InvalidCredential "invalid-credential" FORBIDDEN,
    NotPermitted "not-permitted" FORBIDDEN,
    ForbiddenByPolicy "forbidden-by-policy" FORBIDDEN,
    TwoFactorSetupRequired "two-factor-setup-required" FORBIDDEN,
    NotFound "not-found" NOT_FOUND,
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED,
    NotAcceptable "not-acceptable" NOT_ACCEPTABLE,
    TwoFactorNotEnabled "two-factor-not-enabled" CONFLICT,
    TwoFactorAlreadyEnabled "two-factor-already-enabled" CONFLICT,
    LastMethod "last-method" CONFLICT,
    MethodNotOffered "method-not-offered" FORBIDDEN,
    MethodNotAvailable "method-not-available" CONFLICT,
    TooManyMethods "too-many-methods" CONFLICT,
    TooManyWebhooks "too-many-webhooks" CONFLICT,
    WebhookDisabled "webhook-disabled" CONFLICT,
    AlreadyConfirmed "already-confirmed" CONFLICT,
    AlreadyCompleted "already-completed" CONFLICT,
    RequestInProgress "request-in-progress" CONFLICT,
    EnrolmentExpired "enrolment-expired" GONE,
    ChallengeExpired "challenge-expired" GONE,
    CursorExpired "cursor-expired" GONE,
    LinkExpired "link-expired" GONE,
    VersionMismatch "version-mismatch" PRECONDITION_FAILED,
    PayloadTooLarge "payload-too-large" PAYLOAD_TOO_LARGE,
    UnsupportedMediaType "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE,
    ValidationFailed "validation-failed" UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused "idempotency-key-reused" UNPROCESSABLE_ENTITY,
    CodeOutOfWindow "code-out-of-window" UNPROCESSABLE_ENTITY,
    TooManyAttempts "too-many-attempts" TOO_MANY_REQUESTS,
    Overloaded "overloaded" SERVICE_UNAVAILABLE,
    Unavailable "unavailable" SERVICE_UNAVAILABLE,
    OutcomeUnknown "outcome-unknown" SERVICE_UNAVAILABLE,
}

/// A problem as JSON (RFC 9457 §3); some kinds have members of their own.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A relative reference to the page that explains this kind of problem.
    #[schema(example = "/problems/invalid-credential")]
    r#type: String,
    /// What kind of problem it is, for a person, in the language asked for.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What to do about it, for a person, in the language asked for.
    detail: String,
    /// The kind of problem, for a program.
    #[schema(example = "invalid-credential", pattern = "^[a-z-]+$")]
    code: String,
    /// The id of the request, as in `X-Request-Id`.
    request_id: String,
    /// Guesses that are left, in the 403 of a call that carries one proof alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    attempts_remaining: Option<u32>,
    /// Seconds until another attempt is evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<u32>,
    /// Which members break which rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// How many seconds the clock that made the code is ahead of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    skew_seconds: Option<i64>,
    /// Our time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    server_time: Option<jiff::Timestamp>,
    /// What is possible instead of what the policy forbids.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alternatives: Option<&'static [&'static str]>,
}

/// A member that breaks a rule.
#[derive(Serialize, ToSchema)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) of the member.
    #[schema(example = "/label")]
    pointer: String,
    /// The rule, for a person.
    detail: String,
}

/// Something that stands between a request and its answer.
#[derive(Clone, Debug)]
pub enum Problem {
    /// A decision.
    Refused(Refusal),
    /// A breakdown.
    Failed(Fault),
    /// The request is not one that we read.
    Http(Code),
    /// The same, with one of the [`OTHER_DETAILS`].
    Worded(Code, &'static str),
    /// The path is served, but not by this method; these are (RFC 9110 §15.5.6).
    Method(String),
}

impl Problem {
    /// The kind of problem.
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => code_of(refusal),
            Self::Failed(Fault::Overloaded(_)) => Code::Overloaded,
            Self::Failed(Fault::OutcomeUnknown(_)) => Code::OutcomeUnknown,
            Self::Failed(Fault::Unavailable(_) | Fault::Unreadable(_) | Fault::Contended(_)) => Code::Unavailable,
            Self::Http(code) | Self::Worded(code, _) => *code,
            Self::Method(_) => Code::MethodNotAllowed,
        }
    }

    /// The whole response.
    pub fn respond(&self, locale: Locale, request_id: &str) -> HttpResponse {
        let code = self.code();
        let mut response = HttpResponse::build(code.status());
        self.add_headers(&mut response);
        response
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .insert_header((header::CONTENT_LANGUAGE, locale.tag()))
            .body(serde_json::to_vec(&self.body(locale, request_id)).unwrap_or_default())
    }

    fn body(&self, locale: Locale, request_id: &str) -> ProblemBody {
        let mut body = blank(self.code(), locale, request_id);
        if let Some(name) = self.own_detail() {
            body.detail = language::text(locale, name);
        }
        body.retry_after = self.retry_after();
        match self {
            Self::Refused(Refusal::InvalidCredential { attempts_remaining }) => {
                body.attempts_remaining = *attempts_remaining
            }
            Self::Refused(Refusal::CodeOutOfWindow { skew_seconds, server_time }) => {
                body.skew_seconds = Some(*skew_seconds);
                body.server_time = Some(*server_time);
            }
            Self::Refused(Refusal::ForbiddenByPolicy { alternatives }) => body.alternatives = Some(alternatives),
            Self::Refused(Refusal::ValidationFailed(violations)) => {
                body.errors = Some(violations.iter().map(|violation| FieldError::new(violation, locale)).collect());
            }
            _ => {}
        }
        body
    }

    /// The one of the [`OTHER_DETAILS`] that it has.
    fn own_detail(&self) -> Option<&'static str> {
        match self {
            Self::Refused(Refusal::InvalidClientToken) => Some(OF_A_CLIENT),
            Self::Refused(Refusal::InsufficientScope { .. }) => Some(OF_A_SCOPE),
            Self::Worded(_, name) => Some(name),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Refused(Refusal::TooManyAttempts(limit)) => Some(limit.retry_after),
            Self::Refused(Refusal::RequestInProgress) => Some(1),
            Self::Failed(Fault::Overloaded(_)) => Some(RETRY_OVERLOADED),
            Self::Failed(_) | Self::Refused(Refusal::FactorUnreadable) => Some(RETRY_UNAVAILABLE),
            _ => None,
        }
    }

    fn add_headers(&self, response: &mut HttpResponseBuilder) {
        if let Some(seconds) = self.retry_after() {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        match self {
            Self::Refused(Refusal::TooManyAttempts(Limit { policy, quota, window, retry_after })) => {
                response.insert_header(("RateLimit-Policy", format!("\"{policy}\";q={quota};w={window}")));
                response.insert_header(("RateLimit", format!("\"{policy}\";r=0;t={retry_after}")));
            }
            Self::Refused(Refusal::InvalidToken | Refusal::InvalidClientToken) => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""));
            }
            Self::Refused(Refusal::InsufficientScope { scope }) => {
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                response.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            Self::Refused(Refusal::InsufficientUserAuthentication { max_age }) => {
                let challenge = format!(
                    "Bearer error=\"insufficient_user_authentication\", acr_values=\"aal2\", max_age=\"{max_age}\""
                );
                response.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            Self::Method(allowed) => {
                response.insert_header((header::ALLOW, allowed.as_str()));
            }
            _ => {}
        }
    }
}

/// An example of a kind of problem, for the document, with the members that it has in service.
pub fn example(code: Code) -> Value {
    let limit = Limit { policy: "code", quota: 5, window: 86400, retry_after: 30 };
    let problem = match code {
        Code::InvalidCredential => Problem::from(Refusal::InvalidCredential { attempts_remaining: Some(4) }),
        Code::ValidationFailed => Problem::from(Rule::Label.at("/label")),
        Code::CodeOutOfWindow => {
            Problem::from(Refusal::CodeOutOfWindow { skew_seconds: 300, server_time: jiff::Timestamp::UNIX_EPOCH })
        }
        Code::TooManyAttempts => Problem::from(Refusal::TooManyAttempts(limit)),
        Code::ForbiddenByPolicy => Problem::from(Refusal::ForbiddenByPolicy { alternatives: ALTERNATIVES }),
        Code::RequestInProgress => Problem::from(Refusal::RequestInProgress),
        Code::Overloaded => Problem::Failed(Fault::Overloaded("")),
        Code::Unavailable => Problem::Failed(Fault::Unavailable(String::new())),
        Code::OutcomeUnknown => Problem::Failed(Fault::OutcomeUnknown(String::new())),
        other => Problem::Http(other),
    };
    let body = problem.body(Locale::En, "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b");
    serde_json::to_value(body).unwrap_or_default()
}

/// The catalogue as JSON.
pub fn catalogue(locale: Locale) -> Value {
    json!({ "problems": Code::ALL.iter().map(|code| explanation(*code, locale)).collect::<Vec<_>>() })
}

/// What one kind of problem means, as JSON.
pub fn explanation(code: Code, locale: Locale) -> Value {
    let ProblemBody { r#type, title, status, detail, code: slug, .. } = blank(code, locale, "");
    let (help, others) = (language::text(locale, &format!("{slug}.help")), other_details(code, locale));
    json!({
        "type": r#type, "code": slug, "status": status, "title": title, "detail": detail, "other_details": others,
        "help": help
    })
}

/// What one kind of problem says to some callers in place of its detail.
pub fn other_details(code: Code, locale: Locale) -> Vec<String> {
    let is_of = |name: &&str| name.split_once('.').is_some_and(|(slug, _)| slug == code.slug());
    OTHER_DETAILS.into_iter().filter(is_of).map(|name| language::text(locale, name)).collect()
}

fn blank(code: Code, locale: Locale, request_id: &str) -> ProblemBody {
    let slug = code.slug();
    ProblemBody {
        r#type: format!("/problems/{slug}"),
        title: language::text(locale, slug),
        status: code.status().as_u16(),
        detail: language::text(locale, &format!("{slug}.detail")),
        code: slug.to_owned(),
        request_id: request_id.to_owned(),
        attempts_remaining: None,
        retry_after: None,
        errors: None,
        skew_seconds: None,
        server_time: None,
        alternatives: None,
    }
}

fn code_of(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::InvalidToken | Refusal::InvalidClientToken => Code::InvalidToken,
        Refusal::InsufficientUserAuthentication { .. } => Code::InsufficientUserAuthentication,
        Refusal::InvalidCredential { .. } => Code::InvalidCredential,
        Refusal::FactorUnreadable => Code::Unavailable,
        Refusal::TooManyAttempts(_) => Code::TooManyAttempts,
        Refusal::TwoFactorNotEnabled => Code::TwoFactorNotEnabled,
        Refusal::ForbiddenByPolicy { .. } => Code::ForbiddenByPolicy,
        Refusal::TwoFactorSetupRequired => Code::TwoFactorSetupRequired,
        Refusal::LastMethod => Code::LastMethod,
        Refusal::MethodNotOffered => Code::MethodNotOffered,
        Refusal::MethodNotAvailable => Code::MethodNotAvailable,
        Refusal::TooManyMethods => Code::TooManyMethods,
        Refusal::TooManyWebhooks => Code::TooManyWebhooks,
        Refusal::WebhookDisabled => Code::WebhookDisabled,
        Refusal::AlreadyConfirmed => Code::AlreadyConfirmed,
        Refusal::EnrolmentExpired => Code::EnrolmentExpired,
        Refusal::ChallengeExpired => Code::ChallengeExpired,
        Refusal::CursorExpired => Code::CursorExpired,
        Refusal::LinkExpired => Code::LinkExpired,
        Refusal::CodeOutOfWindow { .. } => Code::CodeOutOfWindow,
        Refusal::NotPermitted | Refusal::InsufficientScope { .. } => Code::NotPermitted,
        Refusal::NotFound => Code::NotFound,
        Refusal::VersionMismatch => Code::VersionMismatch,
        Refusal::IdempotencyKeyReused => Code::IdempotencyKeyReused,
        Refusal::RequestInProgress => Code::RequestInProgress,
        Refusal::AlreadyCompleted => Code::AlreadyCompleted,
        Refusal::ValidationFailed(_) => Code::ValidationFailed,
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().slug())
    }
}

/// The envelope writes the body, since only there language and request id are known.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code().status()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

impl From<Stop> for Problem {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => Self::Refused(refusal),
            Stop::Failed(fault) => Self::Failed(fault),
        }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::Http(code)
    }
}

#[cfg(test)]
mod tests;
