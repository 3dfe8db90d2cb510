//! Taking a disable back: what the owner does who reads in a mail that two-factor authentication was switched off, and
//! did not do it.
//!
//! The link in the mail is the proof, for nobody else can have it; the password is not asked for, since whoever
//! switched it off knows that. One write then takes the same methods back into service, sets a new password, ends
//! every session, asks others to hold back, and marks the account for support. Recovery codes do not come back:
//! whoever switched it off may have them.

use crate::{
    actions::Cx,
    crypto::{
        gate::Class,
        links::{self, Link, LinkKind},
    },
    domain::{
        account::Account,
        event::{Event, EventKind},
        method::Label,
        password::Password,
        refusal::{Refusal, Stop},
    },
    store::{
        Db, Tx, accounts, methods, sessions,
        tombstones::{self, Tombstone},
    },
};
use jiff::Timestamp;

/// What the holder of a link sends.
#[derive(Clone, Debug)]
pub struct Undo {
    /// The link's token.
    pub token: String,
    /// The password from now on.
    pub new_password: Password,
}

/// It is on again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Methods that are back in service.
    pub methods: usize,
}

/// What an undo would do.
pub struct Preview {
    /// When it was switched off.
    pub disabled_at: Timestamp,
    /// Until when that can be taken back.
    pub expires_at: Timestamp,
    /// What the owner calls the methods that would be back, oldest first.
    pub labels: Vec<Label>,
}

/// Takes a disable back.
///
/// # Errors
/// `link-expired`, the same for a link that was never ours; `overloaded`.
pub async fn undo(cx: &Cx, command: Undo) -> Result<Undone, Stop> {
    let link = read(cx, &command.token)?;
    // Nobody gets a password computed by a link that is worth nothing any more.
    look(cx, &link).await?;
    let ticket = cx.passwords.reserve(Class::Owner)?;
    let hash = cx.passwords.hash(ticket, command.new_password).await?;
    let undoing = cx.clone();
    cx.store.write("undo", move |tx| restore(tx, &undoing, &link, &hash)).await
}

/// Tells what an undo would do, without doing anything.
///
/// # Errors
/// `link-expired`.
pub async fn preview(cx: &Cx, token: &str) -> Result<Preview, Stop> {
    let link = read(cx, token)?;
    let Tombstone { expires_at, labels } = look(cx, &link).await?;
    Ok(Preview { disabled_at: link.disabled_at(), expires_at, labels })
}

fn read(cx: &Cx, token: &str) -> Result<Link, Refusal> {
    links::read(&cx.keys, LinkKind::Undo, token).ok_or(Refusal::LinkExpired)
}

async fn look(cx: &Cx, link: &Link) -> Result<Tombstone, Stop> {
    let (link, now) = (link.clone(), cx.now);
    cx.store
        .read("undo", move |db| {
            let account = accounts::by_id(db, link.account())?;
            Ok(require(db, &link, account, now)?.1)
        })
        .await
}

/// That the disable which the link is about still stands and can be taken back. Of an account that is suspended
/// nobody is told more than of one that is not there.
fn require(
    db: &mut Db<'_>,
    link: &Link,
    account: Option<Account>,
    now: Timestamp,
) -> Result<(Account, Tombstone), Stop> {
    let stands = |account: &Account| {
        !account.is_enabled() && !account.is_suspended() && account.disabled_at == Some(link.disabled_at())
    };
    let account = account.filter(stands).ok_or(Refusal::LinkExpired)?;
    let tombstone = tombstones::find(db, link, now)?.ok_or(Refusal::LinkExpired)?;
    Ok((account, tombstone))
}

fn restore(tx: &mut Tx<'_>, cx: &Cx, link: &Link, hash: &str) -> Result<Undone, Stop> {
    let account = accounts::lock(tx, link.account())?;
    let (mut account, _) = require(tx, link, account, cx.now)?;
    let methods = tombstones::exhume(tx, link, cx.now)?;
    // An enrolment that was begun meanwhile was not the owner's.
    methods::abandon_pending(tx, account.id, cx.now)?;
    let ended = sessions::end_others(tx, account.id, None, cx.now)?;
    let hold = cx.policy.hold(cx.now);
    let event = Event::of_owner(EventKind::TwoFactorRestored, None).with("methods", methods).with("sessions", ended);
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |account| {
        account.epoch += 1;
        account.password_hash = hash.to_owned();
        account.password_changed_at = cx.now;
        account.enabled_at = Some(cx.now);
        account.disabled_at = None;
        account.reminder_at = None;
        account.flagged_at = Some(cx.now);
        account.restrict(hold);
    })?;
    Ok(Undone { methods })
}
