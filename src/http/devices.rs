//! `/account/security/devices`: the devices that the second factor is not asked for on.

use super::{
    caller::{Answer, OwnerCall, Render, json},
    openapi::{Changing, Reading},
};
use crate::{
    actions::account::devices::{self, Forgotten},
    domain::{
        device::Device,
        id::{DeviceId, SessionId},
    },
};
use actix_web::{HttpResponse, delete, get, guard::GuardContext, http::StatusCode, post, web::Path};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The devices that are remembered.
#[derive(Serialize, ToSchema)]
#[schema(as = Devices)]
pub struct DevicesBody {
    /// The devices, the one that was used last first.
    devices: Vec<DeviceBody>,
}

/// A device that is remembered: a sign-in from it asks for the password alone.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceBody {
    /// Its id.
    id: Uuid,
    /// Whether the caller's own session began on it.
    current: bool,
    /// When the second factor was proved on it.
    created_at: Timestamp,
    /// When it was last signed in from.
    last_used_at: Timestamp,
    /// When it is forgotten, however often it is used until then.
    expires_at: Timestamp,
    /// The address that it was last used from.
    ip: String,
    /// The user agent that it was last used with.
    user_agent: String,
}

impl DeviceBody {
    fn new(device: Device, current: SessionId) -> Self {
        let Device { id, created_at, last_used_at, expires_at, ip, user_agent, session, .. } = device;
        Self { id: id.0, current: session == current, created_at, last_used_at, expires_at, ip, user_agent }
    }
}

/// Lists the devices that are remembered.
#[utoipa::path(operation_id = "listDevices", tag = "account", security(("bearer" = [])),
    responses((status = 200, description = "The devices", body = DevicesBody), Reading))]
#[get("/account/security/devices")]
pub async fn list_devices(call: OwnerCall) -> Answer {
    let current = call.call.holder.session;
    let devices = devices::list(&call.call).await?;
    let devices = devices.into_iter().map(|device| DeviceBody::new(device, current)).collect();
    Ok(json(StatusCode::OK, &DevicesBody { devices }))
}

/// `forget-all` is a path of its own, which has no `DELETE`.
fn names_a_device(request: &GuardContext<'_>) -> bool {
    !request.head().uri.path().ends_with("/forget-all")
}

/// Forgets a device: the next sign-in from it asks for the second factor. Sessions that began on it go on.
#[utoipa::path(operation_id = "forgetDevice", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The device")),
    responses((status = 204, description = "It is forgotten"), Changing))]
#[delete("/account/security/devices/{id}", guard = "names_a_device")]
pub async fn forget_device(call: OwnerCall, id: Path<String>) -> Answer {
    call.no_body()?;
    devices::forget(&call.call, id.parse().unwrap_or(DeviceId(Uuid::nil()))).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How many devices were forgotten.
#[derive(Serialize, ToSchema)]
#[schema(as = ForgottenDevices)]
pub struct ForgottenBody {
    /// The number.
    forgotten: usize,
}

impl Render for Forgotten {
    fn render(self, _: &OwnerCall) -> HttpResponse {
        json(StatusCode::OK, &ForgottenBody { forgotten: self.forgotten })
    }
}

/// Forgets every device.
#[utoipa::path(operation_id = "forgetAllDevices", tag = "account", security(("bearer" = [])),
    responses((status = 200, description = "They are forgotten", body = ForgottenBody), Changing))]
#[post("/account/security/devices/forget-all")]
pub async fn forget_all_devices(call: OwnerCall) -> Answer {
    call.change_without_body(devices::forget_all).await
}
