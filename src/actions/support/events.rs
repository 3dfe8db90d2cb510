//! An account's security log, as its owner reads it.

use super::desk;
use crate::{
    actions::{
        Call,
        account::events::{self, Page},
    },
    domain::{id::AccountId, refusal::Stop},
};

/// Reads at most `limit` events of an account, those before `cursor` where one is given.
///
/// # Errors
/// Those of [`desk::look`].
pub async fn events(call: &Call, id: AccountId, cursor: Option<i64>, limit: u8) -> Result<Page, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("support-events", move |db| {
            let account = desk::look(db, &asked, id)?;
            Ok(events::page(db, account.id, cursor, limit)?)
        })
        .await
}
