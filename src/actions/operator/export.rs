//! Exporting accounts, in the shape that an import reads.

use crate::{
    actions::Cx,
    crypto::password,
    domain::{
        id::AccountId,
        refusal::{Fault, Stop},
        secret::Secret,
        transfer::Entry,
    },
    store::{Db, accounts_page, destinations, passkeys, totp},
};
use serde::Serialize;

/// Accounts that are read at once.
const PAGE: i64 = 500;

/// What was exported, and what an export has no place for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Accounts.
    pub accounts: usize,
    /// Authenticators beside an account's first, which are left out.
    pub further_authenticators: usize,
    /// Passkeys, which are bound to this installation's domain and are left out.
    pub passkeys: usize,
    /// Methods whose codes go to a mailbox or a telephone, which are left out: whoever takes accounts over cannot know that
    /// those are still their owners'.
    pub sent_codes: usize,
    /// Accounts whose scopes are left out: those are granted by hand.
    pub with_scope: usize,
}

/// Hands every account to `keep`, in the order of their ids; with password hashes and TOTP secrets, or without. Of
/// several authenticators, the one that was used last goes with the account. Pages are read one by one, so what
/// changes meanwhile may or may not show.
///
/// # Errors
/// `unavailable`; `unreadable` when a secret does not open; what `keep` says.
pub async fn export(
    cx: &Cx,
    with_secrets: bool,
    mut keep: impl FnMut(&Entry) -> Result<(), Fault>,
) -> Result<Exported, Stop> {
    let (mut exported, mut after) = (Exported::default(), None);
    loop {
        let read = move |db: &mut Db<'_>| {
            let (page, passkeys) = page(db, after, with_secrets)?;
            let ids: Vec<AccountId> = page.iter().map(|leaving| leaving.id).collect();
            let sent = destinations::count_of(db, &ids)?;
            Ok((page, passkeys, sent))
        };
        let (page, passkeys, sent) = cx.store.read("export", read).await?;
        exported.passkeys += passkeys;
        let Some(last) = page.last() else { return Ok(exported) };
        after = Some(last.id);
        exported.sent_codes += sent;
        for Leaving { entry, others, has_scope, .. } in &page {
            exported.accounts += 1;
            exported.further_authenticators += others;
            exported.with_scope += usize::from(*has_scope);
            keep(entry)?;
        }
    }
}

struct Leaving {
    id: AccountId,
    entry: Entry,
    others: usize,
    has_scope: bool,
}

fn page(db: &mut Db<'_>, after: Option<AccountId>, with_secrets: bool) -> Result<(Vec<Leaving>, usize), Fault> {
    let listed = accounts_page::page(db, after, None, PAGE)?;
    let ids: Vec<AccountId> = listed.iter().map(|listed| listed.account.id).collect();
    let mut secrets = if with_secrets { totp::newest_of(db, &ids)? } else { Default::default() };
    let leave = |listed: accounts_page::Listed| {
        let account = listed.account;
        let (totp_secret, others) = secrets.remove(&account.id).map_or((None, 0), |(one, others)| (Some(one), others));
        // A hash that no password matches is none.
        let hash = Some(account.password_hash).filter(|hash| with_secrets && !password::is_nobody(hash));
        Leaving {
            id: account.id,
            has_scope: !account.scope.is_empty(),
            others,
            entry: Entry {
                email: account.email,
                password_hash: hash.map(Secret::new),
                locale: account.locale,
                subject: account.subject,
                totp_secret,
                is_suspended: account.suspended_at.is_some(),
                is_required: account.listed_at.is_some(),
                lost_factor: None,
            },
        }
    };
    let passkeys = passkeys::count_of(db, &ids)?;
    Ok((listed.into_iter().map(leave).collect(), passkeys))
}
