//! Whether an account is protected: all that a partner is told of it.

use super::{PartnerCall, entrance};
use crate::domain::{account::Account, client::ClientScope, id::AccountId, refusal::Stop};
use jiff::Timestamp;

/// How an account is protected, as far as a partner needs to know it.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Since when a second factor is asked for; `None` while none is.
    pub since: Option<Timestamp>,
    /// Until when the partner is asked to hold back what cannot be undone; `None` when nothing is held.
    pub restricted_until: Option<Timestamp>,
}

impl Standing {
    /// That of an account at `now`.
    pub fn of(account: &Account, now: Timestamp) -> Self {
        Self { since: account.enabled_at, restricted_until: account.restriction(now) }
    }
}

/// Reads how an account is protected.
///
/// # Errors
/// Those of [`entrance::look`].
pub async fn standing(call: &PartnerCall, id: AccountId) -> Result<Standing, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("partner-standing", move |db| {
            let account = entrance::look(db, &asked, ClientScope::ReadTwoFactor, id)?;
            Ok(Standing::of(&account, asked.cx.now))
        })
        .await
}
