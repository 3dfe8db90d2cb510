//! The owner's remembered devices: seeing and forgetting them.

use crate::{
    actions::{Call, Outcome, entrance},
    domain::{
        device::Device,
        event::{Event, EventKind},
        id::DeviceId,
        refusal::{Refusal, Stop},
    },
    store::{accounts, devices},
};
use serde::{Deserialize, Serialize};

/// How many devices were forgotten.
#[derive(Serialize, Deserialize)]
pub struct Forgotten {
    /// The number.
    pub forgotten: usize,
}

impl Outcome for Forgotten {}

/// Lists the devices that are remembered, the one that was used last first.
///
/// # Errors
/// `invalid-token`.
pub async fn list(call: &Call) -> Result<Vec<Device>, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("devices", move |db| {
            let (account, _) = entrance::recognise(db, &asked)?;
            Ok(devices::alive(db, &account, asked.cx.now)?)
        })
        .await
}

/// Forgets one device: the next sign-in from it asks for the second factor. Sessions that began on it go on.
///
/// # Errors
/// `not-found` when it is not remembered, or not the caller's.
pub async fn forget(call: &Call, id: DeviceId) -> Result<(), Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("forget-device", move |tx| {
            let (mut account, session) = entrance::enter(tx, &asked)?;
            let is_alive = devices::alive(tx, &account, asked.cx.now)?.iter().any(|device| device.id == id);
            if !is_alive || !devices::forget(tx, account.id, id)? {
                return Err(Refusal::NotFound.into());
            }
            let event = Event::of_owner(EventKind::DeviceRevoked, Some(session.id))
                .with("device", id.to_string())
                .with("devices", 1);
            Ok(accounts::record(tx, &mut account, &asked.cx.origin, asked.cx.now, &event, |_| {})?)
        })
        .await
}

/// Forgets every device.
///
/// # Errors
/// `invalid-token`.
pub async fn forget_all(call: &Call) -> Result<Forgotten, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("forget-devices", move |tx| {
            let (mut account, session) = entrance::enter(tx, &asked)?;
            let forgotten = devices::alive(tx, &account, asked.cx.now)?.len();
            devices::forget_all(tx, account.id)?;
            if forgotten > 0 {
                let event = Event::of_owner(EventKind::DeviceRevoked, Some(session.id)).with("devices", forgotten);
                accounts::record(tx, &mut account, &asked.cx.origin, asked.cx.now, &event, |_| {})?;
            }
            entrance::conclude(tx, &asked, Ok(Forgotten { forgotten }), entrance::repeatable)
        })
        .await
}
