//! `/partner`: what partners' programs see and do. Whose account it is about stands in the path.

use super::{
    auth::AcrBody,
    body::both,
    caller::{Answer, json},
    openapi::{Peering, Provisioning, Vouching},
    partner_caller::Partner,
    problem::Problem,
    shapes::{MethodType, OneTimeCode},
};
use crate::{
    actions::partner::{
        entrance,
        provision::{self, Provision, Provisioned},
        standing::{self, Standing},
        verify::{self, Verified, Verify},
    },
    crypto::password,
    domain::{
        account::{Email, Locale, Subject},
        client::ClientScope,
        id::AccountId,
        refusal::{Refusal, Rule},
        secret::Secret,
        totp::Code,
    },
};
use actix_web::{get, http::StatusCode, post, put, web::Path};
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
    /// What a sign-in to the account proves now, unless it is from a device that is remembered.
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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProvisionRequest)]
struct ProvisionBody {
    /// The address that the account signs in with.
    #[schema(max_length = 254, pattern = r"^\S+@\S+$")]
    email: String,
    /// The bcrypt hash of its password, which a new account must have. One that was sent before changes nothing, though
    /// the owner may have set another password since.
    #[schema(pattern = r"^\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$")]
    password_hash: Option<String>,
    /// The language that its owner reads.
    #[schema(pattern = "^(en|ms|zh-Hans)$")]
    locale: Option<String>,
    /// Its name at the portal's own identity provider: `sub` of its tokens. One that takes another's place, or is set
    /// while two-factor authentication is on, ends the account's sessions.
    #[schema(min_length = 1, max_length = 255, pattern = "^[ -~]+$")]
    subject: Option<String>,
}

impl ProvisionBody {
    fn about(self, id: AccountId) -> Result<Provision, Refusal> {
        let hash = self.password_hash.map(|hash| {
            let is_fit = password::is_acceptable(&hash) && !password::is_nobody(&hash);
            is_fit.then(|| Secret::new(hash)).ok_or_else(|| Rule::PasswordHash.at("/password_hash"))
        });
        let locale = self.locale.map(|tag| tag.parse::<Locale>().map_err(|_| Rule::Locale.at("/locale")));
        let subject = self.subject.map(|subject| Subject::parse(&subject, "/subject"));
        let names = both(Email::parse(&self.email, "/email"), subject.transpose());
        let ((email, subject), (password_hash, locale)) = both(names, both(hash.transpose(), locale.transpose()))?;
        Ok(Provision { id, email, password_hash, locale, subject })
    }
}

/// What became of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Provisioned)]
struct ProvisionedBody {
    /// The account.
    id: Uuid,
    /// `created`, `updated`, or `unchanged` where everything was so already.
    #[schema(value_type = String, pattern = "^(created|updated|unchanged)$")]
    result: &'static str,
}

/// Adds an account of the portal's user base under an id of the portal's choosing, or changes it.
///
/// What is left out stays as it is, and the same request once more changes nothing. A changed password ends the
/// account's sessions; of a changed address the owner is told at the old one. The client sees the accounts that it
/// added.
///
/// A subject that takes another's place, or the first one of an account with two-factor authentication on, ends the
/// account's sessions too, and partners are asked to hold back; the owner is told. What the portal's tokens say of a
/// second factor (`acr`) then counts for nothing, until a method of the account was proved in a session of the portal's.
#[utoipa::path(operation_id = "provisionAccount", tag = "partner", security(("partner" = ["accounts:provision"])),
    params(("id" = Uuid, Path, description = "The account, by an id that the portal chose; any UUID but the empty one")),
    request_body = ProvisionBody,
    responses((status = 200, description = "It was there", body = ProvisionedBody),
        (status = 201, description = "It was added", body = ProvisionedBody), Provisioning))]
#[put("/partner/accounts/{id}")]
pub async fn provision_account(partner: Partner, id: Path<String>) -> Answer {
    let id = account_id(&id);
    entrance::may(&partner.call, ClientScope::ProvisionAccounts).await?;
    let wanted = partner.body::<ProvisionBody>()?.about(id)?;
    let (status, result) = match provision::provision(&partner.call, wanted).await? {
        Provisioned::Created => (StatusCode::CREATED, "created"),
        Provisioned::Updated => (StatusCode::OK, "updated"),
        Provisioned::Unchanged => (StatusCode::OK, "unchanged"),
    };
    Ok(json(status, &ProvisionedBody { id: id.0, result }))
}

/// An id that is none is nobody's: it is looked for like any other, in its turn, and not found.
fn account_id(text: &str) -> AccountId {
    text.parse().unwrap_or(AccountId(Uuid::nil()))
}
