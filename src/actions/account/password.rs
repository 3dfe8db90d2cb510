//! Changing the password: the old one is proved, and a second factor while two-factor authentication is
//! on; all other sessions and all older tokens end. Two-factor authentication stays as it is.

use crate::{
    actions::{
        Call, Outcome,
        issue::{self, Tokens},
        reverify::{self, Ask, Proofs},
    },
    domain::{
        event::{Event, EventKind},
        password::Password,
        refusal::{Fault, Stop},
    },
    store::{accounts, sessions},
};
use serde::{Deserialize, Serialize};

/// What the owner sends.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    /// The proofs; the password is the current one.
    pub proofs: Proofs,
    /// The new password.
    pub new: Password,
}

/// The password is changed.
#[derive(Serialize, Deserialize)]
pub struct Changed {
    /// A fresh pair for the caller, whose older tokens are refused now.
    #[serde(skip)]
    pub tokens: Option<Tokens>,
}

impl Outcome for Changed {
    /// It is its tokens.
    fn is_repeatable(&self) -> bool {
        false
    }
}

/// Changes the password.
///
/// # Errors
/// Those of [`reverify`].
pub async fn change(call: &Call, command: ChangePassword) -> Result<Changed, Stop> {
    let ask = Ask { action: "change-password", proofs: command.proofs, quota: None, new_password: Some(command.new) };
    let proven = reverify::prove(call, ask, |_, _| Ok(())).await?;

    let cx = call.cx.clone();
    let (mut changed, grant) = reverify::settle(call, proven, move |tx, mut change| {
        let new_hash = change.new_hash.clone().ok_or(Fault::Unavailable("no hash of the new password".to_owned()))?;
        let ended = sessions::end_others(tx, change.account.id, Some(change.session.id), cx.now)?;
        let event = Event::of_owner(EventKind::PasswordChanged, Some(change.session.id)).with("sessions", ended);
        accounts::record(tx, &mut change.account, &cx.origin, cx.now, &event, |account| {
            account.password_hash = new_hash;
            account.password_changed_at = cx.now;
            account.epoch += 1;
        })?;
        let assurance = change.session.assurance.clone();
        let grant = issue::renew(tx, &cx, &change.account, change.session, assurance)?;
        Ok((Changed { tokens: None }, grant))
    })
    .await?;
    changed.tokens = issue::fresh_tokens(&call.cx, grant)?;
    Ok(changed)
}
