//! `/account/security/2fa/passkeys`: enrolling a passkey or a security key.

use super::{
    caller::{Answer, OwnerCall},
    enrollment::{self, ConfirmedBody, EnrollBody, EnrollmentBody},
    openapi::{Cancelling, Confirming, Enrolling, Looking},
    shapes::MethodType,
    two_factor::method_id,
};
use crate::{
    actions::two_factor::{
        confirm::{self, Answer as Proof, Confirm},
        enroll::{self, Enrolled, Means},
    },
    domain::{method::Kind, passkey::CredentialJson},
};
use actix_web::{delete, get, post, web::Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// An enrolment that was started.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyEnrolment)]
pub struct EnrolledPasskeyBody {
    /// The enrolment, and later the method.
    id: Uuid,
    /// Its kind.
    #[schema(value_type = MethodType)]
    r#type: &'static str,
    /// What it is called.
    #[schema(min_length = 1, max_length = 64)]
    label: String,
    /// What `navigator.credentials.create` takes as `publicKey`, in its JSON form (WebAuthn §5.1.9,
    /// `PublicKeyCredentialCreationOptionsJSON`).
    #[schema(value_type = Object)]
    public_key: Value,
    /// When the enrolment ends.
    expires_at: Timestamp,
}

impl EnrolledPasskeyBody {
    /// What the browser is to make a passkey by.
    pub(super) fn new(enrolled: &Enrolled, public_key: Value) -> Self {
        Self {
            id: enrolled.id.0,
            r#type: enrolled.kind.as_str(),
            label: enrolled.label.as_str().to_owned(),
            public_key,
            expires_at: enrolled.expires_at,
        }
    }
}

/// Starts the enrolment of a passkey or a security key.
///
/// What protects the account already goes on protecting it until the enrolment is confirmed. A new start
/// supersedes a pending one.
#[utoipa::path(operation_id = "startPasskeyEnrolment", tag = "two-factor", security(("bearer" = [])),
    request_body = EnrollBody,
    responses((status = 201, description = "What the browser is to make it by", body = EnrolledPasskeyBody,
        headers(("Location" = String, description = "The enrolment"), ("ETag" = String, description = "The version"))), Enrolling))]
#[post("/account/security/2fa/passkeys")]
pub async fn start_passkey(call: OwnerCall) -> Answer {
    call.change(|body: EnrollBody| body.parse(Means::Passkey), enroll::enroll).await
}

/// Reads an enrolment of a passkey.
#[utoipa::path(operation_id = "getPasskeyEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 200, description = "How the enrolment stands", body = EnrollmentBody), Looking))]
#[get("/account/security/2fa/passkeys/{id}")]
pub async fn get_passkey(call: OwnerCall, id: Path<String>) -> Answer {
    enrollment::look(&call, Kind::Passkey, &id).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmPasskeyRequest)]
struct ConfirmPasskeyBody {
    /// What the browser made: a `RegistrationResponseJSON` (WebAuthn §5.1.1).
    #[schema(value_type = Object)]
    credential: Map<String, Value>,
}

/// Confirms an enrolment with the passkey that was made.
///
/// One that is registered already, by whomever, is refused.
#[utoipa::path(operation_id = "confirmPasskeyEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")), request_body = ConfirmPasskeyBody,
    responses((status = 200, description = "The passkey is in service", body = ConfirmedBody,
        headers(("ETag" = String, description = "The version"))), Confirming))]
#[post("/account/security/2fa/passkeys/{id}/confirm")]
pub async fn confirm_passkey(call: OwnerCall, id: Path<String>) -> Answer {
    let parse = |body: ConfirmPasskeyBody| {
        let answer = Proof::Credential(CredentialJson::new(&body.credential));
        Ok(Confirm { kind: Kind::Passkey, id: method_id(&id), answer })
    };
    call.change(parse, confirm::confirm).await
}

/// Cancels a pending enrolment of a passkey.
#[utoipa::path(operation_id = "cancelPasskeyEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 204, description = "It is cancelled"), Cancelling))]
#[delete("/account/security/2fa/passkeys/{id}")]
pub async fn cancel_passkey(call: OwnerCall, id: Path<String>) -> Answer {
    enrollment::cancel(&call, Kind::Passkey, &id).await
}
