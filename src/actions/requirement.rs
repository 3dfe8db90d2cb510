//! The requirement of two-factor authentication, where the policy has one: an account's time to set it up begins when
//! its owner can first know of it.

use super::Cx;
use crate::{
    domain::{account::Account, refusal::Fault},
    store::{Tx, requirements},
};

/// Begins the time of an account that meets the requirement for the first time, which whoever holds its lock does for
/// a session that begins or goes on. It has one such time: what its owner, support or the operator does later begins
/// none.
///
/// # Errors
/// `unavailable`.
pub fn meet(tx: &mut Tx<'_>, cx: &Cx, account: &mut Account) -> Result<(), Fault> {
    if cx.policy.requires(account) && account.required_since.is_none() {
        requirements::begin(tx, account, cx.now)?;
    }
    Ok(())
}
