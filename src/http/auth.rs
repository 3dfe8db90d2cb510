//! `/auth`: the standard login process.

use super::{
    body::{answer, both},
    caller::{Answer, AnyCall, OwnerCall, json},
    openapi::{Answering, Leaving, Refreshing, SigningIn},
    shapes::{AnyCode, CodeMethod, RecoveryCodeInput},
};
use crate::{
    actions::{
        issue::Tokens,
        login::{
            SignedIn, logout,
            password::{self, LoggedIn, Login},
            refresh, second_factor,
        },
    },
    domain::{account::Email, assurance, password::Password},
};
use actix_web::{HttpResponse, http::StatusCode, post};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A pair of tokens (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub struct TokensBody {
    /// The access token: a JWT (RFC 9068).
    #[schema(pattern = r"^[\w-]+\.[\w-]+\.[\w-]+$")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(pattern = "^Bearer$", example = "Bearer")]
    token_type: &'static str,
    /// Seconds that the access token lives.
    #[schema(minimum = 1)]
    expires_in: u32,
    /// The refresh token, which is rotated on use.
    #[schema(pattern = r"^[\w-]+$")]
    refresh_token: String,
    /// The authentication context class.
    #[schema(value_type = AcrBody)]
    acr: assurance::Acr,
    /// The authentication methods (RFC 8176), with `rc` for a recovery code.
    #[schema(value_type = Vec<AmrBody>)]
    amr: Vec<assurance::Amr>,
}

/// The authentication context class: a password, or a password and a second factor.
#[derive(ToSchema)]
#[schema(as = Acr, rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub enum AcrBody {
    Aal1,
    Aal2,
}

/// An authentication method (RFC 8176), or `rc` for a recovery code.
#[derive(ToSchema)]
#[schema(as = Amr, rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub enum AmrBody {
    Pwd,
    Hwk,
    Swk,
    User,
    Otp,
    Sms,
    Rc,
    Mfa,
}

impl From<Tokens> for TokensBody {
    fn from(tokens: Tokens) -> Self {
        let Tokens { access_token, expires_in, refresh_token, acr, amr } = tokens;
        Self { access_token, token_type: "Bearer", expires_in, refresh_token, acr, amr }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoginRequest)]
struct LoginBody {
    /// The account's e-mail address.
    #[schema(
        max_length = 254,
        pattern = r"^[^\s\u0000-\u001f\u007f-\u009f]+@[^\s\u0000-\u001f\u007f-\u009f]+$",
        example = "alice@example.test"
    )]
    email: String,
    /// The account password.
    #[schema(min_length = 1, max_length = 71, pattern = r"^[^\u0000]*$", format = Password)]
    password: String,
    /// The token of a remembered device, beside which the password is enough. One that is not good any more is passed
    /// over: then the second factor is asked for.
    device_token: Option<String>,
}

/// What can answer a challenge.
#[derive(ToSchema)]
#[schema(as = ChallengeMethod, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a name")]
enum AnswerKind {
    Passkey,
    Totp,
    Sms,
    Email,
    RecoveryCode,
}

/// The password was right: `result` tells whether that was all it takes.
// The schemas are named and told apart by `result`, so that generated clients have a class for each.
#[derive(Serialize, ToSchema)]
#[schema(as = LoginResult, discriminator(property_name = "result", mapping(
    ("signed_in" = "#/components/schemas/SignedIn"),
    ("second_factor_required" = "#/components/schemas/SecondFactorRequired")
)))]
#[serde(untagged)]
pub enum LoginResultBody {
    SignedIn(SignedInBody),
    SecondFactorRequired(SecondFactorRequiredBody),
}

/// The sign-in is complete.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub struct SignedInBody {
    #[schema(inline)]
    result: SignedInResult,
    /// The tokens.
    tokens: TokensBody,
    /// Whether two-factor authentication must be set up before anything else: the policy requires it, and the time to do
    /// it is over. The tokens are good for setting it up and for signing out, and their `aud` is another one.
    setup_required: bool,
    /// Where the device is remembered: what to send beside the password next time, once, instead of the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = r"^[\w-]+$")]
    device_token: Option<String>,
}

/// Always `signed_in`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SignedInResult {
    SignedIn,
}

/// The second factor is awaited.
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactorRequired)]
pub struct SecondFactorRequiredBody {
    #[schema(inline)]
    result: SecondFactorResult,
    /// To be sent with the second factor; good for nothing else.
    #[schema(pattern = r"^[\w-]+$")]
    challenge: String,
    /// What can answer it, the strongest first.
    #[schema(value_type = Vec<AnswerKind>)]
    methods: Vec<String>,
    /// When it dies.
    expires_at: Timestamp,
}

/// Always `second_factor_required`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SecondFactorResult {
    SecondFactorRequired,
}

impl From<SignedIn> for SignedInBody {
    fn from(SignedIn { tokens, setup_required, device }: SignedIn) -> Self {
        let result = SignedInResult::SignedIn;
        Self { result, tokens: tokens.into(), setup_required, device_token: device }
    }
}

impl From<LoggedIn> for LoginResultBody {
    fn from(outcome: LoggedIn) -> Self {
        match outcome {
            LoggedIn::SignedIn(signed_in) => Self::SignedIn(signed_in.into()),
            LoggedIn::SecondFactorRequired { challenge, kinds, expires_at } => {
                let mut methods: Vec<String> = kinds.iter().map(ToString::to_string).collect();
                methods.push("recovery_code".to_owned());
                let result = SecondFactorResult::SecondFactorRequired;
                Self::SecondFactorRequired(SecondFactorRequiredBody { result, challenge, methods, expires_at })
            }
        }
    }
}

/// Signs in with a password.
#[utoipa::path(operation_id = "login", tag = "login", request_body = LoginBody,
    responses((status = 200, description = "Tokens, or a challenge while two-factor authentication is on", body = LoginResultBody), SigningIn))]
#[post("/auth/login")]
pub async fn login(call: AnyCall) -> Answer {
    let body: LoginBody = call.body()?;
    let (email, password) = both(Email::parse(&body.email, "/email"), Password::offered(body.password, "/password"))?;
    let outcome = password::login(&call.cx, Login { email, password, device: body.device_token }).await?;
    Ok(json(StatusCode::OK, &LoginResultBody::from(outcome)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondFactorRequest)]
struct SecondFactorBody {
    /// The challenge of the sign-in.
    challenge: String,
    /// A code of an active authenticator app, or one that was sent.
    #[schema(value_type = Option<AnyCode>)]
    code: Option<String>,
    /// What the code is of; `totp` when nothing is said.
    #[schema(value_type = Option<CodeMethod>)]
    method: Option<String>,
    /// A recovery code, instead of a code.
    #[schema(value_type = Option<RecoveryCodeInput>)]
    recovery_code: Option<String>,
    /// Whether the device is to be remembered: the next sign-ins from it ask for the password alone. A recovery or
    /// bypass code earns no `device_token`, nor does any factor where the policy remembers no devices.
    #[serde(default)]
    remember_device: bool,
    /// What a passkey signed, instead of a code: an `AuthenticationResponseJSON` (WebAuthn §5.1.1).
    #[schema(value_type = Option<Object>)]
    credential: Option<Map<String, Value>>,
}

/// Completes a sign-in with the second factor.
#[utoipa::path(operation_id = "loginSecondFactor", tag = "login", request_body = SecondFactorBody,
    responses((status = 200, description = "Tokens", body = SignedInBody), Answering))]
#[post("/auth/login/second-factor")]
pub async fn login_second_factor(call: AnyCall) -> Answer {
    let body: SecondFactorBody = call.body()?;
    let offered = answer(body.code, body.method, body.recovery_code, body.credential)?;
    let signed_in = second_factor::second_factor(&call.cx, &body.challenge, offered, body.remember_device).await?;
    Ok(json(StatusCode::OK, &SignedInBody::from(signed_in)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefreshRequest)]
struct RefreshBody {
    /// The refresh token.
    refresh_token: String,
}

/// Trades a refresh token for a fresh pair.
///
/// The token is rotated. Its direct predecessor is accepted once more for 30 seconds; any other reuse
/// ends the session.
#[utoipa::path(operation_id = "refreshTokens", tag = "login", request_body = RefreshBody,
    responses((status = 200, description = "A fresh pair", body = TokensBody), Refreshing))]
#[post("/auth/token/refresh")]
pub async fn refresh_tokens(call: AnyCall) -> Answer {
    let body: RefreshBody = call.body()?;
    let tokens = refresh::refresh(&call.cx, &body.refresh_token).await?;
    Ok(json(StatusCode::OK, &TokensBody::from(tokens)))
}

/// Signs out: ends the session of the token.
#[utoipa::path(operation_id = "logout", tag = "login", security(("bearer" = [])),
    responses((status = 204, description = "The session has ended"), Leaving))]
#[post("/auth/logout")]
pub async fn sign_out(call: OwnerCall) -> Answer {
    call.no_body()?;
    logout::logout(&call.call).await?;
    Ok(HttpResponse::NoContent().finish())
}
