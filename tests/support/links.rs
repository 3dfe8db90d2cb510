//! The links that stand in mails, as whoever reads the mail has them.

use super::{TestApp, person::Person, reply::Reply};
use jiff::Timestamp;
use serde_json::json;
use twofold::crypto::links::{self, LinkKind};

pub const UNDO: &str = "/account/security/2fa/undo";
pub const UNDO_PREVIEW: &str = "/account/security/2fa/undo/preview";
/// The password that an owner sets who takes a disable back.
pub const NEW_PASSWORD: &str = "nobody else knows this one";

/// The token of a link in a mail about the disable of an account at a moment.
pub fn link(app: &TestApp, kind: LinkKind, account: &str, disabled_at: &str) -> String {
    let at: Timestamp = disabled_at.parse().unwrap();
    let token = links::token(&app.rooms().keys.ring(), kind, account.parse().unwrap(), at).expose().clone();
    app.keep_out_of_sight(&token);
    token
}

/// The token of the link that takes it back.
pub fn undo_link(app: &TestApp, account: &str, disabled: &Reply) -> String {
    link(app, LinkKind::Undo, account, &disabled.text("/disabled_at"))
}

/// The token of the link that ends its reminders.
pub fn stop_link(app: &TestApp, account: &str, disabled: &Reply) -> String {
    link(app, LinkKind::StopReminders, account, &disabled.text("/disabled_at"))
}

/// Somebody uses a link.
pub async fn undo(app: &TestApp, token: &str) -> Reply {
    app.keep_out_of_sight(NEW_PASSWORD);
    app.post(UNDO, &json!({"token": token, "new_password": NEW_PASSWORD})).await
}

/// Somebody looks at what a link would do.
pub async fn preview(app: &TestApp, token: &str) -> Reply {
    app.post(UNDO_PREVIEW, &json!({"token": token})).await
}

impl<'a> Person<'a> {
    /// The same person with another password, not signed in.
    pub fn with_password(&self, password: &str) -> Person<'a> {
        let mut person = self.elsewhere();
        person.password = password.to_owned();
        person
    }
}
