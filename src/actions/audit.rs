//! The audit: writing its anchors, checking that nothing was altered or cut off, handing anchors out to be kept
//! where those who can write the database cannot, and dropping what is too old.

use super::{Cx, Rooms};
use crate::{
    domain::{
        anchor::Anchor,
        id::AccountId,
        refusal::{Fault, Stop},
    },
    store::{
        Db, Tx,
        anchors::{self, Walk},
        broken::Broken,
        cuts::{self, Place},
        ends, events, restorations,
    },
};
use jiff::Timestamp;

/// Accounts or anchors that are read at once: no reader stays long.
const PAGE: i64 = 200;

/// Checks both chains of every account, or of one, and the marks of those that were deleted; returns how many rows were read, or the first bad one.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn verify(cx: &Cx, only: Option<AccountId>) -> Result<Result<u64, Broken>, Stop> {
    let (mut rows, mut after) = (0, None);
    loop {
        let page = cx.store.read("audit-verify", move |db| Ok(events::verify(db, only, after, PAGE)?)).await?;
        let page = match page {
            Ok(page) => page,
            Err(broken) => return Ok(Err(broken)),
        };
        rows += page.rows;
        after = page.last.filter(|_| only.is_none());
        if after.is_none() {
            break;
        }
    }
    let marks = if only.is_none() { verify_ends(cx).await? } else { Ok(()) };
    Ok(marks.map(|()| rows))
}

async fn verify_ends(cx: &Cx) -> Result<Result<(), Broken>, Stop> {
    let mut after = String::new();
    loop {
        let page = cx.store.read("audit-verify", move |db| Ok(ends::verify(db, &after, PAGE)?)).await?;
        match page {
            Ok(Some(last)) => after = last,
            Ok(None) => return Ok(Ok(())),
            Err(broken) => return Ok(Err(broken)),
        }
    }
}

/// What the anchors told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    /// Those that hold.
    pub checked: u64,
    /// Exported ones that the database lost when it was restored from a copy.
    pub lost: u64,
    /// When it was last restored.
    pub restored_at: Option<Timestamp>,
}

/// Checks the anchors of the database, and those that were exported from it. One that was written after a copy was
/// made, and before that copy was restored, is lost and no sign of tampering.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn verify_anchors(cx: &Cx, exported: Vec<Anchor>) -> Result<Result<Anchors, Broken>, Stop> {
    let restorations = match cx.store.read("restorations", |db| Ok(restorations::all(db)?)).await? {
        Ok(restorations) => restorations,
        Err(broken) => return Ok(Err(broken)),
    };
    let restored_at = restorations.last().map(|restoration| restoration.at);
    let (mut anchors, mut previous) = (Anchors { restored_at, ..Anchors::default() }, None);
    loop {
        let after = previous.as_ref().map_or(0, |anchor: &Anchor| anchor.n);
        let page = cx.store.read("anchors", move |db| Ok(anchors::page(db, after, PAGE)?)).await?;
        if page.is_empty() {
            break;
        }
        if previous.is_none() && page[0].n != 1 {
            return Ok(Err(Broken::Anchor { n: 1, problem: "is missing" }));
        }
        for anchor in page {
            if let Err(broken) = check(cx, previous, &anchor).await? {
                return Ok(Err(broken));
            }
            anchors.checked += 1;
            previous = Some(anchor);
        }
    }
    let mut previous = None;
    for anchor in exported {
        match check(cx, previous.clone(), &anchor).await? {
            Ok(()) => {
                anchors.checked += 1;
                previous = Some(anchor);
            }
            // What follows the lost ones hangs on the last that the copy had.
            Err(_) if restorations.iter().any(|restoration| restoration.lost(&anchor)) => anchors.lost += 1,
            Err(broken) => return Ok(Err(broken)),
        }
    }
    Ok(Ok(anchors))
}

async fn check(cx: &Cx, previous: Option<Anchor>, anchor: &Anchor) -> Result<Result<(), Broken>, Stop> {
    let anchor = anchor.clone();
    cx.store.read("audit-verify", move |db| Ok(anchors::check(db, previous.as_ref(), &anchor)?)).await
}

/// Anchors the chains that have grown, and hands each anchor to `told`; there is none when another replica was
/// faster. Each is a write of its own, so that writers wait for no more than a thousand ends.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub async fn anchor(rooms: &Rooms, mut told: impl FnMut(&Anchor)) -> Result<(), Stop> {
    let now = rooms.clock.now()?;
    let mut walk = rooms.store.read("anchor", |db| Ok(Walk::begin(db)?)).await?;
    loop {
        let step = move |db: &mut Db<'_>| {
            let mut walk = walk.clone();
            Ok((walk.step(db)?, walk))
        };
        let (found, from) = rooms.store.read("anchor", step).await?;
        walk = from.clone();
        if !found.heads.is_empty() {
            let append = move |tx: &mut Tx<'_>| {
                let mut walk = from.clone();
                Ok((walk.append(tx, found.heads.clone(), found.until.unwrap_or(now))?, walk))
            };
            let (written, further) = rooms.store.write("anchor", append).await?;
            let Some(anchor) = written else { return Ok(()) };
            told(&anchor);
            walk = further;
        }
        if found.until.is_none() {
            return Ok(());
        }
    }
}

/// Hands every anchor after the one with number `after` to `keep`, the newest ends among them.
///
/// # Errors
/// `unavailable`, `unreadable`, what `keep` says.
pub async fn export(cx: &Cx, mut after: i64, mut keep: impl FnMut(&Anchor) -> Result<(), Fault>) -> Result<(), Stop> {
    anchor(cx, |_| ()).await?;
    loop {
        let anchors = cx.store.read("anchors", move |db| Ok(anchors::page(db, after, PAGE)?)).await?;
        let Some(last) = anchors.last() else { return Ok(()) };
        after = last.n;
        for anchor in &anchors {
            keep(anchor)?;
        }
    }
}

/// Goes on after `after` with a walk over the events that are older than they are kept, and drops some of them;
/// returns where the walk goes on, or that it has ended. Chains that are broken are left, and logged.
///
/// # Errors
/// `unavailable`, also while the clock cannot be trusted.
pub async fn drop_old(rooms: &Rooms, after: Option<Place>) -> Result<Option<Place>, Stop> {
    let Some(horizon) = rooms.policy.events_horizon(rooms.clock.now()?) else { return Ok(None) };
    let step = rooms.store.read("old-events", move |db| Ok(cuts::walk(db, after.as_ref(), horizon)?)).await?;
    for broken in step.broken {
        log::error!("the audit is broken, and is not pruned there: {broken}");
    }
    if !step.cuts.is_empty() {
        rooms.store.write("prune-events", move |tx| Ok(cuts::make(tx, &step.cuts)?)).await?;
    }
    Ok(step.next)
}
