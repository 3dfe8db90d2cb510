//! Asking for a proof that nobody can give unasked: at sign-in, and in a session.

use super::{
    caller::{Answer, AnyCall, OwnerCall, Render, json},
    openapi::{Asking, AskingAtSignIn},
    problem::Problem,
};
use crate::{
    actions::start::{self, Started},
    domain::{method::Kind, refusal::Rule},
};
use actix_web::{HttpResponse, http::StatusCode, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A kind of method that answers only when it is asked.
#[derive(ToSchema)]
#[schema(as = AskedMethod, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
enum AskedMethod {
    Passkey,
    Sms,
    Email,
}

/// What the proof is to be given with.
#[derive(Serialize, ToSchema)]
#[schema(as = Started, discriminator(property_name = "method", mapping(
    ("passkey" = "#/components/schemas/StartedPasskey"),
    ("sms" = "#/components/schemas/StartedCode"),
    ("email" = "#/components/schemas/StartedCode")
)))]
#[serde(untagged)]
pub enum StartedBody {
    Passkey(StartedPasskeyBody),
    Code(StartedCodeBody),
}

/// A passkey is asked.
#[derive(Serialize, ToSchema)]
#[schema(as = StartedPasskey)]
pub struct StartedPasskeyBody {
    #[schema(inline)]
    method: PasskeyMethod,
    /// What `navigator.credentials.get` takes as `publicKey`, in its JSON form (WebAuthn §5.1.8,
    /// `PublicKeyCredentialRequestOptionsJSON`).
    #[schema(value_type = Object)]
    public_key: Value,
    /// Until when it can be answered.
    expires_at: Timestamp,
}

/// Always `passkey`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PasskeyMethod {
    Passkey,
}

/// A code is on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = StartedCode)]
pub struct StartedCodeBody {
    /// By which way.
    #[schema(value_type = SentMethod)]
    method: &'static str,
    /// Where to, as far as it is shown.
    #[schema(example = "a•••@example.com")]
    sent_to: String,
    /// Until when it is good.
    expires_at: Timestamp,
}

/// A way that codes are sent.
#[derive(ToSchema)]
#[schema(as = SentMethod, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub enum SentMethod {
    Sms,
    Email,
}

impl From<Started> for StartedBody {
    fn from(started: Started) -> Self {
        match started {
            Started::Passkey { public_key, expires_at } => {
                Self::Passkey(StartedPasskeyBody { method: PasskeyMethod::Passkey, public_key, expires_at })
            }
            Started::Sent { kind, to, expires_at } => {
                Self::Code(StartedCodeBody { method: kind.as_str(), sent_to: to, expires_at })
            }
        }
    }
}

impl Render for Started {
    fn render(self, _: &OwnerCall) -> HttpResponse {
        json(StatusCode::OK, &StartedBody::from(self))
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StartAtSignInRequest)]
struct StartAtSignInBody {
    /// The challenge of the sign-in.
    challenge: String,
    /// What is to answer it.
    #[schema(value_type = AskedMethod)]
    method: String,
}

/// Asks for the second factor of a sign-in.
///
/// What was asked for the same sign-in before is void. A code or credential of another sign-in is refused.
#[utoipa::path(operation_id = "startLoginSecondFactor", tag = "login", request_body = StartAtSignInBody,
    responses((status = 200, description = "What it is to be given with", body = StartedBody), AskingAtSignIn))]
#[post("/auth/login/second-factor/start")]
pub async fn start_second_factor(call: AnyCall) -> Answer {
    let body: StartAtSignInBody = call.body()?;
    let started = start::at_sign_in(&call.cx, &body.challenge, asked(&body.method)?).await?;
    Ok(json(StatusCode::OK, &StartedBody::from(started)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StartRequest)]
struct StartBody {
    /// What is to prove it.
    #[schema(value_type = AskedMethod)]
    method: String,
}

/// Asks for the second factor in this session, to be proved with `verify`.
///
/// What was asked for in the same session before is void.
#[utoipa::path(operation_id = "startVerification", tag = "two-factor", security(("bearer" = [])),
    request_body = StartBody,
    responses((status = 200, description = "What it is to be given with", body = StartedBody), Asking))]
#[post("/account/security/2fa/verify/start")]
pub async fn start_verification(call: OwnerCall) -> Answer {
    call.change(|body: StartBody| asked(&body.method), async |call, kind| start::in_session(call, kind).await).await
}

fn asked(name: &str) -> Result<Kind, Problem> {
    let kind = name.parse().ok().filter(|kind| *kind != Kind::Totp);
    Ok(kind.ok_or_else(|| Rule::AskedMethod.at("/method"))?)
}
