//! Where a request comes from, and how many a network may send to the sign-in.

use crate::domain::refusal::{Limit, Refusal};
use actix_web::{HttpRequest, http::header::HeaderMap};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DashMapStateStore,
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

/// Checks between two sweeps of networks that have been quiet.
const SWEEP_EVERY: u32 = 4096;

/// The client's address: the peer's, or, where the peer is a trusted proxy, the nearest hop in
/// `X-Forwarded-For` that is not one. What an untrusted peer claims is not looked at.
pub fn client(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    nearest_untrusted(peer, request.headers(), trusted)
}

fn nearest_untrusted(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut nearest = peer;
    let lines: Vec<&[u8]> = headers.get_all("X-Forwarded-For").map(|line| line.as_bytes()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b',')) {
        if !is_trusted(&nearest) {
            break;
        }
        let Some(hop) = std::str::from_utf8(hop).ok().and_then(|hop| address(hop.trim())) else { break };
        nearest = hop.to_canonical();
    }
    nearest
}

/// An address, as proxies write it: alone, in brackets, or with the port that it came from.
fn address(hop: &str) -> Option<IpAddr> {
    let in_brackets = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    let alone = in_brackets.unwrap_or(hop).parse().ok();
    alone.or_else(|| hop.parse().ok().map(|with_port: SocketAddr| with_port.ip()))
}

/// A token bucket a network, of this replica alone: it sheds load. Guesses are the ledger's business.
pub struct NetworkLimit {
    limiter: RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock>,
    per_minute: u32,
    checks: AtomicU32,
}

impl NetworkLimit {
    /// `per_minute` requests a network in the long run, `burst` at once; `None` when either is zero.
    pub fn new(per_minute: u32, burst: u32) -> Option<Self> {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute)?).allow_burst(NonZeroU32::new(burst)?);
        Some(Self { limiter: RateLimiter::dashmap(quota), per_minute, checks: AtomicU32::new(0) })
    }

    /// Takes a token.
    ///
    /// # Errors
    /// `too-many-attempts` when there is none.
    pub fn check(&self, ip: IpAddr) -> Result<(), Refusal> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(&network(ip)).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            let retry_after = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            Refusal::TooManyAttempts(Limit { policy: "address", quota: self.per_minute, window: 60, retry_after })
        })
    }
}

/// Who holds one IPv6 address holds its /64.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn client_of(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut request = TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap());
        for line in forwarded {
            request = request.append_header(("X-Forwarded-For", *line));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client(&request.to_http_request(), &trusted).to_string()
    }

    #[test]
    fn only_trusted_hops_are_believed() {
        assert_eq!(client_of("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(client_of("10.0.0.1", &["198.51.100.1, 203.0.113.5"], &["10.0.0.0/8"]), "203.0.113.5");
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1", "203.0.113.5, 10.0.0.2"], &["10.0.0.0/8"]), "203.0.113.5");
        assert_eq!(client_of("10.0.0.1", &["nonsense"], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(client_of("[::ffff:10.0.0.1]", &["2001:db8::1"], &["10.0.0.0/8"]), "2001:db8::1");
    }

    #[test]
    fn a_hop_is_read_with_its_port_and_in_brackets() {
        for (hop, ip) in [
            ("203.0.113.5:4711", "203.0.113.5"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("203.0.113.5:", "10.0.0.1"),
            ("[203.0.113.5", "10.0.0.1"),
        ] {
            assert_eq!(client_of("10.0.0.1", &[hop], &["10.0.0.0/8"]), ip, "{hop}");
        }
    }

    #[test]
    fn a_network_is_a_64_and_has_its_burst() {
        let limit = NetworkLimit::new(1, 3).unwrap();
        let outcomes = (1..=4).map(|host| limit.check(format!("2001:db8::{host}").parse().unwrap()).is_ok());
        assert_eq!(outcomes.collect::<Vec<_>>(), [true, true, true, false]);
        assert!(limit.check("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }
}
