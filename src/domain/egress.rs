//! Which addresses of a network the service connects to when somebody else names them. Webhooks are such: without a
//! rule, whoever names one could look into the network that the service stands in (OWASP SSRF; ASVS 1.3.6).

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an installation allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Egress {
    /// Addresses of private networks, and of the machine itself; names that only such a network knows.
    pub private: bool,
    /// Connections without TLS.
    pub plain: bool,
}

const fn v4(a: u8, b: u8, c: u8, bits: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), bits))
}

const fn v6(a: u16, b: u16, bits: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), bits))
}

/// Networks of one's own.
const PRIVATE: [IpNet; 7] = [
    v4(10, 0, 0, 8),                                          // RFC 1918
    v4(100, 64, 0, 10),                                       // shared by a carrier's customers, RFC 6598
    v4(127, 0, 0, 8),                                         // the machine itself, RFC 1122 §3.2.1.3
    v4(172, 16, 0, 12),                                       // RFC 1918
    v4(192, 168, 0, 16),                                      // RFC 1918
    v6(0xfc00, 0, 7),                                         // unique local, RFC 4193
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)), // RFC 4291 §2.5.3
];

/// What nobody is sent anything at, in whatever installation. Clouds keep their credentials at link-local addresses.
const NEVER: [IpNet; 13] = [
    v4(0, 0, 0, 8),        // this network, RFC 1122 §3.2.1.3
    v4(169, 254, 0, 16),   // link-local, RFC 3927
    v4(192, 0, 0, 24),     // IETF protocol assignments, RFC 6890
    v4(192, 0, 2, 24),     // documentation, RFC 5737
    v4(192, 88, 99, 24),   // relays of 6to4, RFC 7526
    v4(198, 18, 0, 15),    // benchmarks, RFC 2544
    v4(198, 51, 100, 24),  // documentation, RFC 5737
    v4(203, 0, 113, 24),   // documentation, RFC 5737
    v4(224, 0, 0, 3),      // multicast, RFC 5771, and reserved, RFC 1112 §4
    v6(0x2001, 0, 23),     // IETF protocol assignments, Teredo among them, RFC 2928
    v6(0x2001, 0xdb8, 32), // documentation, RFC 3849
    v6(0x2002, 0, 16),     // 6to4, which wraps IPv4, RFC 3056
    v6(0x3fff, 0, 20),     // documentation, RFC 9637
];

/// All of IPv6 that is handed out to the public, RFC 4291 §2.4.
const PUBLIC_V6: IpNet = v6(0x2000, 0, 3);
/// IPv4 for machines that have only IPv6, RFC 6052 §2.1.
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

impl Egress {
    /// Whether a connection to `ip` may be made.
    pub fn allows(self, ip: IpAddr) -> bool {
        let ip = unwrapped(ip);
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&ip));
        if is_in(&NEVER) {
            return false;
        }
        if is_in(&PRIVATE) {
            return self.private;
        }
        ip.is_ipv4() || PUBLIC_V6.contains(&ip)
    }

    /// Whether a name may be looked up: not one that means the machine itself or its own network (RFC 6761, RFC 6762,
    /// RFC 8375), nor one without a dot, which is completed by whatever the machine is told to.
    pub fn allows_name(self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let is_local = ["localhost", "local", "internal", "home.arpa"]
            .iter()
            .any(|suffix| name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
        self.private || (name.contains('.') && !is_local)
    }
}

/// The IPv4 address that an IPv6 address stands for, where it stands for one.
fn unwrapped(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    match (v6.to_ipv4_mapped(), v6.segments()) {
        (Some(mapped), _) => mapped.into(),
        (None, [head @ .., high, low]) if head == NAT64 => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Ipv4Addr::new(a, b, c, d).into()
        }
        _ => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: Egress = Egress { private: true, plain: false };

    #[test]
    fn only_public_addresses_are_reached() {
        for ip in ["1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "198.20.0.1", "223.255.255.255"]
            .into_iter()
            .chain(["2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2001:4860:4860::8888", "2001:200::1"])
        {
            assert!(Egress::default().allows(ip.parse().unwrap()), "{ip}");
        }
        for ip in "0.0.0.0 0.1.2.3 169.254.169.254 192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 \
            198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 :: ::ffff:169.254.169.254 \
            ::ffff:0.0.0.0 64:ff9b::169.254.169.254 64:ff9b:1::1 fe80::1 fec0::1 ff02::1 2001::1 2001:db8::1 \
            2002:a00:1::1 3fff::1 ::7f00:1 100::1 5f00::1"
            .split_whitespace()
        {
            assert!(!Egress::default().allows(ip.parse().unwrap()), "{ip}");
            assert!(!CLOSED.allows(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn a_closed_network_reaches_its_own() {
        for ip in "10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 172.16.0.1 \
            172.31.255.255 192.168.0.1 ::1 fc00::1 fdff::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::10.0.0.1"
            .split_whitespace()
        {
            assert!(!Egress::default().allows(ip.parse().unwrap()), "{ip}");
            assert!(CLOSED.allows(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn names_of_a_network_are_known_there_alone() {
        for name in ["localhost", "LOCALHOST.", "a.localhost", "db", "db.internal", "printer.local.", "x.home.arpa"] {
            assert!(!Egress::default().allows_name(name) && CLOSED.allows_name(name), "{name}");
        }
        for name in ["partner.example", "hooks.partner.example.", "notlocalhost.example", "internal.example"] {
            assert!(Egress::default().allows_name(name), "{name}");
        }
    }
}
