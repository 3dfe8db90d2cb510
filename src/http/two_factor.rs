//! `/account/security/2fa`.

use super::{
    auth::TokensBody,
    body::{self, both},
    caller::{Answer, OwnerCall, Render, json, versioned},
    language,
    openapi::{Changing, Previewing, Proving, Reading, Removing, Stepping},
    problem::Problem,
    shapes::{OneTimeCode, ProofName, RecoveryCode, RecoveryCodeInput},
    status_body::{MethodBody, StatusBody, proofs},
};
use crate::{
    actions::{
        reverify::Proofs,
        two_factor::{
            disable::{self, Counts, Disable, Disabled, Preview, Reason},
            recovery_codes::{self, Regenerated},
            remove::{self, Remove, Removed},
            rename, status,
            verify::{self, Verified},
        },
    },
    domain::{id::MethodId, method::Label},
};
use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
    patch, post,
    web::Path,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Reads the status.
#[utoipa::path(operation_id = "getTwoFactorStatus", tag = "two-factor", security(("bearer" = [])),
    responses((status = 200, description = "How two-factor authentication stands", body = StatusBody,
        headers(("ETag" = String, description = "The version"))), Reading))]
#[get("/account/security/2fa")]
pub async fn get_status(call: OwnerCall) -> Answer {
    let status = status::status(&call.call).await?;
    Ok(versioned(StatusCode::OK, status.version, &StatusBody::new(&status, &call)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RenameRequest)]
struct RenameBody {
    /// The new label.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    label: String,
}

/// Renames a method.
#[utoipa::path(operation_id = "renameMethod", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The method")), request_body = RenameBody,
    responses((status = 200, description = "The method", body = MethodBody,
        headers(("ETag" = String, description = "The version"))), Changing))]
#[patch("/account/security/2fa/methods/{id}")]
pub async fn rename_method(call: OwnerCall, id: Path<String>) -> Answer {
    let body: RenameBody = call.body()?;
    let label = Label::parse(&body.label, "/label")?;
    let (method, version) = rename::rename(&call.call, method_id(&id), label).await?;
    Ok(versioned(StatusCode::OK, version, &MethodBody::from(&method)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProofsRequest)]
struct ProofsBody {
    /// The account password.
    #[schema(min_length = 1, max_length = 71, pattern = r"^[^\u0000]*$", format = Password)]
    password: String,
    /// A code of an active authenticator, where the token does not vouch for the second factor.
    #[schema(value_type = Option<OneTimeCode>)]
    code: Option<String>,
    /// A recovery code, instead of a code.
    #[schema(value_type = Option<RecoveryCodeInput>)]
    recovery_code: Option<String>,
}

impl ProofsBody {
    fn parse(self) -> Result<Proofs, Problem> {
        Ok(body::proofs(self.password, "/password", self.code, self.recovery_code)??)
    }
}

/// The method is gone.
#[derive(Serialize, ToSchema)]
#[schema(as = Removed)]
pub struct RemovedBody {
    /// How two-factor authentication stands now.
    status: StatusBody,
    /// A fresh pair: older access tokens are refused now. Null in a replay, and for a token of the portal's
    /// own issuer.
    #[schema(required)]
    tokens: Option<TokensBody>,
}

impl Render for Removed {
    fn render(self, call: &OwnerCall) -> HttpResponse {
        let status = StatusBody::new(&self.status, call);
        versioned(
            StatusCode::OK,
            self.status.version,
            &RemovedBody { status, tokens: self.tokens.map(TokensBody::from) },
        )
    }
}

/// Removes one of several methods.
#[utoipa::path(operation_id = "removeMethod", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The method")), request_body = ProofsBody,
    responses((status = 200, description = "The method is gone", body = RemovedBody,
        headers(("ETag" = String, description = "The version"))), Removing))]
#[post("/account/security/2fa/methods/{id}/remove")]
pub async fn remove_method(call: OwnerCall, id: Path<String>) -> Answer {
    let parse = |body: ProofsBody| Ok(Remove { id: method_id(&id), proofs: body.parse()? });
    call.change(parse, remove::remove).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DisableRequest)]
struct DisableBody {
    /// The account password.
    #[schema(min_length = 1, max_length = 71, pattern = r"^[^\u0000]*$", format = Password)]
    password: String,
    /// A code of an active authenticator, where the token does not vouch for the second factor.
    #[schema(value_type = Option<OneTimeCode>)]
    code: Option<String>,
    /// A recovery code, instead of a code.
    #[schema(value_type = Option<RecoveryCodeInput>)]
    recovery_code: Option<String>,
    /// Why.
    #[schema(value_type = Option<ReasonBody>)]
    reason: Option<String>,
}

/// Why an owner switches two-factor authentication off.
#[derive(ToSchema)]
#[schema(as = DisableReason, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
enum ReasonBody {
    NewPhone,
    LostPhone,
    SwitchingMethod,
    NotWanted,
    Other,
}

impl DisableBody {
    fn parse(self) -> Result<Disable, Problem> {
        let proofs = body::proofs(self.password, "/password", self.code, self.recovery_code)?;
        let reason = self.reason.map(|name| Reason::parse(&name, "/reason")).transpose();
        let (proofs, reason) = both(proofs, reason)?;
        Ok(Disable { proofs, reason })
    }
}

/// Two-factor authentication is off.
#[derive(Serialize, ToSchema)]
#[schema(as = Disabled)]
pub struct DisabledBody {
    /// Always false.
    #[schema(value_type = bool, example = false)]
    enabled: bool,
    /// Since when.
    disabled_at: Timestamp,
    /// How the account signs in from now on.
    #[schema(value_type = LoginMethod)]
    login: &'static str,
    /// What to tell the owner, in the language asked for.
    message: String,
    /// What went with it.
    revoked: CountsBody,
    /// When the owner is reminded that it is off.
    reminder_at: Timestamp,
    /// A fresh pair: older access tokens are refused now. Null in a replay, where support did it, and for a token of
    /// the portal's own issuer.
    #[schema(required)]
    tokens: Option<TokensBody>,
}

/// How an account signs in without a second factor.
#[derive(ToSchema)]
#[schema(as = LoginMethod, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a name")]
enum LoginMethod {
    Password,
}

/// How many of each.
#[derive(Serialize, ToSchema)]
#[schema(as = RevokedCounts)]
pub struct CountsBody {
    /// Active methods.
    methods: usize,
    /// Unused recovery codes.
    recovery_codes: usize,
    /// Sessions other than the caller's; where support did it, all.
    sessions: usize,
}

impl From<Counts> for CountsBody {
    fn from(counts: Counts) -> Self {
        let Counts { methods, recovery_codes, sessions } = counts;
        Self { methods, recovery_codes, sessions }
    }
}

impl Render for Disabled {
    fn render(self, call: &OwnerCall) -> HttpResponse {
        let locale = call.facts().locale;
        let body = DisabledBody {
            enabled: false,
            disabled_at: self.disabled_at,
            login: "password",
            message: language::text(locale, "disabled-message"),
            revoked: self.revoked.into(),
            reminder_at: self.reminder_at,
            tokens: self.tokens.map(TokensBody::from),
        };
        let mut response = versioned(StatusCode::OK, self.version, &body);
        response.headers_mut().insert(header::CONTENT_LANGUAGE, header::HeaderValue::from_static(locale.tag()));
        response
    }
}

/// Switches two-factor authentication off.
///
/// Every method and recovery code is removed, all other sessions end, older access tokens are refused,
/// and the account signs in by password alone.
#[utoipa::path(operation_id = "disableTwoFactor", tag = "two-factor", security(("bearer" = [])),
    request_body = DisableBody,
    responses((status = 200, description = "It is off", body = DisabledBody,
        headers(("ETag" = String, description = "The version"))), Proving))]
#[post("/account/security/2fa/disable")]
pub async fn disable_two_factor(call: OwnerCall) -> Answer {
    call.change(DisableBody::parse, disable::disable).await
}

/// What a disable would do.
#[derive(Serialize, ToSchema)]
#[schema(as = DisablePreview)]
pub struct PreviewBody {
    /// What would go with it.
    would_revoke: CountsBody,
    /// How the account would sign in.
    #[schema(value_type = LoginMethod)]
    login: &'static str,
    /// What the body must hold, for the token that asked; `a|b` means one of both.
    #[schema(value_type = Vec<ProofName>)]
    proofs: Vec<&'static str>,
    /// Until when the token vouches for the second factor.
    #[schema(required)]
    fresh_until: Option<Timestamp>,
    /// Who forbids it; null where nobody does.
    #[schema(required)]
    blocked_by: Option<String>,
    /// What may serve the owner better.
    #[schema(example = json!(["replace"]))]
    alternatives: Vec<&'static str>,
}

impl From<Preview> for PreviewBody {
    fn from(preview: Preview) -> Self {
        Self {
            would_revoke: preview.would_revoke.into(),
            login: "password",
            proofs: proofs(preview.fresh_until),
            fresh_until: preview.fresh_until,
            blocked_by: None,
            alternatives: vec!["replace"],
        }
    }
}

/// Tells what a disable would do.
#[utoipa::path(operation_id = "previewDisable", tag = "two-factor", security(("bearer" = [])),
    responses((status = 200, description = "What would happen", body = PreviewBody), Previewing))]
#[get("/account/security/2fa/disable/preview")]
pub async fn preview_disable(call: OwnerCall) -> Answer {
    let preview = disable::preview(&call.call).await?;
    Ok(json(StatusCode::OK, &PreviewBody::from(preview)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FactorRequest)]
struct FactorBody {
    /// A code of an active authenticator.
    #[schema(value_type = Option<OneTimeCode>)]
    code: Option<String>,
    /// A recovery code, instead of a code.
    #[schema(value_type = Option<RecoveryCodeInput>)]
    recovery_code: Option<String>,
}

impl Render for Verified {
    fn render(self, _: &OwnerCall) -> HttpResponse {
        match self.tokens {
            Some(tokens) => json(StatusCode::OK, &TokensBody::from(tokens)),
            None => HttpResponse::NoContent().finish(),
        }
    }
}

/// Proves the second factor in this session (step-up, RFC 9470).
#[utoipa::path(operation_id = "verifySecondFactor", tag = "two-factor", security(("bearer" = [])),
    request_body = FactorBody,
    responses((status = 200, description = "A fresh pair with `acr=aal2`", body = TokensBody),
        (status = 204, description = "Proved, for a token of the portal's own issuer"), Stepping))]
#[post("/account/security/2fa/verify")]
pub async fn verify_second_factor(call: OwnerCall) -> Answer {
    call.change(|body: FactorBody| body::required_factor(body.code, body.recovery_code), verify::verify).await
}

/// A new set of recovery codes, shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub struct RegeneratedBody {
    /// The codes.
    #[schema(value_type = Vec<RecoveryCode>, min_items = 10, max_items = 10)]
    recovery_codes: Vec<String>,
}

impl Render for Regenerated {
    fn render(self, _: &OwnerCall) -> HttpResponse {
        let body = RegeneratedBody { recovery_codes: self.codes.iter().map(|code| code.reveal()).collect() };
        versioned(StatusCode::OK, self.version, &body)
    }
}

/// Makes a new set of recovery codes; the old set is dead at once.
#[utoipa::path(operation_id = "regenerateRecoveryCodes", tag = "two-factor", security(("bearer" = [])),
    request_body = ProofsBody,
    responses((status = 200, description = "The codes, once", body = RegeneratedBody,
        headers(("ETag" = String, description = "The version"))), Proving))]
#[post("/account/security/2fa/recovery-codes")]
pub async fn regenerate_recovery_codes(call: OwnerCall) -> Answer {
    call.change(ProofsBody::parse, recovery_codes::regenerate).await
}

/// An id that is none is nobody's: it is looked for like any other, in its turn, and not found.
pub fn method_id(text: &str) -> MethodId {
    text.parse().unwrap_or(MethodId(Uuid::nil()))
}
