//! Removing one of several methods. The last one is removed by disabling.

use super::status::{self, Status};
use crate::{
    actions::{
        Call, Outcome,
        issue::{self, Tokens},
        reverify::{self, Ask, Proofs},
    },
    domain::{
        account::Account,
        event::{Event, EventKind},
        id::MethodId,
        refusal::{Refusal, Stop},
    },
    store::{Tx, accounts, methods, sessions},
};
use serde::{Deserialize, Serialize};

/// What the owner sends.
#[derive(Clone, Debug)]
pub struct Remove {
    /// The method.
    pub id: MethodId,
    /// The proofs.
    pub proofs: Proofs,
}

/// The method is gone.
#[derive(Serialize, Deserialize)]
pub struct Removed {
    /// How the account stands now.
    pub status: Status,
    /// A fresh pair for the caller, whose older tokens are refused now.
    #[serde(skip)]
    pub tokens: Option<Tokens>,
}

impl Outcome for Removed {}

/// Removes a method.
///
/// # Errors
/// `two-factor-not-enabled`, `not-found`, `last-method`, and those of [`reverify`].
pub async fn remove(call: &Call, command: Remove) -> Result<Removed, Stop> {
    let id = command.id;
    let ask = Ask { action: "remove", proofs: command.proofs, quota: None, new_password: None };
    let proven = reverify::prove(call, ask, move |tx, account| is_removable(tx, account, id)).await?;

    let asked = call.clone();
    let (mut removed, grant) = reverify::settle(call, proven, move |tx, mut change| {
        let cx = &asked.cx;
        is_removable(tx, &change.account, id)?;
        methods::remove(tx, change.account.id, id, cx.now, &change.reverified, change.assured()?)?;
        let ended = sessions::end_others(tx, change.account.id, Some(change.session.id), cx.now)?;
        let event = Event::of_owner(EventKind::MethodRemoved, Some(change.session.id))
            .with("method", id.to_string())
            .with("sessions", ended);
        accounts::record(tx, &mut change.account, &cx.origin, cx.now, &event, |account| account.epoch += 1)?;
        let status = status::picture(tx, &asked, &change.account)?;
        let assurance = change.session.assurance.clone();
        let grant = issue::renew(tx, cx, &change.account, change.session, assurance)?;
        Ok((Removed { status, tokens: None }, grant))
    })
    .await?;
    removed.tokens = issue::fresh_tokens(&call.cx, grant)?;
    Ok(removed)
}

fn is_removable(tx: &mut Tx<'_>, account: &Account, id: MethodId) -> Result<(), Stop> {
    account.require_enabled()?;
    let active = methods::active(tx, account.id)?;
    if active.iter().all(|method| method.id != id) {
        return Err(Refusal::NotFound.into());
    }
    if active.len() == 1 { Err(Refusal::LastMethod.into()) } else { Ok(()) }
}
