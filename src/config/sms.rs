//! SMS, as settings.

use super::{Misconfigured, filled};
use reqwest::Url;

/// SMS: the gateway that takes them.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct SmsConfig {
    /// How the gateway is spoken to: `kannel`, as Kannel's `sendsms`, or `twilio`, as Twilio's `Messages.json`. Without
    /// one no code is sent by SMS.
    #[config(env = "TWOFOLD_SMS_GATEWAY")]
    pub gateway: Option<SmsGateway>,

    /// Where it is: for `kannel` the whole address, such as `https://sms.example.com/cgi-bin/sendsms`; for `twilio` what
    /// stands before `/2010-04-01`, such as `https://api.twilio.com`. Without TLS on this machine alone.
    #[config(env = "TWOFOLD_SMS_URL", parse_env = filled)]
    pub url: Option<String>,

    /// Our name at the gateway; for `twilio` the SID of the account.
    #[config(env = "TWOFOLD_SMS_USER", parse_env = filled)]
    pub user: Option<String>,

    /// Our password at the gateway; for `twilio` the token. `TWOFOLD_SMS_PASSWORD_FILE` names a file that holds it.
    #[config(env = "TWOFOLD_SMS_PASSWORD", parse_env = filled)]
    pub password: Option<String>,

    /// The sender: a number, a name, or for `twilio` the SID of a messaging service.
    #[config(env = "TWOFOLD_SMS_FROM", parse_env = filled)]
    pub from: Option<String>,

    /// The host of the page that asks for codes, such as `portal.example.com`: phones fill a code in there and nowhere
    /// else, where one part of an SMS has room to say so.
    #[config(env = "TWOFOLD_SMS_ORIGIN", parse_env = filled)]
    pub origin: Option<String>,
}

/// How gateways are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmsGateway {
    /// Kannel's `sendsms`.
    Kannel,
    /// Twilio's `Messages.json`, which others have too.
    Twilio,
}

/// What it takes to use a gateway, all of it there.
pub struct SmsAccess<'a> {
    /// How it is spoken to.
    pub gateway: SmsGateway,
    /// Where it is.
    pub url: Url,
    /// Our name there.
    pub user: &'a str,
    /// Our password there.
    pub password: &'a str,
    /// The sender.
    pub from: &'a str,
}

impl SmsConfig {
    /// What it takes to use the gateway; none where SMS is off.
    ///
    /// # Errors
    /// When something is missing, or what is secret would go over an open line.
    pub fn access(&self, is_insecure: bool) -> Result<Option<SmsAccess<'_>>, Misconfigured> {
        let refuse = |text: &str| Err(Misconfigured(text.to_owned()));
        let Some(gateway) = self.gateway else {
            return match (&self.url, &self.user, &self.password, &self.from) {
                (None, None, None, None) => Ok(None),
                _ => refuse("TWOFOLD_SMS_GATEWAY must say kannel or twilio where a gateway is named"),
            };
        };
        let (Some(url), Some(user), Some(password), Some(from)) = (&self.url, &self.user, &self.password, &self.from)
        else {
            return refuse(
                "TWOFOLD_SMS_GATEWAY needs TWOFOLD_SMS_URL, TWOFOLD_SMS_USER, TWOFOLD_SMS_PASSWORD and TWOFOLD_SMS_FROM beside it",
            );
        };
        let Ok(url) = Url::parse(url) else { return refuse("TWOFOLD_SMS_URL is no address") };
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return refuse("TWOFOLD_SMS_URL has no user, password or parameters; they have settings of their own");
        }
        match url.scheme() {
            "https" => {}
            "http" if is_insecure || is_here(&url) => {}
            _ => return refuse("TWOFOLD_SMS_URL must be an https:// address, or an http:// address of this machine"),
        }
        Ok(Some(SmsAccess { gateway, url, user, password, from }))
    }

    /// # Errors
    /// As [`Self::access`], and when the host of the page is none.
    pub fn check(&self, is_insecure: bool) -> Result<(), Misconfigured> {
        self.access(is_insecure)?;
        let is_host =
            |host: &String| Url::parse(&format!("https://{host}")).is_ok_and(|url| url.host_str() == Some(host));
        match self.origin.as_ref().filter(|host| !is_host(host)) {
            Some(host) => {
                Err(Misconfigured(format!("TWOFOLD_SMS_ORIGIN is a host like portal.example.com, not {host:?}")))
            }
            None => Ok(()),
        }
    }
}

/// Whether what is sent there stays on this machine (RFC 6761 §6.3).
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
