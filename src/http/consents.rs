//! `/account/security/partners`: which partners may see the owner's account.

use super::{
    caller::{Answer, OwnerCall, json},
    openapi::{Consenting, Reading, Withdrawing},
};
use crate::{
    actions::account::partners::{self, Onlooker},
    domain::id::ClientId,
};
use actix_web::{HttpResponse, delete, get, http::StatusCode, put, web::Path};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The partners that may see the account.
#[derive(Serialize, ToSchema)]
#[schema(as = Partners)]
pub struct PartnersBody {
    /// The partners, the oldest first.
    partners: Vec<PartnerBody>,
}

/// A partner that may see whether the account is protected.
#[derive(Serialize, ToSchema)]
#[schema(as = Partner)]
pub struct PartnerBody {
    /// The id of its client.
    id: Uuid,
    /// Whose program it is.
    #[schema(max_length = 100)]
    name: String,
    /// What it may do.
    #[schema(value_type = Vec<ClientScopeName>)]
    scopes: Vec<&'static str>,
    /// Since when.
    since: Timestamp,
    /// Who said so.
    #[schema(value_type = GrantorName)]
    by: &'static str,
    /// Whether the owner can take it back.
    can_withdraw: bool,
}

/// Something that a partner's client may do.
#[derive(ToSchema)]
#[schema(as = ClientScope)]
#[expect(dead_code, reason = "the schema of a list of names")]
pub enum ClientScopeName {
    #[schema(rename = "2fa:read")]
    ReadTwoFactor,
    #[schema(rename = "2fa:verify")]
    VerifyTwoFactor,
    #[schema(rename = "events:read")]
    ReadEvents,
    #[schema(rename = "webhooks:manage")]
    ManageWebhooks,
    #[schema(rename = "accounts:provision")]
    ProvisionAccounts,
}

/// Who let a partner see an account.
#[derive(ToSchema)]
#[schema(as = Grantor, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a list of names")]
enum GrantorName {
    Owner,
    Operator,
    Provisioning,
}

impl From<Onlooker> for PartnerBody {
    fn from(onlooker: Onlooker) -> Self {
        let Onlooker { client, since, by, can_withdraw } = onlooker;
        Self {
            id: client.id.0,
            name: client.name.as_str().to_owned(),
            scopes: client.scopes.iter().map(|scope| scope.as_str()).collect(),
            since,
            by: by.as_str(),
            can_withdraw,
        }
    }
}

/// Lists the partners that may see the account.
#[utoipa::path(operation_id = "listPartners", tag = "account", security(("bearer" = [])),
    responses((status = 200, description = "The partners", body = PartnersBody), Reading))]
#[get("/account/security/partners")]
pub async fn list_partners(call: OwnerCall) -> Answer {
    let partners = partners::list(&call.call).await?.into_iter().map(PartnerBody::from).collect();
    Ok(json(StatusCode::OK, &PartnersBody { partners }))
}

/// Lets a partner see the account; one that may see it already still may.
#[utoipa::path(operation_id = "allowPartner", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The partner's client")),
    responses((status = 204, description = "It may see the account"), Consenting))]
#[put("/account/security/partners/{id}")]
pub async fn allow_partner(call: OwnerCall, id: Path<String>) -> Answer {
    call.no_body()?;
    partners::allow(&call.call, client_id(&id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lets a partner see the account no more, from its next request on.
#[utoipa::path(operation_id = "refusePartner", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The partner's client")),
    responses((status = 204, description = "It may not"), Withdrawing))]
#[delete("/account/security/partners/{id}")]
pub async fn refuse_partner(call: OwnerCall, id: Path<String>) -> Answer {
    call.no_body()?;
    partners::refuse(&call.call, client_id(&id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An id that is none is nobody's: it is looked for like any other, in its turn, and not found.
fn client_id(text: &str) -> ClientId {
    text.parse().unwrap_or(ClientId(Uuid::nil()))
}
