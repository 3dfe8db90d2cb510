//! `/partner/webhooks`: where a client wants to be told. What it was told is in `deliveries.rs`.

use super::{
    caller::{Answer, json},
    openapi::{HookListing, Hooking, Peering, Rehooking, Unhooking},
    partner_caller::Partner,
    problem::Problem,
};
use crate::{
    actions::partner::webhooks::{self, Edit, New},
    crypto::webhook_secret::WebhookSecret,
    domain::{
        client::ClientScope::ManageWebhooks,
        egress::Egress,
        event::EventKind,
        id::WebhookId,
        webhook::{Description, Kinds, Webhook, WebhookUrl},
    },
};
use actix_web::{
    HttpResponse, delete, get,
    http::{StatusCode, header},
    patch, post,
    web::Path,
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A kind of event that partners are told of.
#[derive(ToSchema)]
#[schema(as = PartnerEventType, description = known_types(), pattern = r"^[a-z_]+\.[a-z_]+$", example = "two_factor.disabled")]
#[expect(dead_code, reason = "the schema of a domain type, which knows nothing of schemas")]
pub struct EventType(String);

/// What the document says of the kinds: their names, from the list that decides who is told.
fn known_types() -> String {
    let names = EventKind::FOR_PARTNERS.map(|kind| format!("`{}`", kind.name().unwrap_or_default()));
    let told = "A kind of event that partners are told of. The list is open: pass over what you do not know.";
    format!("{told} Known are {}.", names.join(", "))
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookBody {
    /// Its id.
    id: Uuid,
    /// Where it is.
    #[schema(max_length = 2048, example = "https://partner.example/hooks/two-factor")]
    url: String,
    /// What it is told; null for everything that partners are told, also what comes to that later.
    #[schema(required, value_type = Option<Vec<EventType>>)]
    kinds: Option<Vec<EventKind>>,
    /// What its client calls it.
    #[schema(required, max_length = 200)]
    description: Option<String>,
    /// Whether it is told anything.
    enabled: bool,
    /// When it was added.
    created_at: Timestamp,
    /// Since when it is told nothing; null while it is enabled.
    #[schema(required)]
    disabled_at: Option<Timestamp>,
    /// Why: its client asked for it, it answered 410, or it took nothing for three days.
    #[schema(required, value_type = Option<DisabledBecause>)]
    disabled_because: Option<&'static str>,
    /// Since when it has taken nothing, though it was told; null when it took what it was told last.
    #[schema(required)]
    failing_since: Option<Timestamp>,
    /// Until when the secret before the present one signs too; null when there was none.
    #[schema(required)]
    previous_secret_until: Option<Timestamp>,
}

/// Why a webhook is told nothing.
#[derive(ToSchema)]
#[schema(as = WebhookDisabledBecause, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a name")]
enum DisabledBecause {
    Asked,
    Gone,
    Failing,
}

impl From<Webhook> for WebhookBody {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id.0,
            url: webhook.url.as_str().to_owned(),
            kinds: webhook.kinds.named().map(<[EventKind]>::to_vec),
            description: webhook.description.map(|description| description.as_str().to_owned()),
            enabled: webhook.disabled.is_none(),
            created_at: webhook.created_at,
            disabled_at: webhook.disabled.map(|(at, _)| at),
            disabled_because: webhook.disabled.map(|(_, because)| because.as_str()),
            failing_since: webhook.failing_since,
            previous_secret_until: webhook.previous_until,
        }
    }
}

/// All webhooks of the client.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhooks)]
pub struct WebhooksBody {
    /// The webhooks, the oldest first.
    webhooks: Vec<WebhookBody>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhook)]
struct NewBody {
    /// An `https` address of a public host, at port 443, 8443 or one from 1024 on.
    #[schema(max_length = 2048, example = "https://partner.example/hooks/two-factor")]
    url: String,
    /// What it is to be told; everything that partners are told where nothing is said.
    #[schema(min_items = 1, value_type = Option<Vec<EventType>>)]
    kinds: Option<Vec<String>>,
    /// What to call it.
    #[schema(min_length = 1, max_length = 200)]
    description: Option<String>,
}

impl NewBody {
    fn parse(self, egress: Egress) -> Result<New, Problem> {
        Ok(New {
            url: WebhookUrl::parse(&self.url, egress, "/url")?,
            kinds: kinds(self.kinds.as_deref())?,
            description: description(self.description.as_deref())?,
        })
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEdit)]
struct EditBody {
    /// Another address.
    #[schema(max_length = 2048, nullable = false)]
    #[serde(default, deserialize_with = "present")]
    url: Option<String>,
    /// Other kinds; null for everything that partners are told.
    #[schema(min_items = 1, value_type = Option<Vec<EventType>>)]
    #[serde(default, deserialize_with = "present")]
    kinds: Option<Option<Vec<String>>>,
    /// Another description; null for none.
    #[schema(min_length = 1, max_length = 200, value_type = Option<String>)]
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
    /// Whether it is to be told anything. What was given up meanwhile stays so until it is replayed.
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
}

impl EditBody {
    fn parse(self, egress: Egress) -> Result<Edit, Problem> {
        Ok(Edit {
            url: self.url.map(|url| WebhookUrl::parse(&url, egress, "/url")).transpose()?,
            kinds: self.kinds.map(|names| kinds(names.as_deref())).transpose()?,
            description: self.description.map(|text| description(text.as_deref())).transpose()?,
            enabled: self.enabled,
        })
    }
}

/// A member that is there, and may be null only where its type says so.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

fn kinds(names: Option<&[String]>) -> Result<Kinds, Problem> {
    Ok(names.map_or(Ok(Kinds::ALL), |names| Kinds::parse(names, "/kinds"))?)
}

fn description(text: Option<&str>) -> Result<Option<Description>, Problem> {
    Ok(text.map(|text| Description::parse(text, "/description")).transpose()?)
}

/// A webhook, with its secret: shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedWebhook)]
pub struct AddedBody {
    /// The webhook.
    webhook: WebhookBody,
    /// What its messages are signed with (Standard Webhooks).
    #[schema(pattern = r"^whsec_[A-Za-z0-9+/]{43}=$", example = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    secret: String,
}

/// A new secret, shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = RotatedWebhookSecret)]
pub struct RotatedBody {
    /// What messages are signed with from now on.
    #[schema(pattern = r"^whsec_[A-Za-z0-9+/]{43}=$", example = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    secret: String,
    /// Until when the one before signs them too.
    previous_secret_until: Timestamp,
}

/// Adds a webhook.
///
/// Its secret is in this answer and nowhere else, which is why no idempotency key is read here: whoever has lost the
/// answer deletes the webhook, or rotates its secret. A client has ten webhooks at most.
#[utoipa::path(operation_id = "addWebhook", tag = "partner", security(("partner" = ["webhooks:manage"])),
    request_body = NewBody, responses((status = 201, description = "The webhook, and its secret once", body = AddedBody,
        headers(("Location" = String, description = "Where it is"))), Hooking))]
#[post("/partner/webhooks")]
pub async fn add_webhook(partner: Partner) -> Answer {
    let new = partner.command(ManageWebhooks, |body: NewBody| body.parse(partner.call.cx.egress)).await?;
    let (webhook, secret) = webhooks::add(&partner.call, new).await?;
    let place = format!("/partner/webhooks/{}", webhook.id);
    let mut response =
        json(StatusCode::CREATED, &AddedBody { webhook: webhook.into(), secret: WebhookSecret::reveal(&secret) });
    if let Ok(place) = header::HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Lists the client's webhooks.
#[utoipa::path(operation_id = "listWebhooks", tag = "partner", security(("partner" = ["webhooks:manage"])),
    responses((status = 200, description = "All of them", body = WebhooksBody), HookListing))]
#[get("/partner/webhooks")]
pub async fn list_webhooks(partner: Partner) -> Answer {
    let all = webhooks::all(&partner.call).await?;
    Ok(json(StatusCode::OK, &WebhooksBody { webhooks: all.into_iter().map(WebhookBody::from).collect() }))
}

/// Reads one webhook.
#[utoipa::path(operation_id = "getWebhook", tag = "partner", security(("partner" = ["webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = WebhookBody), Peering))]
#[get("/partner/webhooks/{id}")]
pub async fn get_webhook(partner: Partner, id: Path<String>) -> Answer {
    let webhook = webhooks::one(&partner.call, webhook_id(&id)).await?;
    Ok(json(StatusCode::OK, &WebhookBody::from(webhook)))
}

/// Changes a webhook. What waits for it goes to where it is by then.
#[utoipa::path(operation_id = "editWebhook", tag = "partner", security(("partner" = ["webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook")), request_body = EditBody,
    responses((status = 200, description = "The webhook", body = WebhookBody), Rehooking))]
#[patch("/partner/webhooks/{id}")]
pub async fn edit_webhook(partner: Partner, id: Path<String>) -> Answer {
    let edit = partner.command(ManageWebhooks, |body: EditBody| body.parse(partner.call.cx.egress)).await?;
    let webhook = webhooks::edit(&partner.call, webhook_id(&id), edit).await?;
    Ok(json(StatusCode::OK, &WebhookBody::from(webhook)))
}

/// Deletes a webhook; what waits for it is given up.
#[utoipa::path(operation_id = "deleteWebhook", tag = "partner", security(("partner" = ["webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 204, description = "It is gone"), Unhooking))]
#[delete("/partner/webhooks/{id}")]
pub async fn delete_webhook(partner: Partner, id: Path<String>) -> Answer {
    partner.no_body(ManageWebhooks).await?;
    webhooks::delete(&partner.call, webhook_id(&id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives a webhook another secret.
///
/// Messages are signed with both for a day, so that a receiver takes the new one into use without missing any. What
/// was before both counts no more.
#[utoipa::path(operation_id = "rotateWebhookSecret", tag = "partner", security(("partner" = ["webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "The secret, once", body = RotatedBody), Unhooking))]
#[post("/partner/webhooks/{id}/rotate-secret")]
pub async fn rotate_webhook_secret(partner: Partner, id: Path<String>) -> Answer {
    partner.no_body(ManageWebhooks).await?;
    let rotated = webhooks::rotate(&partner.call, webhook_id(&id)).await?;
    let body = RotatedBody { secret: rotated.secret.reveal(), previous_secret_until: rotated.previous_until };
    Ok(json(StatusCode::OK, &body))
}

/// An id that is none is nobody's: it is looked for like any other, in its turn, and not found.
pub(super) fn webhook_id(text: &str) -> WebhookId {
    text.parse().unwrap_or(WebhookId(Uuid::nil()))
}
