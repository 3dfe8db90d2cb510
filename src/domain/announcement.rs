//! What others are told of an account: its owner by mail, and partners who may see it.

use super::{
    account::{Email, Locale},
    event::EventKind,
    id::{AccountId, ClientId, EventId},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// Days that announcements and their deliveries are kept; a partner who has not asked for so long has missed some.
pub const KEPT_DAYS: i64 = 30;
/// The detail that names the client which an event is about.
pub const CLIENT: &str = "client";
/// Characters of a user agent that others are told.
const MAX_AGENT: usize = 120;

/// What marks a program in a user agent, and what people call it; those that claim to be others come first.
const PROGRAMS: [(&str, &str); 7] = [
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// An event as others are told of it. It says everything by itself, since it outlives the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The event's id; the same in every attempt to deliver it.
    pub id: EventId,
    /// Whose account.
    pub account: AccountId,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The event's place among those of its account, in the order in which they happened.
    pub seq: i64,
    /// The address that was the account's before the event; none once the account is deleted.
    pub recipient: Option<Email>,
    /// The language that its owner reads.
    pub locale: Locale,
    /// What else may be told.
    pub facts: Facts,
}

/// What may be told of an event, beside what happened; never a secret, nor a whole address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Whether a second factor is asked for now.
    pub protected: bool,
    /// Until when others are asked to hold back what cannot be undone, if they are.
    pub restricted_until: Option<Timestamp>,
    /// Who acted: `owner`, `support`, `partner`, `system`.
    pub actor: String,
    /// From which network, see [`network_of`].
    pub network: String,
    /// With what.
    pub user_agent: String,
    /// The details of the event.
    pub details: Map<String, Value>,
    /// The clients that were let see the account, where it is gone, and that they were with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seen_by: Vec<ClientId>,
}

impl Announcement {
    /// Whether the event names a client as the one that it is about; none does of an account that is gone.
    pub fn names(&self, client: ClientId) -> bool {
        self.facts.details.get(CLIENT).and_then(Value::as_str) == Some(client.to_string().as_str())
    }
}

/// The network of an address, as others are told of it: the first 24 bits of IPv4, the first 48 of IPv6. It tells the
/// owner where somebody was, and nobody who it was.
pub fn network_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => network_of(IpAddr::V4(ip)),
            None => {
                let [a, b, c, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}::/48")
            }
        },
    }
}

/// A user agent, as others are told of it: one line of bounded length.
pub fn agent_of(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect()
}

/// The program and the system that a user agent names, of those that many people use. What it says beside is told to
/// nobody: it is whatever its sender likes.
pub fn program_of(user_agent: &str) -> Option<String> {
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let names: Vec<&str> = [named(&PROGRAMS), named(&SYSTEMS)].into_iter().flatten().collect();
    (!names.is_empty()).then(|| names.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_does_not_tell_the_address() {
        for (ip, network) in [
            ("203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:77:1::9", "2001:db8:77::/48"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ] {
            assert_eq!(network_of(ip.parse().unwrap()), network);
        }
    }

    #[test]
    fn a_program_is_told_by_name_and_in_no_words_of_its_own() {
        let firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(program_of(firefox).as_deref(), Some("Firefox · Windows"));
        assert_eq!(program_of("curl/8.5.0 see https://evil.example").as_deref(), Some("curl"));
        assert_eq!(program_of("Your account is in danger: https://evil.example"), None);
    }

    #[test]
    fn a_user_agent_is_one_line() {
        assert_eq!(agent_of("curl\r\nBcc: x"), "curlBcc: x");
        assert_eq!(agent_of(&"é".repeat(500)).chars().count(), MAX_AGENT);
    }
}
