//! Consent: what changes when a client may see an account, or may no more, whoever said so.

use super::Cx;
use crate::{
    domain::{
        account::Account,
        announcement::CLIENT,
        client::{Client, Grantor},
        event::Event,
        refusal::Fault,
    },
    store::{Tx, accounts, consents},
};

/// Lets a client see an account that is held, and records `event`; `false`, and nothing, where it was let before.
///
/// # Errors
/// `contended` when another writer was faster.
pub fn allow(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &mut Account,
    client: &Client,
    by: Grantor,
    event: Event,
) -> Result<bool, Fault> {
    let is_new = consents::grant(tx, account.id, client.id, by, cx.now)?;
    if is_new {
        accounts::record(tx, account, &cx.origin, cx.now, &naming(event, client), |_| {})?;
    }
    Ok(is_new)
}

/// Lets a client see an account that is held no more, and records `event`; `false`, and nothing, where it was not let.
///
/// # Errors
/// `contended` when another writer was faster.
pub fn refuse(tx: &mut Tx<'_>, cx: &Cx, account: &mut Account, client: &Client, event: Event) -> Result<bool, Fault> {
    let was_let = consents::withdraw(tx, account.id, client.id)?;
    if was_let {
        accounts::record(tx, account, &cx.origin, cx.now, &naming(event, client), |_| {})?;
    }
    Ok(was_let)
}

fn naming(event: Event, client: &Client) -> Event {
    event.with(CLIENT, client.id.to_string()).with("name", client.name.as_str())
}
