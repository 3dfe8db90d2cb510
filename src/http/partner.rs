//! `/partner`: what partners' programs see and do. Whose account it is about stands in the path.

use super::{
    auth::AcrBody,
    caller::{Answer, json},
    openapi::{Peering, Vouching},
    partner_caller::Partner,
    problem::Problem,
    shapes::{MethodType, OneTimeCode},
};
use crate::{
    actions::partner::{
        standing::{self, Standing},
        verify::{self, Verified, Verify},
    },
    domain::{client::ClientScope, id::AccountId, totp::Code},
};
use actix_web::{get, http::StatusCode, post, web::Path};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How an account is protected.
#[derive(Serialize, ToSchema)]
#[schema(as = PartnerStatus)]
pub struct StandingBody {
    /// Whether a second factor is asked for.
    protected: bool,
    /// Since when; null while none is.
    #[schema(required)]
    since: Option<Timestamp>,
    /// What a sign-in to the account proves now.
    #[schema(value_type = AcrBody)]
    assurance: &'static str,
    /// Until when to hold back what cannot be undone, such as a payout, since the protection was lowered; null when
    /// nothing is held.
    #[schema(required)]
    restricted_until: Option<Timestamp>,
}

impl From<Standing> for StandingBody {
    fn from(standing: Standing) -> Self {
        let Standing { since, restricted_until } = standing;
        let protected = since.is_some();
        Self { protected, since, assurance: if protected { "aal2" } else { "aal1" }, restricted_until }
    }
}

/// Reads whether an account is protected.
///
/// An account that the client does not see, and one that is suspended, is not found.
#[utoipa::path(operation_id = "getPartnerAccountStatus", tag = "partner", security(("partner" = ["2fa:read"])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "How it is protected", body = StandingBody), Peering))]
#[get("/partner/accounts/{id}/2fa")]
pub async fn get_partner_account_status(partner: Partner, id: Path<String>) -> Answer {
    let standing = standing::standing(&partner.call, account_id(&id)).await?;
    Ok(json(StatusCode::OK, &StandingBody::from(standing)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PartnerVerifyRequest)]
struct VerifyBody {
    /// A code of an active authenticator of the account.
    #[schema(value_type = OneTimeCode)]
    code: String,
}

/// The code was right, and is used up.
#[derive(Serialize, ToSchema)]
#[schema(as = PartnerVerified)]
struct VerifiedBody {
    /// Always true.
    #[schema(value_type = bool, example = true)]
    verified: bool,
    /// When it was judged.
    at: Timestamp,
    /// What the owner proved it with.
    #[schema(value_type = MethodType)]
    method: &'static str,
}

impl From<Verified> for VerifiedBody {
    fn from(verified: Verified) -> Self {
        Self { verified: true, at: verified.at, method: "totp" }
    }
}

/// Has a code of an account's owner judged, such as before a risky order.
///
/// A right code is used up, for sign-ins too; a wrong one counts as any wrong code does. It changes nothing of the
/// owner's sessions.
#[utoipa::path(operation_id = "verifyForPartner", tag = "partner", security(("partner" = ["2fa:verify"])),
    params(("id" = Uuid, Path, description = "The account")), request_body = VerifyBody,
    responses((status = 200, description = "It was right", body = VerifiedBody), Vouching))]
#[post("/partner/accounts/{id}/2fa/verify")]
pub async fn verify_for_partner(partner: Partner, id: Path<String>) -> Answer {
    let account = account_id(&id);
    let parse = |body: VerifyBody| -> Result<Verify, Problem> {
        Ok(Verify { account, code: Code::parse(&body.code, "/code")? })
    };
    partner.change::<_, _, _, VerifiedBody>((ClientScope::VerifyTwoFactor, account), parse, verify::verify).await
}

/// An id that is none is nobody's: it is looked for like any other, in its turn, and not found.
fn account_id(text: &str) -> AccountId {
    text.parse().unwrap_or(AccountId(Uuid::nil()))
}
