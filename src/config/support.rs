//! The support desk that customers are shown, as settings.

use super::filled::filled;
use crate::domain::policy::Support;

/// Whom a locked-out owner turns to.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct SupportConfig {
    /// An e-mail address.
    #[config(env = "TWOFOLD_SUPPORT_EMAIL", parse_env = filled)]
    pub email: Option<String>,
    /// A telephone number.
    #[config(env = "TWOFOLD_SUPPORT_PHONE", parse_env = filled)]
    pub phone: Option<String>,
    /// A page.
    #[config(env = "TWOFOLD_SUPPORT_URL", parse_env = filled)]
    pub url: Option<String>,
}

impl SupportConfig {
    /// Whom customers are told to turn to.
    pub fn policy(&self) -> Support {
        let Self { email, phone, url } = self.clone();
        Support { email, phone, url }
    }
}
