//! `/account/security/2fa`.

use super::{
    auth::TokensBody,
    body,
    caller::{Answer, OwnerCall, Render, json, versioned},
    openapi::{Changing, Proving, Reading, Removing, Stepping},
    problem::Problem,
    shapes::{AnyCode, CodeMethod, OneTimeCode, RecoveryCode, RecoveryCodeInput},
    status_body::{MethodBody, StatusBody},
};
use crate::{
    actions::{
        reverify::Proofs,
        two_factor::{
            recovery_codes::{self, Regenerated},
            remove::{self, Remove, Removed},
            rename, status,
            verify::{self, Verified},
        },
    },
    domain::{id::MethodId, method::Label},
    store::factors::Offered,
};
use actix_web::{HttpResponse, get, http::StatusCode, patch, post, web::Path};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
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
#[schema(as = FactorRequest)]
struct FactorBody {
    /// A code of an active authenticator app, or one that was sent.
    #[schema(value_type = Option<AnyCode>)]
    code: Option<String>,
    /// What the code is of; `totp` when nothing is said.
    #[schema(value_type = Option<CodeMethod>)]
    method: Option<String>,
    /// A recovery code, instead of a code.
    #[schema(value_type = Option<RecoveryCodeInput>)]
    recovery_code: Option<String>,
    /// What a passkey signed, instead of a code: an `AuthenticationResponseJSON` (WebAuthn §5.1.1).
    #[schema(value_type = Option<Object>)]
    credential: Option<Map<String, Value>>,
}

impl FactorBody {
    fn parse(self) -> Result<Offered, Problem> {
        body::answer(self.code, self.method, self.recovery_code, self.credential)
    }
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
    call.change(FactorBody::parse, verify::verify).await
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
