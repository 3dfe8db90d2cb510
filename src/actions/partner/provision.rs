//! Keeping an account of the portal's user base: adding it under an id of the portal's, and changing what the portal
//! knows of it. The same request once more changes nothing.

use super::{PartnerCall, entrance};
use crate::{
    actions::Cx,
    domain::{
        account::{Account, Email, Locale, Subject},
        client::{Client, ClientScope, Grantor},
        event::{Event, EventKind},
        id::AccountId,
        refusal::{Refusal, Rule, Stop},
        secret::Secret,
    },
    store::{
        Db, Tx,
        accounts::{self, NewAccount},
        consents, ends, provisioned, sessions,
    },
};

/// What the portal knows of an account. What it leaves out stays as it is.
#[derive(Clone, Debug)]
pub struct Provision {
    /// The account.
    pub id: AccountId,
    /// Its address.
    pub email: Email,
    /// The bcrypt hash of its password; a new account must have one.
    pub password_hash: Option<Secret<String>>,
    /// The language that its owner reads.
    pub locale: Option<Locale>,
    /// Its name at the portal's own identity provider.
    pub subject: Option<Subject>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioned {
    /// The account is new.
    Created,
    /// Something was changed.
    Updated,
    /// Everything was so already.
    Unchanged,
}

/// Adds or changes an account.
///
/// # Errors
/// Those of [`entrance::recognise`]; `not-found` when the account is there and only its owner, or nobody, let the
/// client see it, or it was deleted; `not-permitted` for an account with a scope; `validation-failed` when the address or the subject is taken,
/// or a new account has no password.
pub async fn provision(call: &PartnerCall, wanted: Provision) -> Result<Provisioned, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("provision", move |tx| {
            let held = accounts::lock(tx, wanted.id)?;
            let client = entrance::recognise(tx, &asked, ClientScope::ProvisionAccounts)?;
            let Some(account) = held else { return create(tx, &asked.cx, &client, &wanted) };
            require_provisioner(tx, &client, &account)?;
            if !account.scope.trim().is_empty() {
                return Err(Refusal::NotPermitted.into());
            }
            update(tx, &asked.cx, &client, account, &wanted)
        })
        .await
}

/// An owner who lets a client see the account does not let it set the password.
fn require_provisioner(db: &mut Db<'_>, client: &Client, account: &Account) -> Result<(), Stop> {
    let consent = consents::find(db, account.id, client.id)?;
    let may = client.sees_all || consent.is_some_and(|consent| consent.granted_by != Grantor::Owner);
    Ok(may.then_some(()).ok_or(Refusal::NotFound)?)
}

fn create(tx: &mut Tx<'_>, cx: &Cx, client: &Client, wanted: &Provision) -> Result<Provisioned, Stop> {
    // What a deleted account was is sealed under its id, which nobody takes again.
    if wanted.id.0.is_nil() || ends::is_marked(tx, wanted.id)? {
        return Err(Refusal::NotFound.into());
    }
    let hash = wanted.password_hash.as_ref().ok_or_else(|| Rule::PasswordHash.at("/password_hash"))?;
    let Provision { id, email, locale, subject, .. } = wanted.clone();
    let (password_hash, scope) = (hash.expose().clone(), String::new());
    let new = NewAccount { email, password_hash, locale: locale.unwrap_or_default(), scope, subject };
    accounts::insert(tx, id, &new, cx.now)?;
    provisioned::keep(tx, id, hash.expose())?;
    consents::grant(tx, id, client.id, Grantor::Provisioning, cx.now)?;
    let mut account = accounts::lock(tx, id)?.ok_or(Refusal::NotFound)?;
    let event = Event::of_partner(EventKind::AccountProvisioned, client.id);
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
    Ok(Provisioned::Created)
}

/// The address after password and subject: of all three the owner is told at the address, and in the language, that
/// were theirs before.
fn update(
    tx: &mut Tx<'_>,
    cx: &Cx,
    client: &Client,
    mut account: Account,
    wanted: &Provision,
) -> Result<Provisioned, Stop> {
    // A refusal keeps what was written before it, so nothing is.
    require_free(tx, &account, wanted)?;
    let before = account.activity;
    set_password(tx, cx, client, &mut account, wanted)?;
    set_subject(tx, cx, client, &mut account, wanted)?;
    set_email(tx, cx, client, &mut account, wanted)?;
    set_locale(tx, cx, client, &mut account, wanted)?;
    Ok(if account.activity == before { Provisioned::Unchanged } else { Provisioned::Updated })
}

fn require_free(db: &mut Db<'_>, account: &Account, wanted: &Provision) -> Result<(), Stop> {
    let is_other = |found: Option<Account>| found.is_some_and(|found| found.id != account.id);
    if is_other(accounts::by_email(db, &wanted.email)?) {
        return Err(Rule::FreeEmail.at("/email").into());
    }
    if let Some(subject) = &wanted.subject
        && is_other(accounts::by_subject(db, subject)?)
    {
        return Err(Rule::FreeSubject.at("/subject").into());
    }
    Ok(())
}

fn set_password(
    tx: &mut Tx<'_>,
    cx: &Cx,
    client: &Client,
    account: &mut Account,
    wanted: &Provision,
) -> Result<(), Stop> {
    let Some(hash) = wanted.password_hash.as_ref().map(Secret::expose) else { return Ok(()) };
    let last = provisioned::is_last(tx, account.id, hash)?;
    if last != Some(true) {
        provisioned::keep(tx, account.id, hash)?;
    }
    if last.unwrap_or(*hash == account.password_hash) || *hash == account.password_hash {
        return Ok(());
    }
    let ended = sessions::end_others(tx, account.id, None, cx.now)?;
    let event = Event::of_partner(EventKind::PasswordChanged, client.id).with("sessions", ended);
    accounts::record(tx, account, &cx.origin, cx.now, &event, |account| {
        account.password_hash.clone_from(hash);
        account.password_changed_at = cx.now;
        account.epoch += 1;
    })?;
    Ok(())
}

fn set_email(tx: &mut Tx<'_>, cx: &Cx, client: &Client, account: &mut Account, wanted: &Provision) -> Result<(), Stop> {
    if account.email == wanted.email {
        return Ok(());
    }
    let event = Event::of_partner(EventKind::EmailChanged, client.id);
    accounts::record(tx, account, &cx.origin, cx.now, &event, |account| account.email.clone_from(&wanted.email))?;
    Ok(())
}

fn set_subject(
    tx: &mut Tx<'_>,
    cx: &Cx,
    client: &Client,
    account: &mut Account,
    wanted: &Provision,
) -> Result<(), Stop> {
    let Some(subject) = wanted.subject.clone().filter(|subject| Some(subject) != account.subject.as_ref()) else {
        return Ok(());
    };
    let event = changed("subject", client);
    if !account.is_named_anew_by(&subject) {
        accounts::record(tx, account, &cx.origin, cx.now, &event, |account| account.subject = Some(subject))?;
        return Ok(());
    }
    // Somebody else may sign in from now on, as with another password.
    let ended = sessions::end_others(tx, account.id, None, cx.now)?;
    let hold = cx.policy.hold(cx.now);
    accounts::record(tx, account, &cx.origin, cx.now, &event.with("sessions", ended), |account| {
        account.name_anew(subject, cx.now);
        account.restrict(hold);
        account.epoch += 1;
    })?;
    Ok(())
}

fn set_locale(
    tx: &mut Tx<'_>,
    cx: &Cx,
    client: &Client,
    account: &mut Account,
    wanted: &Provision,
) -> Result<(), Stop> {
    let Some(locale) = wanted.locale.filter(|locale| *locale != account.locale) else { return Ok(()) };
    accounts::record(tx, account, &cx.origin, cx.now, &changed("locale", client), |account| account.locale = locale)?;
    Ok(())
}

fn changed(what: &str, client: &Client) -> Event {
    Event::of_partner(EventKind::AccountProvisioned, client.id).with("changed", vec![what])
}
