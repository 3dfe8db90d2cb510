//! Signing in from a device that is remembered. Its token is worth something beside a right password alone, once, and
//! never more than that password: the session that it opens is `aal1`.

use crate::{
    actions::{Cx, issue::Grant},
    crypto::opaque::{Opaque, OpaqueKind},
    domain::{
        account::Account,
        assurance::Factor,
        device::Device,
        event::{Event, EventKind},
        refusal::Fault,
    },
    store::{
        Tx, accounts,
        devices::{self, Presented},
    },
};

/// The token of a device as it was sent; one that we never made is none.
pub(super) fn read(cx: &Cx, text: Option<&str>) -> Option<Opaque> {
    text.and_then(|text| Opaque::read(&cx.keys, OpaqueKind::Device, text))
}

/// The device that spares the owner of `account` the second factor, if `token` is its current one. A token that was
/// replaced before tells that there is a copy: then the device is forgotten, and the owner is told.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub(super) fn recognise(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &mut Account,
    token: Option<&Opaque>,
) -> Result<Option<Device>, Fault> {
    let Some(token) = token.filter(|_| cx.policy.devices_until(cx.now).is_some()) else { return Ok(None) };
    match devices::find_presented(tx, account, token, cx.now)? {
        Some((device, Presented::Current)) => Ok(Some(device)),
        Some((device, Presented::Reused)) => {
            devices::forget(tx, account.id, device.id)?;
            let event = Event::of_owner(EventKind::DeviceTokenReused, None).with("device", device.id.to_string());
            accounts::record(tx, account, &cx.origin, cx.now, &event, |_| {})?;
            Ok(None)
        }
        Some((_, Presented::Late)) | None => Ok(None),
    }
}

/// Draws the next token of a device that a sign-in was made from.
///
/// # Errors
/// `contended` when it was used meanwhile.
pub(super) fn renew(tx: &mut Tx<'_>, cx: &Cx, device: Device, grant: &Grant) -> Result<Opaque, Fault> {
    let (ip, user_agent) = (cx.origin.ip.to_string(), cx.origin.user_agent.clone());
    devices::rotate(tx, &Device { ip, user_agent, session: grant.session_id(), ..device }, cx.now)
}

/// Remembers the device that a sign-in was made from, where the owner asked for it and the policy allows it. Only a
/// method of the account earns that: who signs in by a recovery or bypass code has it for this once.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub(super) fn remember(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &mut Account,
    factor: Factor,
    grant: &Grant,
) -> Result<Option<Opaque>, Fault> {
    let Some(expires_at) = cx.policy.devices_until(cx.now).filter(|_| factor.is_method()) else { return Ok(None) };
    let device = Device {
        id: cx.random.id(cx.now)?,
        account: account.id,
        epoch: account.epoch,
        created_at: cx.now,
        last_used_at: cx.now,
        expires_at,
        ip: cx.origin.ip.to_string(),
        user_agent: cx.origin.user_agent.clone(),
        session: grant.session_id(),
    };
    let (token, forgotten) = devices::insert(tx, account, &device, cx.now)?;
    let event = Event::of_owner(EventKind::DeviceRemembered, Some(device.session))
        .with("device", device.id.to_string())
        .with("forgotten", forgotten);
    accounts::record(tx, account, &cx.origin, cx.now, &event, |_| {})?;
    Ok(Some(token))
}
