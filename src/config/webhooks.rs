//! Webhooks of partners, as settings.

use crate::domain::egress::Egress;

/// Webhooks of partners.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct WebhooksConfig {
    /// Whether they may be at addresses of private networks, for installations whose partners are in one. With
    /// `insecure`, without TLS too.
    #[config(env = "TWOFOLD_WEBHOOKS_PRIVATE", default = false)]
    pub private: bool,

    /// For how long the secret before the present one signs too.
    #[config(env = "TWOFOLD_WEBHOOKS_OVERLAP", default = 86400)]
    pub overlap: u32,
}

impl WebhooksConfig {
    /// Which addresses may be connected to.
    pub fn egress(&self, is_insecure: bool) -> Egress {
        Egress { private: self.private, plain: self.private && is_insecure }
    }
}
