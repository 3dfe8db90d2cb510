//! The Account Security tab.

use crate::{
    actions::{
        Call, entrance,
        two_factor::status::{self, Status},
    },
    domain::{account::Email, refusal::Stop},
    store::sessions,
};
use jiff::Timestamp;

/// What the tab shows.
pub struct Overview {
    /// The account's address.
    pub email: Email,
    /// When the password was last set.
    pub password_changed_at: Timestamp,
    /// How two-factor authentication stands.
    pub two_factor: Status,
    /// Sessions that are alive.
    pub sessions: usize,
}

/// Reads the tab.
///
/// # Errors
/// `invalid-token`.
pub async fn overview(call: &Call) -> Result<Overview, Stop> {
    let asked = call.for_setup();
    call.cx
        .store
        .read("overview", move |db| {
            let (account, _) = entrance::recognise(db, &asked)?;
            Ok(Overview {
                two_factor: status::picture(db, &asked, &account)?,
                sessions: sessions::alive(db, account.id, asked.cx.now)?.len(),
                email: account.email,
                password_changed_at: account.password_changed_at,
            })
        })
        .await
}
