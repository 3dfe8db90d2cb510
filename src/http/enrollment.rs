//! `/account/security/2fa/totp`: enrolling an authenticator app.

use super::{
    auth::TokensBody,
    body::{self, both},
    caller::{Answer, OwnerCall, Render, json, versioned},
    code_enrollment::CodeEnrolledBody,
    openapi::{Cancelling, Confirming, Enrolling, Looking},
    passkeys::EnrolledPasskeyBody,
    problem::Problem,
    shapes::{MethodType, OneTimeCode, RecoveryCode, RecoveryCodeInput},
    status_body::StatusBody,
    two_factor::method_id,
};
use crate::{
    actions::two_factor::{
        confirm::{self, Answer as Proof, Confirm, Confirmed},
        enroll::{self, Enroll, Enrolled, Means, Shown},
        enrollment,
    },
    domain::{
        id::MethodId,
        method::{Kind, Label, State},
        refusal::{Refusal, Rule},
        totp::{Code, DIGITS, PERIOD, TotpSecret},
    },
};
use actix_web::{
    HttpResponse, delete, get,
    http::{StatusCode, header},
    post,
    web::Path,
};
use fast_qr::{ECL, QRBuilder, convert::svg::SvgBuilder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EnrollRequest)]
pub(super) struct EnrollBody {
    /// The account password.
    #[schema(min_length = 1, max_length = 71, pattern = r"^[^\u0000]*$", format = Password)]
    pub(super) password: String,
    /// What the method is to be called; by its kind when nothing is said.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    pub(super) label: Option<String>,
    /// The method that the confirm is to take out of service.
    #[schema(value_type = Option<Uuid>)]
    pub(super) replaces: Option<String>,
    /// A code of an active authenticator, where the token does not vouch for the second factor.
    #[schema(value_type = Option<OneTimeCode>)]
    pub(super) code: Option<String>,
    /// A recovery code, instead of a code.
    #[schema(value_type = Option<RecoveryCodeInput>)]
    pub(super) recovery_code: Option<String>,
}

impl EnrollBody {
    /// What is asked for.
    ///
    /// # Errors
    /// `malformed-request`, `validation-failed`.
    pub(super) fn parse(self, means: Means) -> Result<Enroll, Problem> {
        let proofs = body::proofs(self.password, "/password", self.code, self.recovery_code)?;
        let label = self.label.map(|label| Label::parse(&label, "/label")).transpose();
        let replaces = self.replaces.map(|id| id.parse::<MethodId>().map_err(|_| Rule::Id.at("/replaces"))).transpose();
        let ((proofs, label), replaces) = both(both(proofs, label), replaces)?;
        Ok(Enroll { means, proofs, label, replaces })
    }
}

/// An enrolment that was started. The secret is in this answer and nowhere else, ever.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrolment)]
pub struct EnrolledBody {
    /// The enrolment, and later the method.
    id: Uuid,
    /// Its kind.
    #[schema(value_type = MethodType)]
    r#type: &'static str,
    /// What it is called.
    #[schema(min_length = 1, max_length = 64)]
    label: String,
    /// The shared secret in base 32, for typing.
    #[schema(pattern = "^[A-Z2-7]{32}$")]
    secret: String,
    /// The key URI, for a link on the phone itself.
    #[schema(format = "uri")]
    otpauth_uri: String,
    /// The key URI as a QR code: an SVG document.
    #[schema(content_media_type = "image/svg+xml")]
    qr_svg: String,
    /// The hash function.
    #[schema(pattern = "^SHA1$", example = "SHA1")]
    algorithm: &'static str,
    /// Digits of a code.
    #[schema(minimum = 6, maximum = 6)]
    digits: u32,
    /// Seconds that a code stands for.
    #[schema(minimum = 30, maximum = 30)]
    period: u32,
    /// When the enrolment ends.
    expires_at: Timestamp,
}

impl Render for Enrolled {
    fn render(mut self, _: &OwnerCall) -> HttpResponse {
        match self.shown.take() {
            Some(Shown::Totp { secret, otpauth_uri }) => {
                created(&self, "totp", &EnrolledBody::new(&self, &secret, otpauth_uri))
            }
            Some(Shown::Passkey(public_key)) => {
                created(&self, "passkeys", &EnrolledPasskeyBody::new(&self, public_key))
            }
            Some(Shown::Sent { to }) => created(&self, self.kind.as_str(), &CodeEnrolledBody::new(&self, to)),
            None => HttpResponse::from_error(Problem::from(Refusal::AlreadyCompleted)),
        }
    }
}

fn created<T: Serialize>(enrolled: &Enrolled, path: &str, body: &T) -> HttpResponse {
    let mut response = versioned(StatusCode::CREATED, enrolled.version, body);
    if let Ok(location) = header::HeaderValue::from_str(&format!("/account/security/2fa/{path}/{}", enrolled.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

impl EnrolledBody {
    fn new(enrolled: &Enrolled, secret: &TotpSecret, otpauth_uri: String) -> Self {
        // M (15 %): a screen has no dirt, and fewer modules are easier on a phone's camera.
        let qr = QRBuilder::new(otpauth_uri.as_str()).ecl(ECL::M).build();
        Self {
            id: enrolled.id.0,
            r#type: enrolled.kind.as_str(),
            label: enrolled.label.as_str().to_owned(),
            secret: secret.reveal(),
            // At this level a QR code holds 2,331 bytes; a longer key URI is left to the link and the manual key.
            qr_svg: qr.map(|qr| SvgBuilder::default().to_str(&qr)).unwrap_or_default(),
            otpauth_uri,
            algorithm: "SHA1",
            digits: DIGITS,
            period: PERIOD,
            expires_at: enrolled.expires_at,
        }
    }
}

/// Starts the enrolment of an authenticator app.
///
/// What protects the account already goes on protecting it until the enrolment is confirmed. A new start
/// supersedes a pending one.
#[utoipa::path(operation_id = "startTotpEnrolment", tag = "two-factor", security(("bearer" = [])),
    request_body = EnrollBody,
    responses((status = 201, description = "The secret, once", body = EnrolledBody,
        headers(("Location" = String, description = "The enrolment"), ("ETag" = String, description = "The version"))), Enrolling))]
#[post("/account/security/2fa/totp")]
pub async fn start_totp(call: OwnerCall) -> Answer {
    call.change(|body: EnrollBody| body.parse(Means::Totp), enroll::enroll).await
}

/// How far an enrolment is; one that has ended is not shown.
#[derive(ToSchema)]
#[schema(as = EnrolmentProgress, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
enum EnrolmentProgress {
    Pending,
    Confirmed,
}

/// An enrolment, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = EnrolmentState)]
pub struct EnrollmentBody {
    /// Its id.
    id: Uuid,
    /// How far it is.
    #[schema(value_type = EnrolmentProgress)]
    state: &'static str,
    /// What it is called.
    #[schema(min_length = 1, max_length = 64)]
    label: String,
    /// When it ends unless it is confirmed.
    expires_at: Timestamp,
}

/// Reads an enrolment.
#[utoipa::path(operation_id = "getTotpEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 200, description = "How the enrolment stands", body = EnrollmentBody), Looking))]
#[get("/account/security/2fa/totp/{id}")]
pub async fn get_totp(call: OwnerCall, id: Path<String>) -> Answer {
    look(&call, Kind::Totp, &id).await
}

/// Shows how an enrolment of any kind stands.
pub(super) async fn look(call: &OwnerCall, kind: Kind, id: &str) -> Answer {
    let method = enrollment::look(&call.call, kind, method_id(id)).await?;
    let body = EnrollmentBody {
        id: method.id.0,
        state: if method.state == State::Pending { "pending" } else { "confirmed" },
        label: method.label.as_str().to_owned(),
        expires_at: method.expires_at,
    };
    Ok(json(StatusCode::OK, &body))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmRequest)]
struct ConfirmBody {
    /// The first code of the new authenticator.
    #[schema(value_type = OneTimeCode)]
    code: String,
}

/// The authenticator is in service.
#[derive(Serialize, ToSchema)]
#[schema(as = Confirmed)]
pub struct ConfirmedBody {
    /// How two-factor authentication stands now.
    status: StatusBody,
    /// A new set of recovery codes, shown once; null where the old set goes on.
    #[schema(required, value_type = Option<Vec<RecoveryCode>>, min_items = 10, max_items = 10)]
    recovery_codes: Option<Vec<String>>,
    /// A fresh pair: older access tokens are refused now. Null in a replay, and for a token of the portal's
    /// own issuer.
    #[schema(required)]
    tokens: Option<TokensBody>,
}

impl Render for Confirmed {
    fn render(self, call: &OwnerCall) -> HttpResponse {
        let body = ConfirmedBody {
            status: StatusBody::new(&self.status, call),
            recovery_codes: self.recovery_codes.map(|codes| codes.iter().map(|code| code.reveal()).collect()),
            tokens: self.tokens.map(TokensBody::from),
        };
        versioned(StatusCode::OK, self.status.version, &body)
    }
}

/// Confirms an enrolment with a code.
#[utoipa::path(operation_id = "confirmTotpEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")), request_body = ConfirmBody,
    responses((status = 200, description = "The authenticator is in service", body = ConfirmedBody,
        headers(("ETag" = String, description = "The version"))), Confirming))]
#[post("/account/security/2fa/totp/{id}/confirm")]
pub async fn confirm_totp(call: OwnerCall, id: Path<String>) -> Answer {
    let parse = |body: ConfirmBody| {
        let answer = Proof::Code(Code::parse(&body.code, "/code")?);
        Ok(Confirm { kind: Kind::Totp, id: method_id(&id), answer })
    };
    call.change(parse, confirm::confirm).await
}

/// Cancels a pending enrolment.
#[utoipa::path(operation_id = "cancelTotpEnrolment", tag = "two-factor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The enrolment")),
    responses((status = 204, description = "It is cancelled"), Cancelling))]
#[delete("/account/security/2fa/totp/{id}")]
pub async fn cancel_totp(call: OwnerCall, id: Path<String>) -> Answer {
    cancel(&call, Kind::Totp, &id).await
}

/// Gives up an enrolment of any kind.
pub(super) async fn cancel(call: &OwnerCall, kind: Kind, id: &str) -> Answer {
    call.no_body()?;
    enrollment::cancel(&call.call, kind, method_id(id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
