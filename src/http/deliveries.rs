//! `/partner/webhooks/{id}/deliveries`: what a webhook was told, and telling it again.

use super::{
    caller::{Answer, json},
    openapi::{HookLog, Replaying},
    partner_caller::Partner,
    problem::{Code, Problem},
    webhooks::{EventType, webhook_id},
};
use crate::{
    actions::partner::deliveries::{self, Page},
    domain::{client::ClientScope::ManageWebhooks, delivery::State, event::EventKind},
    store::delivery_log::Entry,
};
use actix_web::{
    HttpRequest, HttpResponse, get,
    http::StatusCode,
    post,
    web::{Path, Query},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const PAGE_DEFAULT: u8 = 20;
const PAGE_MAX: u8 = 100;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,18}$")]
    cursor: Option<i64>,
    /// Deliveries on the page; 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u8>,
    /// Those in one state alone.
    #[param(value_type = Option<DeliveryState>, inline)]
    state: Option<String>,
}

/// What has become of a delivery: it is to be made, or made again; it was taken; it was given up.
#[derive(ToSchema)]
#[schema(as = DeliveryState, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a name")]
enum DeliveryState {
    Waiting,
    Delivered,
    Dead,
}

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
#[schema(as = Deliveries)]
pub struct DeliveriesBody {
    /// The deliveries, newest first.
    deliveries: Vec<DeliveryBody>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// A delivery to a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryBody {
    /// Its number, for `replay`.
    #[schema(minimum = 1)]
    n: i64,
    /// The event's id, in `webhook-id` of every attempt.
    event_id: Uuid,
    /// What happened.
    #[schema(value_type = EventType)]
    r#type: EventKind,
    /// What has become of it.
    #[schema(value_type = DeliveryState)]
    state: &'static str,
    /// Attempts since it was made, or asked for again.
    #[schema(minimum = 0)]
    attempts: i64,
    /// When it was made.
    created_at: Timestamp,
    /// When the next attempt is due; null unless it waits.
    #[schema(required)]
    next_attempt_at: Option<Timestamp>,
    /// When it was taken or given up; null while it waits.
    #[schema(required)]
    ended_at: Option<Timestamp>,
    /// The status of the last answer; null when there was none.
    #[schema(required, minimum = 100, maximum = 999)]
    status: Option<i64>,
    /// What went wrong at the last attempt.
    #[schema(required, max_length = 200)]
    error: Option<String>,
}

impl From<Entry> for DeliveryBody {
    fn from(entry: Entry) -> Self {
        Self {
            n: entry.n,
            event_id: entry.event.0,
            r#type: entry.kind,
            state: entry.state.as_str(),
            attempts: entry.attempts,
            created_at: entry.created_at,
            next_attempt_at: entry.next_attempt_at,
            ended_at: entry.ended_at,
            status: entry.status,
            error: entry.error,
        }
    }
}

impl From<Page> for DeliveriesBody {
    fn from(page: Page) -> Self {
        let next_cursor = page.next_cursor.map(|n| n.to_string());
        Self { deliveries: page.entries.into_iter().map(DeliveryBody::from).collect(), next_cursor }
    }
}

/// Reads what a webhook was sent in the last 30 days, newest first.
#[utoipa::path(operation_id = "listWebhookDeliveries", tag = "partner", security(("partner" = ["webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook"), DeliveriesQuery),
    responses((status = 200, description = "A page of deliveries", body = DeliveriesBody), HookLog))]
#[get("/partner/webhooks/{id}/deliveries")]
pub async fn list_webhook_deliveries(partner: Partner, id: Path<String>, request: HttpRequest) -> Answer {
    let malformed = || Problem::from(Code::MalformedRequest);
    let query = Query::<DeliveriesQuery>::from_query(request.query_string()).map_err(|_| malformed())?;
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    let state = query.state.as_deref().map(str::parse::<State>).transpose().map_err(|_| malformed())?;
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(malformed());
    }
    let page = deliveries::deliveries(&partner.call, webhook_id(&id), query.cursor, state, limit).await?;
    Ok(json(StatusCode::OK, &DeliveriesBody::from(page)))
}

/// Makes a delivery again, whether it was taken or given up, or now, where it waits; under the same `webhook-id`.
///
/// One that was taken or given up begins anew, with no attempts. One that waits keeps its attempts and is due at once; if
/// it fails, the pauses go on from there. Where it is due within 90 seconds anyway it stays as it is, since an attempt may
/// be under way. A webhook that fails, or has asked for time, is left alone all the same until it is its turn.
#[utoipa::path(operation_id = "replayWebhookDelivery", tag = "partner", security(("partner" = ["webhooks:manage"])),
    params(("id" = Uuid, Path, description = "The webhook"),
        ("n" = i64, Path, description = "The delivery", minimum = 1)),
    responses((status = 202, description = "It will be made"), Replaying))]
#[post("/partner/webhooks/{id}/deliveries/{n}/replay")]
pub async fn replay_webhook_delivery(partner: Partner, path: Path<(String, String)>) -> Answer {
    partner.no_body(ManageWebhooks).await?;
    let (id, n) = path.into_inner();
    // A number that is none is nobody's.
    deliveries::replay(&partner.call, webhook_id(&id), n.parse().unwrap_or_default()).await?;
    Ok(HttpResponse::Accepted().finish())
}
