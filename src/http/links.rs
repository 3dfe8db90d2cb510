//! What the links in our mails do. Nobody is signed in here: the link's token stands in the body, so it is in no log.

use super::{
    caller::{Answer, AnyCall, json},
    language,
    openapi::{PreviewingUndo, Stopping, Undoing},
    problem::{Code, Problem},
};
use crate::{
    actions::{
        reminders,
        two_factor::undo::{self, Preview, Undo, Undone},
    },
    domain::password::Password,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    post,
    web::Query,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What is counted against the limit of one network, as a sign-in is.
const LIMITED: [&str; 2] = ["/account/security/2fa/undo", "/account/security/2fa/reminders"];

/// Whether a path is one of these.
pub fn has(path: &str) -> bool {
    LIMITED.iter().any(|limited| path.starts_with(limited))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkRequest)]
struct LinkBody {
    /// What stands behind the `#` of the link in the mail.
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UndoRequest)]
struct UndoBody {
    /// What stands behind the `#` of the link in the mail.
    token: String,
    /// The password from now on: 8 to 71 bytes of UTF-8.
    #[schema(min_length = 2, max_length = 71, pattern = r"^[^\u0000]*$", format = Password)]
    new_password: String,
}

impl UndoBody {
    fn parse(self) -> Result<Undo, Problem> {
        let new_password = Password::chosen(self.new_password, "/new_password")?;
        Ok(Undo { token: self.token, new_password })
    }
}

/// What an undo would do.
#[derive(Serialize, ToSchema)]
#[schema(as = UndoPreview)]
pub struct UndoPreviewBody {
    /// When two-factor authentication was switched off.
    disabled_at: Timestamp,
    /// Until when that can be taken back.
    expires_at: Timestamp,
    /// The methods that would be back, oldest first.
    methods: Vec<RestorableBody>,
}

/// A method that an undo would bring back.
#[derive(Serialize, ToSchema)]
#[schema(as = RestorableMethod)]
struct RestorableBody {
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 64)]
    label: String,
}

impl From<Preview> for UndoPreviewBody {
    fn from(Preview { disabled_at, expires_at, labels }: Preview) -> Self {
        let methods = labels.iter().map(|label| RestorableBody { label: label.as_str().to_owned() });
        Self { disabled_at, expires_at, methods: methods.collect() }
    }
}

/// Two-factor authentication is on again.
#[derive(Serialize, ToSchema)]
#[schema(as = Undone)]
pub struct UndoneBody {
    /// What is back.
    restored: RestoredBody,
    /// What to tell the owner, in the language asked for.
    message: String,
}

/// How many are back.
#[derive(Serialize, ToSchema)]
#[schema(as = RestoredCounts)]
struct RestoredBody {
    /// Active methods.
    methods: usize,
}

/// Tells what an undo would do.
#[utoipa::path(operation_id = "previewUndo", tag = "two-factor", request_body = LinkBody,
    responses((status = 200, description = "What would happen", body = UndoPreviewBody), PreviewingUndo))]
#[post("/account/security/2fa/undo/preview")]
pub async fn preview_undo(call: AnyCall) -> Answer {
    let body: LinkBody = call.body()?;
    let preview = undo::preview(&call.cx, &body.token).await?;
    Ok(json(StatusCode::OK, &UndoPreviewBody::from(preview)))
}

/// Takes a disable back, by the link in the mail about it ("It wasn't me").
///
/// The same methods are active again, the password is the new one, all sessions end, and the account is marked for
/// support. Recovery codes do not come back. A link works once, for 72 hours by default, until a new method is
/// confirmed.
#[utoipa::path(operation_id = "undoDisable", tag = "two-factor", request_body = UndoBody,
    responses((status = 200, description = "It is on again", body = UndoneBody), Undoing))]
#[post("/account/security/2fa/undo")]
pub async fn undo_disable(call: AnyCall) -> Answer {
    let body: UndoBody = call.body()?;
    let Undone { methods } = undo::undo(&call.cx, body.parse()?).await?;
    let locale = call.facts.locale;
    let message = language::text(locale, "undone-message");
    let mut response = json(StatusCode::OK, &UndoneBody { restored: RestoredBody { methods }, message });
    response.headers_mut().insert(header::CONTENT_LANGUAGE, header::HeaderValue::from_static(locale.tag()));
    Ok(response)
}

/// Ends all reminders that two-factor authentication is off, by the link in one of them.
///
/// Reminders that have ended already stay so: that is a success too.
#[utoipa::path(operation_id = "stopReminders", tag = "two-factor", request_body = LinkBody,
    responses((status = 204, description = "There are no more"), Stopping))]
#[post("/account/security/2fa/reminders/stop")]
pub async fn stop_reminders(call: AnyCall) -> Answer {
    let body: LinkBody = call.body()?;
    reminders::stop(&call.cx, &body.token).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TokenQuery {
    /// What the mail's header `List-Unsubscribe` has here.
    token: String,
}

/// What a mail program sends (RFC 8058 §3.2).
#[derive(ToSchema)]
#[schema(as = OneClick)]
#[expect(dead_code, reason = "the schema of a form that is looked through for its two words")]
struct OneClickForm {
    /// Always `One-Click`.
    #[schema(rename = "List-Unsubscribe", pattern = "^One-Click$", example = "One-Click")]
    list_unsubscribe: String,
}

/// Ends all reminders by the button of a mail program: one-click unsubscription (RFC 8058).
///
/// The token stands in the address, as mail programs cannot put it elsewhere.
#[utoipa::path(operation_id = "unsubscribe", tag = "two-factor", params(TokenQuery),
    request_body(content = OneClickForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204, description = "There are no more"), Stopping))]
#[post("/account/security/2fa/reminders/one-click")]
pub async fn unsubscribe(call: AnyCall, request: HttpRequest) -> Answer {
    let query = Query::<TokenQuery>::from_query(request.query_string()).map_err(|_| Code::MalformedRequest)?;
    call.one_click()?;
    reminders::stop(&call.cx, &query.token).await?;
    Ok(HttpResponse::NoContent().finish())
}
