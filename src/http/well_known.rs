//! What is published for everybody: token keys, the policy in force, the document.

use super::{
    caller::{Answer, AnyCall, json},
    openapi::Published,
    problem::Problem,
    shapes::MethodType,
    status_body::SupportBody,
};
use crate::domain::{
    guesses::Limits,
    method::Kind,
    password::{MAX_BYTES, MIN_BYTES_NEW},
    policy::{MAX_METHODS, Policy, Required},
    recovery_code::SET_SIZE,
    refusal::Fault,
    totp::{DIGITS, PERIOD},
};
use actix_web::{
    HttpResponse, get,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web,
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is published may be kept for as long.
pub(super) const CACHE: &str = "public, max-age=300";

/// The document as it is served.
pub struct Document(pub Arc<str>);

/// A set of keys (RFC 7517 §5).
#[derive(ToSchema)]
#[schema(as = JwkSet)]
#[expect(dead_code, reason = "the schema of what the keyring writes")]
struct JwkSetBody {
    /// The keys; the one that signs now is among them.
    keys: Vec<JwkBody>,
}

/// The public half of a signing key (RFC 7517 §4, RFC 8037 §2, RFC 7518 §6.2).
#[derive(ToSchema)]
#[schema(as = Jwk)]
#[expect(dead_code, reason = "the schema of what the keyring writes")]
struct JwkBody {
    /// The key type: `OKP` or `EC`.
    #[schema(pattern = "^(OKP|EC)$", example = "OKP")]
    kty: String,
    /// What it is for: signatures.
    #[schema(pattern = "^sig$", example = "sig")]
    r#use: String,
    /// The algorithm: `EdDSA` or `ES256`.
    #[schema(pattern = "^(EdDSA|ES256)$", example = "EdDSA")]
    alg: String,
    /// The key id, as in the head of a token.
    kid: String,
    /// The curve.
    #[schema(pattern = "^(Ed25519|P-256)$", example = "Ed25519")]
    crv: String,
    /// The public key, or its x coordinate.
    #[schema(pattern = r"^[\w-]{43}$")]
    x: String,
    /// The y coordinate, of an `EC` key alone.
    #[schema(nullable = false, pattern = r"^[\w-]{43}$")]
    y: Option<String>,
}

/// Publishes the keys that access tokens are checked with (RFC 7517).
#[utoipa::path(operation_id = "getJwks", tag = "well-known",
    responses((status = 200, description = "A JWK set", body = JwkSetBody), Published))]
#[get("/.well-known/jwks.json")]
pub async fn jwks(call: AnyCall) -> Answer {
    Ok(cached(call.cx.keys.signer.jwks.clone()))
}

/// The numbers in force. Durations are in seconds.
#[derive(Serialize, ToSchema)]
#[schema(as = Policy)]
pub struct PolicyBody {
    /// One-time codes.
    totp: TotpPolicy,
    /// Recovery codes.
    recovery_codes: RecoveryCodePolicy,
    /// Methods.
    methods: MethodPolicy,
    /// Passwords.
    password: PasswordPolicy,
    /// How old a proof of the second factor may be for a change.
    step_up_max_age: u32,
    /// How old an agent's proof of the second factor may be for support to act.
    support_max_age: u32,
    /// Life of a bypass code.
    bypass_code_ttl: u32,
    /// Life of a code that is sent by mail or SMS.
    sent_code_ttl: u32,
    /// Life of an access token.
    access_token_ttl: u32,
    /// Life of a refresh token that is not used.
    session_idle: u32,
    /// Life of a session.
    session_max: u32,
    /// Life of a sign-in challenge.
    challenge_ttl: u32,
    /// Of whom two-factor authentication is required.
    #[schema(value_type = RequiredBody)]
    required: Required,
    /// For how long an account of which it is required may do without, from its first sign-in since then on.
    required_grace: u32,
    /// Whether an owner of whom it is not required may switch it off.
    disable_allowed: bool,
    /// When, after a method was set up, to ask its owner whether it still works; 0 means never.
    checkup_after: u32,
    /// How long after a check-up that was passed to ask again; 0 means never.
    checkup_every: u32,
    /// For how long a device can be remembered; 0 means that none is.
    device_ttl: u32,
    /// Life of an unconfirmed enrolment.
    enrollment_ttl: u32,
    /// When, after a disable, the owner is reminded.
    reminder_after: u32,
    /// How long after the first reminder the owner is reminded again; 0 means never.
    reminder_again: u32,
    /// For how long, after a disable, a reset, an undo, or the use of a recovery or bypass code, partners are asked to
    /// hold back; 0 means never.
    restricted_for: u32,
    /// For how long a disable can be taken back by the link in the mail about it; 0 means never.
    undo_for: u32,
    /// Requests of one network on `/auth/*`.
    address: AddressPolicy,
    /// The budgets of guesses.
    #[schema(value_type = LimitsBody)]
    limits: Limits,
    /// Whom someone turns to who cannot sign in.
    support: SupportBody,
}

/// Of whom two-factor authentication is required: of nobody, of the accounts on the operator's list, or of all.
#[derive(ToSchema)]
#[schema(as = Required, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
enum RequiredBody {
    None,
    Listed,
    All,
}

/// One-time codes (RFC 6238).
#[derive(Serialize, ToSchema)]
struct TotpPolicy {
    /// The hash function.
    #[schema(pattern = "^SHA1$", example = "SHA1")]
    algorithm: &'static str,
    /// Digits of a code.
    digits: u32,
    /// Seconds that a code stands for.
    period: u32,
    /// Steps that a code may be early or late.
    window: u32,
}

/// Recovery codes.
#[derive(Serialize, ToSchema)]
struct RecoveryCodePolicy {
    /// Codes of a set.
    count: usize,
}

/// Methods.
#[derive(Serialize, ToSchema)]
struct MethodPolicy {
    /// As many as an account may have.
    max: usize,
    /// The kinds that can be set up; a method of another kind goes on working.
    #[schema(value_type = Vec<MethodType>)]
    allowed: Vec<Kind>,
}

/// Passwords.
#[derive(Serialize, ToSchema)]
struct PasswordPolicy {
    /// Bytes of UTF-8 that a new one has at least.
    min_bytes: usize,
    /// Bytes of UTF-8 that one has at most.
    max_bytes: usize,
}

/// Requests of one network; 0 a minute means no limit.
#[derive(Serialize, ToSchema)]
struct AddressPolicy {
    /// A minute.
    per_minute: u32,
    /// At once.
    burst: u32,
}

/// The budgets of guesses.
#[derive(ToSchema)]
#[schema(as = Limits)]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
struct LimitsBody {
    /// A code before the second factor was proved.
    code: BudgetBody,
    /// A code in a session that is `aal2`.
    session_code: BudgetBody,
    /// A recovery code.
    recovery_code: BudgetBody,
    /// A bypass code.
    bypass_code: BudgetBody,
    /// A password at sign-in.
    login: BudgetBody,
    /// A password inside one session.
    reauth_session: BudgetBody,
    /// A password inside all sessions of an account.
    reauth_account: BudgetBody,
    /// A code at confirm.
    confirm: BudgetBody,
    /// A second factor on one challenge.
    challenge: BudgetBody,
    /// Starts of enrolments.
    enroll_start: BudgetBody,
    /// Resets and bypass codes of one agent of support.
    support_action: BudgetBody,
    /// Codes that are sent for one account.
    code_send: BudgetBody,
    /// Codes that are sent to one address or number.
    code_send_address: BudgetBody,
    /// SMS for one account.
    sms: BudgetBody,
}

/// One budget of guesses. Zero means: no such rule.
#[derive(ToSchema)]
#[schema(as = Budget)]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
struct BudgetBody {
    /// Wrong guesses within the window that cost nothing but the guess.
    free: u32,
    /// The window.
    window: u32,
    /// The wait after the last free guess; doubled by each further one.
    delay_first: u32,
    /// The longest wait.
    delay_max: u32,
    /// Wrong guesses in 24 hours after which none is evaluated.
    cap_day: u32,
    /// Wrong guesses in 30 days after which none is evaluated.
    cap_month: u32,
    /// Whether reaching a cap locks until support opens it.
    caps_lock: bool,
    /// Wrong guesses that end the session, the challenge, the enrolment or the bypass code itself.
    ends_at: u32,
}

impl From<&Policy> for PolicyBody {
    fn from(rules: &Policy) -> Self {
        Self {
            totp: TotpPolicy { algorithm: "SHA1", digits: DIGITS, period: PERIOD, window: rules.totp_window },
            recovery_codes: RecoveryCodePolicy { count: SET_SIZE },
            methods: MethodPolicy { max: MAX_METHODS, allowed: rules.kinds.clone() },
            password: PasswordPolicy { min_bytes: MIN_BYTES_NEW, max_bytes: MAX_BYTES },
            step_up_max_age: rules.step_up_max_age,
            support_max_age: rules.support_max_age,
            bypass_code_ttl: rules.bypass_code_ttl,
            sent_code_ttl: rules.sent_code_ttl,
            access_token_ttl: rules.access_token_ttl,
            session_idle: rules.session_idle,
            session_max: rules.session_max,
            challenge_ttl: rules.challenge_ttl,
            required: rules.required,
            required_grace: rules.required_grace,
            disable_allowed: rules.disable_allowed,
            checkup_after: rules.checkup_after,
            checkup_every: rules.checkup_every,
            device_ttl: rules.device_ttl,
            enrollment_ttl: rules.enrollment_ttl,
            reminder_after: rules.reminder_after,
            reminder_again: rules.reminder_again,
            restricted_for: rules.restricted_for,
            undo_for: rules.undo_for,
            address: AddressPolicy { per_minute: rules.auth_per_minute, burst: rules.auth_burst },
            limits: rules.limits.clone(),
            support: SupportBody::from(&rules.support),
        }
    }
}

/// Publishes the numbers in force: windows, ages, and the budgets of guesses; and whom someone turns to
/// who cannot sign in.
#[utoipa::path(operation_id = "getTwoFactorPolicy", tag = "well-known",
    responses((status = 200, description = "The policy", body = PolicyBody), Published))]
#[get("/.well-known/two-factor-policy")]
pub async fn policy(call: AnyCall) -> Answer {
    let mut response = json(StatusCode::OK, &PolicyBody::from(&call.cx.policy));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    Ok(response)
}

/// An OpenAPI document (OpenAPI 3.1).
#[derive(ToSchema)]
#[schema(as = OpenapiDocument)]
#[expect(dead_code, reason = "the schema of what the collector of routes writes")]
struct DocumentBody {
    /// The version of the format.
    #[schema(pattern = r"^3\.1\.\d+$", example = "3.1.0")]
    openapi: String,
    /// What it is about.
    #[schema(value_type = BTreeMap<String, Value>)]
    info: (),
    /// Where it is served.
    #[schema(value_type = Vec<BTreeMap<String, Value>>)]
    servers: (),
    /// The operations.
    #[schema(value_type = BTreeMap<String, Value>)]
    paths: (),
    /// What operations share.
    #[schema(value_type = BTreeMap<String, Value>)]
    components: (),
    /// The groups of operations.
    #[schema(value_type = Vec<BTreeMap<String, Value>>)]
    tags: (),
}

/// Publishes this document.
#[utoipa::path(operation_id = "getOpenapi", tag = "well-known",
    responses((status = 200, description = "The OpenAPI document", body = DocumentBody), Published))]
#[get("/openapi.json")]
pub async fn document(document: web::Data<Document>) -> Answer {
    match document.0.is_empty() {
        true => Err(Problem::Failed(Fault::Unavailable("no document".to_owned()))),
        false => Ok(cached(document.0.to_string())),
    }
}

fn cached(body: String) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").insert_header((header::CACHE_CONTROL, CACHE)).body(body)
}
