//! Bodies: strict JSON in, domain values out. Past this file there are no raw strings.

use super::problem::{Code, NOT_A_FORM, Problem};
use crate::{
    actions::reverify::Proofs,
    domain::{
        method::Kind,
        passkey::CredentialJson,
        password::Password,
        recovery_code::RecoveryCode,
        refusal::{Refusal, Rule, Violation},
        sent_code::SentCode,
        totp,
    },
    store::factors::Offered,
};
use actix_web::{HttpMessage, HttpRequest, http::header, web::Bytes};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// No body of ours comes near this many bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// Checks that a body, where there is one, is JSON as it stands.
///
/// # Errors
/// `unsupported-media-type`.
pub fn check_type(request: &HttpRequest, body: &[u8], is_required: bool) -> Result<(), Problem> {
    let is_absent = !is_required && body.is_empty() && !request.headers().contains_key(header::CONTENT_TYPE);
    let is_fit = is_absent || has_type(request, "application/json");
    if is_encoded(request) || !is_fit { Err(Code::UnsupportedMediaType.into()) } else { Ok(()) }
}

/// Checks that a body is a form as it stands.
///
/// # Errors
/// `unsupported-media-type`.
pub fn check_form_type(request: &HttpRequest) -> Result<(), Problem> {
    let is_fit = !is_encoded(request) && has_type(request, "application/x-www-form-urlencoded");
    is_fit.then_some(()).ok_or(Problem::Worded(Code::UnsupportedMediaType, NOT_A_FORM))
}

/// Checks that a body is the one of a one-click unsubscription, as a form of either kind (RFC 8058 §3.2).
///
/// # Errors
/// `unsupported-media-type`, `malformed-request`.
pub fn check_one_click(request: &HttpRequest, body: &[u8]) -> Result<(), Problem> {
    let (is_parts, is_form) =
        (has_type(request, "multipart/form-data"), has_type(request, "application/x-www-form-urlencoded"));
    if is_encoded(request) || !(is_parts || is_form) {
        return Err(Problem::Worded(Code::UnsupportedMediaType, NOT_A_FORM));
    }
    let says = |word: &[u8]| body.windows(word.len()).any(|part| part == word);
    let says_it = match is_form {
        // What a mail program says beside it is its own affair.
        true => form_urlencoded::parse(body.trim_ascii())
            .filter_map(|(name, value)| (name == "List-Unsubscribe").then_some(value))
            .eq(["One-Click"]),
        false => {
            says(b"name=\"List-Unsubscribe\"")
                && body.split(|byte| *byte == b'\n').any(|line| line.trim_ascii() == b"One-Click")
        }
    };
    if says_it { Ok(()) } else { Err(Code::MalformedRequest.into()) }
}

fn is_encoded(request: &HttpRequest) -> bool {
    request.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity")
}

fn has_type(request: &HttpRequest, essence: &str) -> bool {
    request.mime_type().ok().flatten().is_some_and(|mime| mime.essence_str() == essence)
}

/// Reads a body. Unknown, missing and duplicate members, other types and trailing bytes are refused.
///
/// # Errors
/// `malformed-request`.
pub fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    // A list of values would do for the library; members have names here.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Code::MalformedRequest.into());
    }
    serde_json::from_slice(body).map_err(|_| Code::MalformedRequest.into())
}

/// Both values, or everything that is wrong with either.
pub fn both<A, B>(a: Result<A, Refusal>, b: Result<B, Refusal>) -> Result<(A, B), Refusal> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Refusal::ValidationFailed(a)), Err(Refusal::ValidationFailed(b))) => {
            Err(Refusal::ValidationFailed(a.into_iter().chain(b).collect::<Vec<Violation>>()))
        }
        (Err(refusal), _) | (_, Err(refusal)) => Err(refusal),
    }
}

/// A second factor, from the two members that can hold one.
///
/// # Errors
/// `malformed-request` when both do; the inner result says whether the value is well formed.
pub fn factor(
    code: Option<String>,
    recovery_code: Option<String>,
) -> Result<Result<Option<Offered>, Refusal>, Problem> {
    match (code, recovery_code) {
        (Some(_), Some(_)) => Err(Code::MalformedRequest.into()),
        (Some(code), None) => Ok(totp::Code::parse(&code, "/code").map(|code| Some(Offered::Code(code)))),
        (None, Some(code)) => {
            Ok(RecoveryCode::parse(&code, "/recovery_code").map(|code| Some(Offered::RecoveryCode(code))))
        }
        (None, None) => Ok(Ok(None)),
    }
}

/// A second factor that must be there.
///
/// # Errors
/// `malformed-request` when there is none or more than one; `validation-failed`.
fn required_factor(
    code: Option<String>,
    recovery_code: Option<String>,
    credential: Option<Map<String, Value>>,
) -> Result<Offered, Problem> {
    match (factor(code, recovery_code)?, credential) {
        (Ok(None), Some(credential)) => Ok(Offered::Credential(CredentialJson::new(&credential))),
        (_, Some(_)) => Err(Code::MalformedRequest.into()),
        (factor, None) => factor?.ok_or_else(|| Code::MalformedRequest.into()),
    }
}

/// An answer to what a second factor is asked for: a code, which is of an authenticator app unless `method` says how it
/// was sent, a recovery code, or what a passkey signed.
///
/// # Errors
/// `malformed-request` when there is none or more than one, or a method without a code; `validation-failed`.
pub fn answer(
    code: Option<String>,
    method: Option<String>,
    recovery_code: Option<String>,
    credential: Option<Map<String, Value>>,
) -> Result<Offered, Problem> {
    match (method.as_deref(), code) {
        (Some(_), None) => Err(Code::MalformedRequest.into()),
        (None | Some("totp"), code) => required_factor(code, recovery_code, credential),
        (Some(_), Some(_)) if recovery_code.is_some() || credential.is_some() => Err(Code::MalformedRequest.into()),
        (Some(name), Some(code)) => {
            let kind = name.parse().ok().filter(|kind: &Kind| kind.is_sent());
            let (kind, code) =
                both(kind.ok_or_else(|| Rule::CodeMethod.at("/method")), SentCode::parse(&code, "/code"))?;
            Ok(Offered::Sent(kind, code))
        }
    }
}

/// The proofs of a change.
///
/// # Errors
/// `malformed-request` when both second factors are sent; the inner result says whether the values are
/// well formed.
pub fn proofs(
    password: String,
    pointer: &'static str,
    code: Option<String>,
    recovery_code: Option<String>,
) -> Result<Result<Proofs, Refusal>, Problem> {
    let factor = factor(code, recovery_code)?;
    let proofs = both(Password::offered(password, pointer), factor);
    Ok(proofs.map(|(password, factor)| Proofs { password, factor }))
}
