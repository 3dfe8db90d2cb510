//! Settings that are right one by one and wrong together, or fit for a trial and not for customers.

use super::Config;

/// The longest life of an access token that is no doubt: it is only ever ended by the database.
const LONG_TOKEN: u32 = 3600;

/// Something to think about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What is so.
    pub what: String,
    /// What to do about it.
    pub fix: &'static str,
}

impl Config {
    /// What is doubtful about these settings.
    pub fn doubts(&self) -> Vec<Doubt> {
        let is_open = !self.listen.ip().is_loopback();
        let cases = [
            (
                self.session_idle > self.session_max,
                format!("a refresh token lives {} s and its session {} s", self.session_idle, self.session_max),
                "set TWOFOLD_SESSION_IDLE to at most TWOFOLD_SESSION_MAX",
            ),
            (
                self.access_token_ttl > self.session_idle,
                format!("an access token lives {} s and its session may end before", self.access_token_ttl),
                "set TWOFOLD_ACCESS_TOKEN_TTL below TWOFOLD_SESSION_IDLE",
            ),
            (
                self.access_token_ttl > LONG_TOKEN,
                format!("access tokens live {} s, so a token key can be retired only that late", self.access_token_ttl),
                "set TWOFOLD_ACCESS_TOKEN_TTL to an hour at most",
            ),
            (
                self.insecure,
                "what is only fit for tests is allowed".to_owned(),
                "take TWOFOLD_INSECURE away where customers are served",
            ),
            (
                !self.ops_listen.ip().is_loopback() && self.ops_listen.port() == self.listen.port(),
                "customers and probes share a port".to_owned(),
                "give TWOFOLD_OPS_LISTEN a port of its own",
            ),
            (
                is_open && self.ops_listen.ip().is_unspecified(),
                "the probes and metrics are open to every network".to_owned(),
                "set TWOFOLD_OPS_LISTEN to an address that only the orchestrator reaches",
            ),
            (
                is_open && self.auth_per_minute == 0,
                "nobody's sign-ins are limited by network".to_owned(),
                "set TWOFOLD_AUTH_PER_MINUTE above 0",
            ),
            (
                is_open && self.trusted_proxies.is_empty(),
                "no proxy is trusted, so all customers behind one share a network's limit".to_owned(),
                "name the proxies in TWOFOLD_TRUSTED_PROXIES, if there are any",
            ),
        ];
        let doubtful = cases.into_iter().filter(|(is_so, ..)| *is_so);
        doubtful.map(|(_, what, fix)| Doubt { what, fix }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_leave_no_doubt_and_each_case_does() {
        let defaults = Config::defaults().unwrap();
        assert_eq!(defaults.doubts(), []);
        let doubt = |config: Config| config.doubts().iter().map(|doubt| doubt.fix).collect::<Vec<_>>().join(" ");
        assert!(doubt(Config { session_idle: 99, session_max: 98, ..defaults.clone() }).contains("SESSION_IDLE"));
        assert!(doubt(Config { access_token_ttl: 7200, ..defaults.clone() }).contains("an hour"));
        assert!(doubt(Config { insecure: true, ..defaults.clone() }).contains("INSECURE"));
        let everywhere = Config { listen: "0.0.0.0:8080".parse().unwrap(), ..defaults };
        assert!(doubt(everywhere).contains("TRUSTED_PROXIES"));
    }
}
