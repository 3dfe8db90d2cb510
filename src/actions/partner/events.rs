//! Reading what happened to the accounts that a client sees, from a cursor on.

use super::{PartnerCall, entrance};
use crate::{
    domain::{
        client::ClientScope,
        refusal::{Refusal, Stop},
    },
    store::partner_feed::{self, Page},
};

/// Reads at most `limit` announcements after `cursor`, or from the oldest that is kept on.
///
/// # Errors
/// Those of [`entrance::recognise`]; `cursor-expired` when some that came after it are dropped by now.
pub async fn events(call: &PartnerCall, cursor: Option<i64>, limit: u8) -> Result<Page, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("partner-events", move |db| {
            let client = entrance::recognise(db, &asked, ClientScope::ReadEvents)?;
            Ok(partner_feed::page(db, &client, cursor, limit.into())?.ok_or(Refusal::CursorExpired)?)
        })
        .await
}
