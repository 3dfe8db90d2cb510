//! `/account/security/2fa/email` and `/account/security/2fa/sms`: enrolling methods whose codes are sent.

use super::{
    caller::{Answer, OwnerCall},
    enrollment::{ConfirmedBody, EnrollBody, EnrollmentBody, cancel, look},
    openapi::{Cancelling, Confirming, Enrolling, Looking, Resending},
    shapes::{MethodType, OneTimeCode, RecoveryCodeInput, SentCodeInput},
    start::StartedCodeBody,
    two_factor::method_id,
};
use crate::{
    actions::{
        start,
        two_factor::{
            confirm::{self, Answer as Proof, Confirm},
            enroll::{self, Enrolled, Means},
        },
    },
    domain::{method::Kind, phone::PhoneNumber, sent_code::SentCode},
};
use actix_web::{delete, get, post, web::Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EnrollSmsRequest)]
struct EnrollSmsBody {
    /// The number of a mobile telephone, with `+` and its country code (E.164); spaces, hyphens, dots and brackets are
    /// passed over.
    #[schema(min_length = 7, max_length = 32, pattern = r"^\s*\+[0-9 .()-]+\s*$", example = "+60 12-345 6789")]
    phone: String,
    /// The account password.
    #[schema(min_length = 1, max_length = 71, pattern = r"^[^\u0000]*$", format = Password)]
    password: String,
    /// What the method is to be called; by its kind when nothing is said.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    label: Option<String>,
    /// The method that the confirm is to take out of service.
    #[schema(value_type = Option<Uuid>)]
    replaces: Option<String>,
    /// A code of an active authenticator, where the token does not vouch for the second factor.
    #[schema(value_type = Option<OneTimeCode>)]
    code: Option<String>,
    /// A recovery code, instead of a code.
    #[schema(value_type = Option<RecoveryCodeInput>)]
    recovery_code: Option<String>,
}

/// An enrolment that was started; the code that confirms it is on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = CodeEnrolment)]
pub struct CodeEnrolledBody {
    /// The enrolment, and later the method.
    id: Uuid,
    /// Its kind.
    #[schema(value_type = MethodType)]
    r#type: &'static str,
    /// What it is called.
    #[schema(min_length = 1, max_length = 64)]
    label: String,
    /// Where its codes go, as far as that is shown.
    #[schema(example = "a•••@example.com")]
    sent_to: String,
    /// When the enrolment ends.
    expires_at: Timestamp,
}

impl CodeEnrolledBody {
    /// Of an enrolment whose code goes there.
    pub(super) fn new(enrolled: &Enrolled, sent_to: String) -> Self {
        Self {
            id: enrolled.id.0,
            r#type: enrolled.kind.as_str(),
            label: enrolled.label.as_str().to_owned(),
            sent_to,
            expires_at: enrolled.expires_at,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmCodeRequest)]
struct ConfirmCodeBody {
    /// The code that was sent.
    #[schema(value_type = SentCodeInput)]
    code: String,
}

async fn confirm(call: OwnerCall, kind: Kind, id: &str) -> Answer {
    let parse = |body: ConfirmCodeBody| {
        let answer = Proof::Sent(SentCode::parse(&body.code, "/code")?);
        Ok(Confirm { kind, id: method_id(id), answer })
    };
    call.change(parse, confirm::confirm).await
}

async fn resend(call: OwnerCall, kind: Kind, id: &str) -> Answer {
    call.change_without_body(async |call| start::resend(call, kind, method_id(id)).await).await
}

/// Starts the enrolment of codes by mail: the first of them is sent.
///
/// They go to the account's address of now, and go on going there when the account gets another one. An account has one
/// such method at most.
#[utoipa::path(operation_id = "startEmailEnrolment", tag = "two-factor", security(("bearer" = [])),
    request_body = EnrollBody,
    responses((status = 201, description = "A code is on its way", body = CodeEnrolledBody,
        headers(("Location" = String, description = "The enrolment"), ("ETag" = String, description = "The version"))), Enrolling))]
#[post("/account/security/2fa/email")]
pub async fn start_email(call: OwnerCall) -> Answer {
    call.change(|body: EnrollBody| body.parse(Means::Email), enroll::enroll).await
}

/// Reads an enrolment of codes by mail.
#[utoipa::path(operation_id = "getEmailEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 200, description = "How the enrolment stands", body = EnrollmentBody), Looking))]
#[get("/account/security/2fa/email/{id}")]
pub async fn get_email(call: OwnerCall, id: Path<String>) -> Answer {
    look(&call, Kind::Email, &id).await
}

/// Confirms an enrolment with the code that was sent by mail.
#[utoipa::path(operation_id = "confirmEmailEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")), request_body = ConfirmCodeBody,
    responses((status = 200, description = "The method is in service", body = ConfirmedBody,
        headers(("ETag" = String, description = "The version"))), Confirming))]
#[post("/account/security/2fa/email/{id}/confirm")]
pub async fn confirm_email(call: OwnerCall, id: Path<String>) -> Answer {
    confirm(call, Kind::Email, &id).await
}

/// Sends another code by mail for an enrolment.
///
/// The one before is void. Wrong guesses that were made stay counted.
#[utoipa::path(operation_id = "resendEmailCode", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 200, description = "A code is on its way", body = StartedCodeBody), Resending))]
#[post("/account/security/2fa/email/{id}/resend")]
pub async fn resend_email(call: OwnerCall, id: Path<String>) -> Answer {
    resend(call, Kind::Email, &id).await
}

/// Cancels a pending enrolment of codes by mail.
#[utoipa::path(operation_id = "cancelEmailEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 204, description = "It is cancelled"), Cancelling))]
#[delete("/account/security/2fa/email/{id}")]
pub async fn cancel_email(call: OwnerCall, id: Path<String>) -> Answer {
    cancel(&call, Kind::Email, &id).await
}

/// Starts the enrolment of codes by SMS: the first of them is sent.
///
/// An account has one such method at most.
#[utoipa::path(operation_id = "startSmsEnrolment", tag = "two-factor", security(("bearer" = [])),
    request_body = EnrollSmsBody,
    responses((status = 201, description = "A code is on its way", body = CodeEnrolledBody,
        headers(("Location" = String, description = "The enrolment"), ("ETag" = String, description = "The version"))), Enrolling))]
#[post("/account/security/2fa/sms")]
pub async fn start_sms(call: OwnerCall) -> Answer {
    let parse = |body: EnrollSmsBody| {
        let EnrollSmsBody { phone, password, label, replaces, code, recovery_code } = body;
        let number = PhoneNumber::parse(&phone, "/phone")?;
        EnrollBody { password, label, replaces, code, recovery_code }.parse(Means::Sms(number))
    };
    call.change(parse, enroll::enroll).await
}

/// Reads an enrolment of codes by SMS.
#[utoipa::path(operation_id = "getSmsEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 200, description = "How the enrolment stands", body = EnrollmentBody), Looking))]
#[get("/account/security/2fa/sms/{id}")]
pub async fn get_sms(call: OwnerCall, id: Path<String>) -> Answer {
    look(&call, Kind::Sms, &id).await
}

/// Confirms an enrolment with the code that was sent by SMS.
#[utoipa::path(operation_id = "confirmSmsEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")), request_body = ConfirmCodeBody,
    responses((status = 200, description = "The method is in service", body = ConfirmedBody,
        headers(("ETag" = String, description = "The version"))), Confirming))]
#[post("/account/security/2fa/sms/{id}/confirm")]
pub async fn confirm_sms(call: OwnerCall, id: Path<String>) -> Answer {
    confirm(call, Kind::Sms, &id).await
}

/// Sends another code by SMS for an enrolment.
///
/// The one before is void. Wrong guesses that were made stay counted.
#[utoipa::path(operation_id = "resendSmsCode", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 200, description = "A code is on its way", body = StartedCodeBody), Resending))]
#[post("/account/security/2fa/sms/{id}/resend")]
pub async fn resend_sms(call: OwnerCall, id: Path<String>) -> Answer {
    resend(call, Kind::Sms, &id).await
}

/// Cancels a pending enrolment of codes by SMS.
#[utoipa::path(operation_id = "cancelSmsEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 204, description = "It is cancelled"), Cancelling))]
#[delete("/account/security/2fa/sms/{id}")]
pub async fn cancel_sms(call: OwnerCall, id: Path<String>) -> Answer {
    cancel(&call, Kind::Sms, &id).await
}
