//! Finding an account, and seeing how its two-factor authentication stands. Nothing is changed by that.

use super::desk;
use crate::{
    actions::{
        Call,
        two_factor::status::{self, Status},
    },
    domain::{
        account::Email,
        id::AccountId,
        refusal::{Refusal, Stop},
    },
    store::accounts,
};

/// An account, as far as support needs to know it.
pub struct Found {
    /// Its id.
    pub id: AccountId,
    /// Its address.
    pub email: Email,
    /// How its two-factor authentication stands.
    pub two_factor: Status,
}

/// Finds the account with an address.
///
/// # Errors
/// Those of [`desk::agent`], and `not-found`: whether an address has an account is for agents to know.
pub async fn find(call: &Call, email: Email) -> Result<Found, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("support-find", move |db| {
            desk::agent(db, &asked)?;
            let account = accounts::by_email(db, &email)?.ok_or(Refusal::NotFound)?;
            Ok(Found { two_factor: status::picture(db, &asked, &account)?, id: account.id, email: account.email })
        })
        .await
}

/// Reads an account's status.
///
/// # Errors
/// Those of [`desk::look`].
pub async fn status(call: &Call, id: AccountId) -> Result<Status, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("support-status", move |db| {
            let account = desk::look(db, &asked, id)?;
            Ok(status::picture(db, &asked, &account)?)
        })
        .await
}
