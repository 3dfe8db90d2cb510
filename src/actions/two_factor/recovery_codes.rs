//! A new set of recovery codes; the old one dies with the same commit.

use crate::{
    actions::{
        Call, Outcome,
        reverify::{self, Ask, Proofs},
    },
    domain::{
        event::{Event, EventKind},
        recovery_code::RecoveryCode,
        refusal::Stop,
    },
    store::{accounts, recovery_codes},
};
use serde::{Deserialize, Serialize};

/// A new set.
#[derive(Serialize, Deserialize)]
pub struct Regenerated {
    /// The version that the account has now.
    pub version: i64,
    /// The codes.
    #[serde(skip)]
    pub codes: Vec<RecoveryCode>,
}

impl Outcome for Regenerated {
    /// Without its codes it is of no use.
    fn is_repeatable(&self) -> bool {
        false
    }
}

/// Makes a new set of recovery codes.
///
/// # Errors
/// `two-factor-not-enabled`, and those of [`reverify`].
pub async fn regenerate(call: &Call, proofs: Proofs) -> Result<Regenerated, Stop> {
    let ask = Ask { action: "regenerate-recovery-codes", proofs, quota: None, new_password: None };
    let proven = reverify::prove(call, ask, |_, account| Ok(account.require_enabled()?)).await?;

    let cx = call.cx.clone();
    reverify::settle(call, proven, move |tx, mut change| {
        change.account.require_enabled()?;
        let codes = recovery_codes::regenerate(tx, change.account.id, cx.now, change.assured()?)?;
        let event = Event::of_owner(EventKind::RecoveryCodesRegenerated, Some(change.session.id));
        accounts::record(tx, &mut change.account, &cx.origin, cx.now, &event, |_| {})?;
        Ok(Regenerated { version: change.account.version, codes })
    })
    .await
}
