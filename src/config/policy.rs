//! What owners may and must do about their second factors, as settings.

/// What owners may and must do about their second factors. Durations are in seconds.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct PolicyConfig {
    /// Whether an owner may have a device remembered, so that the next sign-ins from it ask for the password alone.
    #[config(env = "TWOFOLD_REMEMBER_DEVICES", default = true)]
    pub remember_devices: bool,

    /// For how long a device is remembered after the second factor was proved on it; 0 means that none is.
    #[config(env = "TWOFOLD_DEVICE_TTL", default = 2592000)]
    pub device_ttl: u32,
}

impl PolicyConfig {
    /// For how long a device is remembered; 0 where none is.
    pub fn device_ttl(&self) -> u32 {
        if self.remember_devices { self.device_ttl } else { 0 }
    }
}
