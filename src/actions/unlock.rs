//! Opening the budgets of guesses that an owner, or somebody else, has used up. Sessions that ended stay ended.

use super::{Cx, login};
use crate::{
    domain::{
        account::Account,
        guesses::{BucketId, Scope},
        refusal::Fault,
    },
    store::{Tx, ledger, sessions},
};

/// Opens the budgets of an account: codes, recovery codes, sign-in and re-authentication. Returns the names of those
/// that were not whole.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn open(tx: &mut Tx<'_>, cx: &Cx, account: &Account) -> Result<Vec<String>, Fault> {
    let mut opened: Vec<String> = Vec::new();
    for bucket in buckets(tx, cx, account)? {
        let name = bucket.scope.name().to_owned();
        if ledger::forget(tx, &bucket, cx.now)? && !opened.contains(&name) {
            opened.push(name);
        }
    }
    Ok(opened)
}

/// Every budget of guesses that is the account's, its living sessions' and its address'.
fn buckets(tx: &mut Tx<'_>, cx: &Cx, account: &Account) -> Result<Vec<BucketId>, Fault> {
    let of_account = [Scope::Code, Scope::RecoveryCode, Scope::ReauthAccount];
    let mut buckets: Vec<BucketId> = of_account.map(|scope| BucketId::new(scope, account.id)).into();
    for session in sessions::alive(tx, account.id, cx.now)? {
        let of_session = [Scope::SessionCode, Scope::ReauthSession];
        buckets.extend(of_session.map(|scope| BucketId::new(scope, session.id)));
    }
    buckets.extend(login::password::buckets(tx, cx, account)?);
    Ok(buckets)
}
