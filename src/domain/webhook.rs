//! An address of a partner's that announcements are sent to.

use super::{
    account::{Email, line},
    egress::Egress,
    event::EventKind,
    id::{ClientId, WebhookId},
    refusal::{Refusal, Rule},
};
use jiff::{SignedDuration, Timestamp};
use std::{fmt, net::IpAddr, str::FromStr};
use url::{Host, Url};

/// Webhooks that a client has at most.
pub const MAX_WEBHOOKS: usize = 10;
/// A receiver that has taken nothing for so long is given up.
pub const FAILING_MAX: SignedDuration = SignedDuration::from_hours(72);
const URL_MAX_BYTES: usize = 2048;
const DESCRIPTION_MAX_CHARS: usize = 200;
/// Ports below this one belong to the services of a machine (RFC 6335 §6); those of HTTPS are among them.
const FIRST_FREE_PORT: u16 = 1024;

/// A webhook, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose it is.
    pub client: ClientId,
    /// Where it is.
    pub url: WebhookUrl,
    /// What it is told.
    pub kinds: Kinds,
    /// What its owner calls it.
    pub description: Option<Description>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when nothing is sent to it, and why; `None` while it is told.
    pub disabled: Option<(Timestamp, Because)>,
    /// Since when it has taken nothing, though it was told; `None` when it took what it was told last.
    pub failing_since: Option<Timestamp>,
    /// Until when the secret before the present one signs too.
    pub previous_until: Option<Timestamp>,
}

/// Why a webhook is told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// Its client asked for it.
    Asked,
    /// It answered 410 (RFC 9110 §15.5.11).
    Gone,
    /// It has taken nothing for [`FAILING_MAX`].
    Failing,
}

impl Because {
    const ALL: [Self; 3] = [Self::Asked, Self::Gone, Self::Failing];

    /// The word that it is stored and told under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

impl FromStr for Because {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|because| because.as_str() == text).ok_or(())
    }
}

/// What a client's contact is told: that we have disabled a webhook.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Which webhook.
    pub webhook: WebhookId,
    /// Whom to write to.
    pub contact: Email,
    /// Why it is disabled.
    pub because: Because,
    /// Since when.
    pub at: Timestamp,
    /// When somebody else may try to send it.
    pub lease_until: Timestamp,
}

/// An address that may be connected to, as far as it tells: what its name stands for is looked at again whenever a
/// connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// Reads an address: `https`, without user, password and fragment, to port 443, 8443 or one from 1024 on, of a
    /// public host.
    ///
    /// # Errors
    /// `validation-failed` at `pointer`.
    pub fn parse(text: &str, egress: Egress, pointer: &'static str) -> Result<Self, Refusal> {
        let refuse = || Rule::WebhookUrl.at(pointer);
        // The standard passes over some of these characters, and takes others for one another.
        let is_plain = text.len() <= URL_MAX_BYTES && !text.chars().any(|c| c.is_control() || " \\#".contains(c));
        let url = Url::parse(text).ok().filter(|_| is_plain).map(Self).ok_or_else(refuse)?;
        let is_nobodys = url.0.username().is_empty() && url.0.password().is_none();
        let is_fit = is_nobodys && (url.0.scheme() == "https" || (egress.plain && url.0.scheme() == "http"));
        let port = url.0.port_or_known_default().unwrap_or_default();
        let is_open = matches!(port, 443 | 8443 | FIRST_FREE_PORT..) || (egress.plain && port == 80);
        if is_fit && is_open && url.may_be_asked(egress) { Ok(url) } else { Err(refuse()) }
    }

    /// Whether it may be connected to, as far as its host tells.
    pub fn may_be_asked(&self, egress: Egress) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => egress.allows_name(name),
            Some(Host::Ipv4(ip)) => egress.allows(ip.into()),
            Some(Host::Ipv6(ip)) => egress.allows(ip.into()),
            None => false,
        }
    }

    /// The name that is to be looked up; none where the address needs no looking up.
    pub fn name(&self) -> Option<&str> {
        self.0.domain()
    }

    /// The text, as it is connected to.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// From where it was stored.
    pub fn stored(text: &str) -> Option<Self> {
        Url::parse(text).ok().filter(Url::has_host).map(Self)
    }
}

/// That the name of a webhook stands for an address that is not to be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host is at an address that is not public")]
pub struct NotPublic(pub IpAddr);

/// What a webhook is told: everything that partners are told, also what comes to that later, or these kinds alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds(Option<Vec<EventKind>>);

impl Kinds {
    /// Everything.
    pub const ALL: Self = Self(None);

    /// Reads names of kinds.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when there is none, or one that partners are not told of.
    pub fn parse(names: &[String], pointer: &'static str) -> Result<Self, Refusal> {
        let kind = |name: &String| name.parse::<EventKind>().ok().filter(|kind| kind.is_for_partners());
        let mut kinds: Vec<EventKind> = Vec::new();
        for name in names {
            let kind = kind(name).ok_or_else(|| Rule::WebhookKinds.at(pointer))?;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        if kinds.is_empty() { Err(Rule::WebhookKinds.at(pointer)) } else { Ok(Self(Some(kinds))) }
    }

    /// Whether `kind` is told.
    pub fn hold(&self, kind: EventKind) -> bool {
        self.0.as_ref().map_or_else(|| kind.is_for_partners(), |kinds| kinds.contains(&kind))
    }

    /// The kinds; `None` for everything.
    pub fn named(&self) -> Option<&[EventKind]> {
        self.0.as_deref()
    }
}

/// Names with one space between them.
impl FromStr for Kinds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(' ').map(str::parse).collect::<Result<_, _>>().map(|kinds| Self(Some(kinds)))
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().flatten().map(|kind| kind.name().unwrap_or_default());
        f.write_str(&names.collect::<Vec<_>>().join(" "))
    }
}

/// What a client calls a webhook: 1 to 200 characters, trimmed, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when it is empty, too long, or holds control characters.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        line(text, DESCRIPTION_MAX_CHARS).map(Self).ok_or_else(|| Rule::WebhookDescription.at(pointer))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: Egress = Egress { private: true, plain: false };

    #[test]
    fn an_address_is_a_public_one() {
        for text in [
            "https://partner.example/hooks?x=1",
            "https://partner.example:8443",
            "https://partner.example:1024/",
            "https://1.1.1.1/",
            "https://[2606:4700::1111]/",
        ] {
            assert!(WebhookUrl::parse(text, Egress::default(), "/url").is_ok(), "{text}");
        }
        // J01 of the security design, and its neighbours.
        for text in "http://partner.example/ https://127.0.0.1/ https://0.0.0.0/ https://[::1]/ https://0/ \
            https://[::ffff:169.254.169.254]/ https://2130706433/ https://0x7f.1/ https://0177.0.0.1/ https://127.1/ \
            https://10.1.2.3/ https://100.64.0.1/ https://[fc00::1]/ https://localhost./ https://localhost/ \
            https://a.localhost/ https://user:pw@partner.example/ https://user@partner.example/ \
            https://user:@partner.example/ file:///etc/passwd ftp://partner.example/ gopher://partner.example/ \
            https://partner.example:22/ https://partner.example:80/ https://partner.example:0/ \
            https://partner.example/#x https://partner.example\\@127.0.0.1/ https:/// https://  partner.example / \
            javascript:alert(1) data:,x https://intranet/ https://１２７.0.0.1/ https://127。0。0。1/ \
            https://[::ffff:7f00:1]/ https://[64:ff9b::7f00:1]/ https://[fe80::1%25eth0]/ https://[::]/"
            .split_whitespace()
            .chain(["https://partner.example/a b", "https://partner\t.example/", "https://partner.example/\n"])
        {
            assert!(WebhookUrl::parse(text, Egress::default(), "/url").is_err(), "{text}");
        }
        let long = format!("https://partner.example/{}", "x".repeat(2048));
        assert!(WebhookUrl::parse(&long, Egress::default(), "/url").is_err());
    }

    #[test]
    fn a_closed_network_has_its_own_and_no_clouds_credentials() {
        for text in ["https://10.1.2.3/", "https://intranet:8443/x", "https://localhost:9999/"] {
            assert!(WebhookUrl::parse(text, CLOSED, "/url").is_ok(), "{text}");
        }
        for text in ["https://169.254.169.254/", "http://10.1.2.3/", "https://10.1.2.3:22/"] {
            assert!(WebhookUrl::parse(text, CLOSED, "/url").is_err(), "{text}");
        }
        let plain = Egress { private: true, plain: true };
        assert!(WebhookUrl::parse("http://127.0.0.1:9999/x", plain, "/url").is_ok());
        assert!(WebhookUrl::parse("ftp://127.0.0.1:9999/x", plain, "/url").is_err());
    }

    #[test]
    fn kinds_are_those_that_partners_are_told() {
        let names = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let kinds = Kinds::parse(&names("two_factor.disabled two_factor.enabled two_factor.disabled"), "").unwrap();
        assert_eq!(kinds.to_string(), "two_factor.disabled two_factor.enabled");
        assert_eq!(kinds.to_string().parse(), Ok(kinds.clone()));
        assert!(kinds.hold(EventKind::TwoFactorDisabled) && !kinds.hold(EventKind::AccountDeleted));
        assert!(Kinds::ALL.hold(EventKind::AccountDeleted) && !Kinds::ALL.hold(EventKind::PasswordChanged));
        for text in ["", "login.succeeded", "two_factor", "two_factor.disabled *"] {
            assert!(Kinds::parse(&names(text), "").is_err(), "{text}");
        }
    }
}
