//! `/account`: the Account Security tab, its log, its sessions, and the password.

use super::{
    auth::{AcrBody, TokensBody},
    body::{self, both},
    caller::{Answer, OwnerCall, Render, json, versioned},
    openapi::{Changing, Listing, Proving, Reading},
    problem::{Code, Problem},
    shapes::{OneTimeCode, RecoveryCodeInput},
    status_body::StatusBody,
};
use crate::{
    actions::account::{
        events::{self, Page},
        overview,
        password::{self, ChangePassword, Changed},
        sessions::{self, Ended},
    },
    domain::{
        assurance::Acr,
        event::{EventKind, Recorded},
        id::{AccountId, SessionId},
        password::Password,
        session::Session,
    },
};
use actix_web::{
    HttpRequest, HttpResponse, delete, get,
    guard::GuardContext,
    http::StatusCode,
    post,
    web::{Path, Query},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const PAGE_DEFAULT: u8 = 20;
const PAGE_MAX: u8 = 100;

/// The Account Security tab.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountSecurity)]
pub struct OverviewBody {
    /// The account's address.
    #[schema(max_length = 254, pattern = r"^\S+@\S+$")]
    email: String,
    /// When the password was last set.
    password_changed_at: Timestamp,
    /// How two-factor authentication stands.
    two_factor: StatusBody,
    /// Sessions that are alive.
    sessions: usize,
}

/// Reads the Account Security tab.
#[utoipa::path(operation_id = "getAccountSecurity", tag = "account", security(("bearer" = [])),
    responses((status = 200, description = "The tab", body = OverviewBody,
        headers(("ETag" = String, description = "The version"))), Reading))]
#[get("/account/security")]
pub async fn get_overview(call: OwnerCall) -> Answer {
    let overview = overview::overview(&call.call).await?;
    let body = OverviewBody {
        email: overview.email.as_str().to_owned(),
        password_changed_at: overview.password_changed_at,
        two_factor: StatusBody::new(&overview.two_factor, &call),
        sessions: overview.sessions,
    };
    Ok(versioned(StatusCode::OK, overview.two_factor.version, &body))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,18}$")]
    cursor: Option<i64>,
    /// Events on the page; 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u8>,
}

impl PageQuery {
    /// Where the page begins, and how many events are on it.
    ///
    /// # Errors
    /// `malformed-request`.
    pub fn read(request: &HttpRequest) -> Result<(Option<i64>, u8), Problem> {
        let query = Query::<Self>::from_query(request.query_string()).map_err(|_| Code::MalformedRequest)?;
        let limit = query.limit.unwrap_or(PAGE_DEFAULT);
        let fits = (1..=PAGE_MAX).contains(&limit);
        fits.then_some((query.cursor, limit)).ok_or(Problem::Http(Code::MalformedRequest))
    }
}

/// A page of the security log.
#[derive(Serialize, ToSchema)]
#[schema(as = Events)]
pub struct EventsBody {
    /// The events, newest first.
    events: Vec<EventBody>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Something that happened to the account.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventBody {
    /// Its id.
    id: Uuid,
    /// What happened. The list is open: pass over what you do not know. Known are `enrollment.started`,
    /// `enrollment.cancelled`, `enrollment.failed`, `two_factor.enabled`, `two_factor.disabled`,
    /// `two_factor.replaced`, `two_factor.reset_by_support`, `method.added`, `method.removed`,
    /// `method.renamed`, `recovery_codes.regenerated`, `recovery_code.used`, `login.succeeded`,
    /// `login.second_factor_failed`, `reauthentication.failed`, `session.revoked`, `password.changed`,
    /// `bypass_code.issued`, `bypass_code.used`, `two_factor.reset_by_operator`, `account.imported`,
    /// `account.suspended`, `account.resumed`, `account.unlocked`, `scope.granted`, `scope.revoked`,
    /// `two_factor.required`,
    /// `two_factor.released`, `device.remembered`, `device.revoked`, `device.token_reused`,
    /// `partner.allowed`, `partner.refused`, `partner.verified`, `two_factor.restored`, `two_factor.reminded`,
    /// `reminders.stopped`, `account.provisioned`, `account.deleted`, `email.changed`,
    /// `passkey.counter_went_back`.
    #[schema(value_type = String, pattern = r"^[a-z_]+\.[a-z_]+$", example = "two_factor.disabled")]
    r#type: EventKind,
    /// When.
    at: Timestamp,
    /// The client's address.
    ip: String,
    /// The client's user agent.
    user_agent: String,
    /// In which session.
    #[schema(required)]
    session_id: Option<Uuid>,
    /// Who did it.
    actor: ActorBody,
    /// By which request.
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9._-]+$")]
    request_id: String,
    /// What else is worth knowing.
    #[schema(value_type = BTreeMap<String, Value>)]
    details: Map<String, Value>,
}

/// Who can do something to an account.
#[derive(ToSchema)]
#[schema(as = ActorKind, rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of a name")]
enum ActorKind {
    Owner,
    Support,
    Partner,
    System,
}

/// Who did something.
#[derive(Serialize, ToSchema)]
#[schema(as = Actor)]
pub struct ActorBody {
    /// Who it was.
    #[schema(value_type = ActorKind)]
    kind: String,
    /// The actor's id, where it has one.
    #[schema(required)]
    id: Option<String>,
}

impl EventsBody {
    /// A page of the log of `owner`.
    pub fn new(page: Page, owner: AccountId) -> Self {
        let owner = owner.to_string();
        let events = page.events.into_iter().map(|event| EventBody::new(event, &owner)).collect();
        Self { events, next_cursor: page.next_cursor.map(|place| place.to_string()) }
    }
}

impl EventBody {
    fn new(event: Recorded, owner: &str) -> Self {
        let id = event.actor_id.or_else(|| (event.actor_kind == "owner").then(|| owner.to_owned()));
        Self {
            id: event.id.0,
            r#type: event.kind,
            at: event.at,
            ip: event.ip,
            user_agent: event.user_agent,
            session_id: event.session.map(|session| session.0),
            actor: ActorBody { kind: event.actor_kind, id },
            request_id: event.request_id,
            details: event.details,
        }
    }
}

/// Reads the security log, newest first.
#[utoipa::path(operation_id = "listEvents", tag = "account", security(("bearer" = [])), params(PageQuery),
    responses((status = 200, description = "A page of the log", body = EventsBody), Listing))]
#[get("/account/security/events")]
pub async fn list_events(call: OwnerCall, request: HttpRequest) -> Answer {
    let (cursor, limit) = PageQuery::read(&request)?;
    let page = events::events(&call.call, cursor, limit).await?;
    Ok(json(StatusCode::OK, &EventsBody::new(page, call.call.holder.account)))
}

/// The sessions that are alive.
#[derive(Serialize, ToSchema)]
#[schema(as = Sessions)]
pub struct SessionsBody {
    /// The sessions, newest first.
    sessions: Vec<SessionBody>,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    /// Its id.
    id: Uuid,
    /// Whether it is the caller's own.
    current: bool,
    /// When it began.
    created_at: Timestamp,
    /// When its tokens were last issued.
    last_seen_at: Timestamp,
    /// The address that it began from.
    ip: String,
    /// The user agent that it began with.
    user_agent: String,
    /// What its owner has proved.
    #[schema(value_type = AcrBody)]
    acr: Acr,
}

impl SessionBody {
    fn new(session: &Session, current: SessionId) -> Self {
        Self {
            id: session.id.0,
            current: session.id == current,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            ip: session.ip.clone(),
            user_agent: session.user_agent.clone(),
            acr: session.assurance.acr,
        }
    }
}

/// Lists the sessions that are alive.
#[utoipa::path(operation_id = "listSessions", tag = "account", security(("bearer" = [])),
    responses((status = 200, description = "The sessions", body = SessionsBody), Reading))]
#[get("/account/security/sessions")]
pub async fn list_sessions(call: OwnerCall) -> Answer {
    let current = call.call.holder.session;
    let sessions = sessions::list(&call.call).await?;
    let sessions = sessions.iter().map(|session| SessionBody::new(session, current)).collect();
    Ok(json(StatusCode::OK, &SessionsBody { sessions }))
}

/// `end-others` is a path of its own, which has no `DELETE`.
fn names_a_session(request: &GuardContext<'_>) -> bool {
    !request.head().uri.path().ends_with("/end-others")
}

/// Ends a session.
#[utoipa::path(operation_id = "endSession", tag = "account", security(("bearer" = [])),
    params(("sid" = Uuid, Path, description = "The session")),
    responses((status = 204, description = "It has ended"), Changing))]
#[delete("/account/security/sessions/{sid}", guard = "names_a_session")]
pub async fn end_session(call: OwnerCall, sid: Path<String>) -> Answer {
    call.no_body()?;
    sessions::end(&call.call, sid.parse().unwrap_or(SessionId(Uuid::nil()))).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
#[schema(as = EndedSessions)]
pub struct EndedBody {
    /// The number.
    ended: usize,
}

impl Render for Ended {
    fn render(self, _: &OwnerCall) -> HttpResponse {
        json(StatusCode::OK, &EndedBody { ended: self.ended })
    }
}

/// Ends every session but the caller's.
#[utoipa::path(operation_id = "endOtherSessions", tag = "account", security(("bearer" = [])),
    responses((status = 200, description = "They have ended", body = EndedBody), Changing))]
#[post("/account/security/sessions/end-others")]
pub async fn end_other_sessions(call: OwnerCall) -> Answer {
    call.change_without_body(sessions::end_others).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangePasswordRequest)]
struct ChangePasswordBody {
    /// The password as it is.
    #[schema(min_length = 1, max_length = 71, pattern = r"^[^\u0000]*$", format = Password)]
    current_password: String,
    /// The password as it is to be: 8 to 71 bytes of UTF-8.
    #[schema(min_length = 2, max_length = 71, pattern = r"^[^\u0000]*$", format = Password)]
    new_password: String,
    /// A code of an active authenticator, where the token does not vouch for the second factor.
    #[schema(value_type = Option<OneTimeCode>)]
    code: Option<String>,
    /// A recovery code, instead of a code.
    #[schema(value_type = Option<RecoveryCodeInput>)]
    recovery_code: Option<String>,
}

impl ChangePasswordBody {
    fn parse(self) -> Result<ChangePassword, Problem> {
        let proofs = body::proofs(self.current_password, "/current_password", self.code, self.recovery_code)?;
        let (proofs, new) = both(proofs, Password::chosen(self.new_password, "/new_password"))?;
        Ok(ChangePassword { proofs, new })
    }
}

impl Render for Changed {
    fn render(self, _: &OwnerCall) -> HttpResponse {
        match self.tokens {
            Some(tokens) => json(StatusCode::OK, &TokensBody::from(tokens)),
            None => HttpResponse::NoContent().finish(),
        }
    }
}

/// Changes the password. All other sessions end; two-factor authentication stays as it is.
#[utoipa::path(operation_id = "changePassword", tag = "account", security(("bearer" = [])),
    request_body = ChangePasswordBody,
    responses((status = 200, description = "A fresh pair", body = TokensBody),
        (status = 204, description = "Changed, for a token of the portal's own issuer"), Proving))]
#[post("/account/password")]
pub async fn change_password(call: OwnerCall) -> Answer {
    call.change(ChangePasswordBody::parse, password::change).await
}
