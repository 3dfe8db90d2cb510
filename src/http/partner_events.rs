//! `/partner/events`: what happened to the accounts that a partner sees, for its program to ask again and again.

use super::{
    account::PageQuery,
    caller::{Answer, json},
    openapi::Following,
    partner_caller::Partner,
    webhooks::EventType,
};
use crate::{
    actions::partner::{entrance, events},
    domain::{announcement::Announcement, client::ClientScope, event::EventKind},
};
use actix_web::{HttpRequest, get, http::StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A page of what happened.
#[derive(Serialize, ToSchema)]
#[schema(as = PartnerEvents)]
pub struct FeedBody {
    /// The events, in the order in which they came to be known; those of one account in the order of `seq`.
    events: Vec<FeedEventBody>,
    /// What to ask with next, also where there was nothing: a page may be empty though another one is not.
    #[schema(pattern = "^[0-9]{1,18}$", example = "41")]
    next_cursor: String,
}

/// Something that happened to an account.
#[derive(Serialize, ToSchema)]
#[schema(as = PartnerEvent)]
pub struct FeedEventBody {
    /// Its id: the same wherever it is told.
    id: Uuid,
    /// What happened.
    #[schema(value_type = EventType)]
    r#type: EventKind,
    /// When.
    at: Timestamp,
    /// To which account.
    account_id: Uuid,
    /// Its place among the events of its account, of which some are not told.
    seq: i64,
    /// Whether a second factor is asked for from then on.
    protected: bool,
    /// Until when to hold back what cannot be undone; null when nothing is held.
    #[schema(required)]
    restricted_until: Option<Timestamp>,
}

impl From<Announcement> for FeedEventBody {
    fn from(announcement: Announcement) -> Self {
        let Announcement { id, account, kind, at, seq, facts, .. } = announcement;
        Self {
            id: id.0,
            r#type: kind,
            at,
            account_id: account.0,
            seq,
            protected: facts.protected,
            restricted_until: facts.restricted_until,
        }
    }
}

/// Reads what happened to the accounts that the client sees, the oldest first.
///
/// Without a cursor it begins with the oldest that is kept, which is 30 days old. Ask again with `next_cursor`; nothing
/// is told twice, and nothing is left out. An account shows from the moment on that the client sees it, with what
/// happened before. `partner.allowed` and `partner.refused` say that the client sees an account, or sees it no more:
/// what happened between them may lie before the cursor, so ask for the account's status after `partner.allowed`.
#[utoipa::path(operation_id = "listPartnerEvents", tag = "partner", security(("partner" = ["events:read"])),
    params(PageQuery), responses((status = 200, description = "A page", body = FeedBody), Following))]
#[get("/partner/events")]
pub async fn list_partner_events(partner: Partner, request: HttpRequest) -> Answer {
    entrance::may(&partner.call, ClientScope::ReadEvents).await?;
    let (cursor, limit) = PageQuery::read(&request)?;
    let page = events::events(&partner.call, cursor, limit).await?;
    let events = page.announcements.into_iter().map(FeedEventBody::from).collect();
    Ok(json(StatusCode::OK, &FeedBody { events, next_cursor: page.next.to_string() }))
}
