//! Mail to account owners, as settings.

use super::{Misconfigured, filled};
use std::path::PathBuf;

/// Mail to account owners about what happens to their accounts.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct MailConfig {
    /// The server that takes our mail: `smtps://user:password@host` (port 465), or `smtp://…` (port 587), where STARTTLS is
    /// required; with `?tls=none` in the clear, to this machine alone. Percent-encode what is special in user and
    /// password. A path is the name that we greet with. Without a URL no mail is sent. `TWOFOLD_MAIL_URL_FILE` names a file
    /// that holds it.
    #[config(env = "TWOFOLD_MAIL_URL", parse_env = filled)]
    pub url: Option<String>,

    /// The sender, such as `Example Hosting <security@example.com>`.
    #[config(env = "TWOFOLD_MAIL_FROM", parse_env = filled)]
    pub from: Option<String>,

    /// A folder whose files stand in for ours: `layout.html`, `layout.txt`, those of one kind of event such as
    /// `two_factor.disabled.html`, and texts in `en.ftl`, `ms.ftl`, `zh-Hans.ftl`.
    #[config(env = "TWOFOLD_MAIL_TEMPLATES", parse_env = filled)]
    pub templates: Option<PathBuf>,

    /// The certificates, as a PEM file, of the authorities that the server's certificate must come from; without it those
    /// that the system trusts.
    #[config(env = "TWOFOLD_MAIL_CA", parse_env = filled)]
    pub ca: Option<PathBuf>,

    /// Where customers reach this service, such as `https://security.example.com`: links in mails begin with it.
    #[config(env = "TWOFOLD_PUBLIC_URL", parse_env = filled)]
    pub public_url: Option<String>,
}

impl MailConfig {
    /// # Errors
    /// When there is a server and nothing to send from or to link to, or links would lead over an open line.
    pub fn check(&self, is_insecure: bool) -> Result<(), Misconfigured> {
        let refuse = |text: &str| Err(Misconfigured(text.to_owned()));
        if let Some(url) = &self.public_url {
            let is_web = url.starts_with("https://") || is_insecure && url.starts_with("http://");
            if !is_web || url.contains(['?', '#', '"', '\'', '<', '>', '&']) || url.contains(char::is_whitespace) {
                return refuse("TWOFOLD_PUBLIC_URL must be an https:// address without parameters");
            }
        }
        match self.url.is_some() && (self.from.is_none() || self.public_url.is_none()) {
            true => refuse("TWOFOLD_MAIL_URL needs TWOFOLD_MAIL_FROM and TWOFOLD_PUBLIC_URL beside it"),
            false => Ok(()),
        }
    }
}
