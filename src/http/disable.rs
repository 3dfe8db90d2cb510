//! `/account/security/2fa/disable`: the job that this service is for, and what it would do.

use super::{
    auth::TokensBody,
    body::{self, both},
    caller::{Answer, OwnerCall, Render, json, versioned},
    language,
    openapi::{Disabling, Previewing},
    problem::Problem,
    shapes::{MethodType, OneTimeCode, ProofName, RecoveryCodeInput},
    status_body::proofs,
};
use crate::{
    actions::two_factor::disable::{self, Counts, Disable, Disabled, Preview, Reason},
    domain::{account::Locale, method::Kind},
};
use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
    post,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// What protected the account until then, the strongest first.
    #[schema(value_type = Vec<MethodType>)]
    ended: Vec<&'static str>,
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
            ended: self.ended.iter().map(|kind| kind.as_str()).collect(),
            message: message(&self.ended, locale),
            revoked: self.revoked.into(),
            reminder_at: self.reminder_at,
            tokens: self.tokens.map(TokensBody::from),
        };
        let mut response = versioned(StatusCode::OK, self.version, &body);
        response.headers_mut().insert(header::CONTENT_LANGUAGE, header::HeaderValue::from_static(locale.tag()));
        response
    }
}

/// Says which protection ended; of several, that it was more than one.
fn message(ended: &[Kind], locale: Locale) -> String {
    let name = match ended {
        // An answer that is shown again from a time when there was nothing else.
        [] | [Kind::Totp] => "disabled-message",
        [Kind::Passkey] => "disabled-message-passkey",
        [Kind::Sms] => "disabled-message-sms",
        [Kind::Email] => "disabled-message-email",
        _ => "disabled-message-several",
    };
    language::text(locale, name)
}

/// Switches two-factor authentication off.
///
/// Every method and recovery code is removed, all other sessions end, older access tokens are refused,
/// and the account signs in by password alone.
#[utoipa::path(operation_id = "disableTwoFactor", tag = "two-factor", security(("bearer" = [])),
    request_body = DisableBody,
    responses((status = 200, description = "It is off", body = DisabledBody,
        headers(("ETag" = String, description = "The version"))), Disabling))]
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
    /// Null: where the policy forbids it, the preview answers 403 as the disable does.
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
            proofs: proofs(preview.fresh_until, preview.has_app),
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
