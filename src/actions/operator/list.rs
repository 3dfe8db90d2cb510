//! Looking through the accounts of an installation.

use crate::{
    actions::Cx,
    domain::{id::AccountId, refusal::Stop},
    store::accounts_page::{self, Listed},
};

/// At most `limit` accounts after the one with id `after`, in the order of their ids, which is that of their
/// making but within a millisecond; where `part` is given, those alone whose address contains it.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn list(cx: &Cx, after: Option<AccountId>, part: Option<String>, limit: i64) -> Result<Vec<Listed>, Stop> {
    let find = move |db: &mut crate::store::Db<'_>| Ok(accounts_page::page(db, after, part.as_deref(), limit)?);
    cx.store.read("list-accounts", find).await
}
