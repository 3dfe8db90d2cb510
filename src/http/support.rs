//! `/support`: what the support desk sees and does. Whose account it is about stands in the path.

use super::{
    account::{EventsBody, PageQuery},
    body::both,
    caller::{Answer, OwnerCall, Render, json, versioned},
    disable::DisabledBody,
    openapi::{Finding, Helping, Overseeing, OverseeingList, Unlocking},
    problem::{Code, Problem},
    shapes::RecoveryCode,
    status_body::AccountStatusBody,
};
use crate::{
    actions::support::{
        bypass_code::{self, Issued},
        desk::Command,
        events, look, reset,
        unlock::{self, Unlocked},
    },
    domain::{
        account::{Email, Remark},
        agent::{Cause, Ticket},
        id::AccountId,
        refusal::Refusal,
    },
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

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EmailQuery {
    /// The address; a `+` in it is written `%2B`.
    #[param(max_length = 254, example = "alice@example.test")]
    email: String,
}

/// An account, as far as support needs to know it.
#[derive(Serialize, ToSchema)]
#[schema(as = SupportedAccount)]
pub struct FoundBody {
    /// Its id, for the other calls.
    id: Uuid,
    /// Its address.
    #[schema(max_length = 254, pattern = r"^\S+@\S+$")]
    email: String,
    /// How its two-factor authentication stands.
    two_factor: AccountStatusBody,
}

/// Finds the account with an address.
#[utoipa::path(operation_id = "findAccount", tag = "support", security(("bearer" = [])), params(EmailQuery),
    responses((status = 200, description = "The account", body = FoundBody,
        headers(("ETag" = String, description = "The version"))), Finding))]
#[get("/support/accounts")]
pub async fn find_account(call: OwnerCall, request: HttpRequest) -> Answer {
    let query = Query::<EmailQuery>::from_query(request.query_string()).map_err(|_| Code::MalformedRequest)?;
    let found = look::find(&call.call, Email::parse(&query.email, "/email")?).await?;
    let two_factor = AccountStatusBody::new(&found.two_factor, &call);
    let body = FoundBody { id: found.id.0, email: found.email.as_str().to_owned(), two_factor };
    Ok(versioned(StatusCode::OK, found.two_factor.version, &body))
}

/// Reads how an account's two-factor authentication stands.
#[utoipa::path(operation_id = "getAccountStatus", tag = "support", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "How it stands", body = AccountStatusBody,
        headers(("ETag" = String, description = "The version"))), Overseeing))]
#[get("/support/accounts/{id}/2fa")]
pub async fn get_account_status(call: OwnerCall, id: Path<String>) -> Answer {
    let status = look::status(&call.call, account_id(&id)).await?;
    Ok(versioned(StatusCode::OK, status.version, &AccountStatusBody::new(&status, &call)))
}

/// Reads an account's security log, newest first.
#[utoipa::path(operation_id = "listAccountEvents", tag = "support", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account"), PageQuery),
    responses((status = 200, description = "A page of the log", body = EventsBody), OverseeingList))]
#[get("/support/accounts/{id}/events")]
pub async fn list_account_events(call: OwnerCall, id: Path<String>, request: HttpRequest) -> Answer {
    let (cursor, limit) = PageQuery::read(&request)?;
    let account = account_id(&id);
    let page = events::events(&call.call, account, cursor, limit).await?;
    Ok(json(StatusCode::OK, &EventsBody::new(page, account)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SupportRequest)]
struct CauseBody {
    /// Why, in the agent's words. The owner reads it in the security log.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    reason: String,
    /// The ticket that it was asked for in.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
    )]
    ticket: String,
}

impl CauseBody {
    fn about(self, id: &str) -> Result<Command, Problem> {
        let (reason, ticket) = both(Remark::parse(&self.reason, "/reason"), Ticket::parse(&self.ticket, "/ticket"))?;
        Ok(Command { account: account_id(id), cause: Cause { reason, ticket } })
    }
}

/// Switches two-factor authentication off for an owner who has lost every factor.
///
/// Every method, recovery code and bypass code is removed, all sessions of the owner end, and the account signs in by
/// password alone.
#[utoipa::path(operation_id = "resetTwoFactor", tag = "support", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")), request_body = CauseBody,
    responses((status = 200, description = "It is off; `tokens` is null", body = DisabledBody,
        headers(("ETag" = String, description = "The version"))), Helping))]
#[post("/support/accounts/{id}/2fa/reset")]
pub async fn reset_two_factor(call: OwnerCall, id: Path<String>) -> Answer {
    call.change(|body: CauseBody| body.about(&id), reset::reset).await
}

/// A bypass code, shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = BypassCode)]
pub struct IssuedBody {
    /// The code. It is sent as `recovery_code`, once.
    #[schema(value_type = RecoveryCode)]
    code: String,
    /// When it dies, used or not.
    expires_at: Timestamp,
}

impl Render for Issued {
    fn render(self, _: &OwnerCall) -> HttpResponse {
        match self.code {
            Some(code) => json(StatusCode::CREATED, &IssuedBody { code: code.reveal(), expires_at: self.expires_at }),
            None => HttpResponse::from_error(Problem::from(Refusal::AlreadyCompleted)),
        }
    }
}

/// Issues a bypass code: one proof of the second factor for an owner whose phone is out of reach.
///
/// Two-factor authentication stays on. An account has one bypass code at most; a new one takes the place of the last.
#[utoipa::path(operation_id = "issueBypassCode", tag = "support", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")), request_body = CauseBody,
    responses((status = 201, description = "The code, once", body = IssuedBody), Helping))]
#[post("/support/accounts/{id}/2fa/bypass-code")]
pub async fn issue_bypass_code(call: OwnerCall, id: Path<String>) -> Answer {
    call.change(|body: CauseBody| body.about(&id), bypass_code::issue).await
}

/// The budgets of guesses are whole again.
#[derive(Serialize, ToSchema)]
#[schema(as = Unlocked)]
pub struct UnlockedBody {
    /// Since when.
    unlocked_at: Timestamp,
    /// The names of those that were not whole before.
    #[schema(example = json!(["code", "login"]))]
    opened: Vec<String>,
}

impl Render for Unlocked {
    fn render(self, _: &OwnerCall) -> HttpResponse {
        json(StatusCode::OK, &UnlockedBody { unlocked_at: self.unlocked_at, opened: self.opened })
    }
}

/// Opens an account's budgets of guesses: codes, recovery codes, sign-in and re-authentication.
///
/// Sessions that ended stay ended.
#[utoipa::path(operation_id = "unlockAccount", tag = "support", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")), request_body = CauseBody,
    responses((status = 200, description = "They are open", body = UnlockedBody), Unlocking))]
#[post("/support/accounts/{id}/unlock")]
pub async fn unlock_account(call: OwnerCall, id: Path<String>) -> Answer {
    call.change(|body: CauseBody| body.about(&id), unlock::unlock).await
}

/// An id that is none is nobody's: it is looked for like any other, in its turn, and not found.
fn account_id(text: &str) -> AccountId {
    text.parse().unwrap_or(AccountId(Uuid::nil()))
}
