//! What a URL of PostgreSQL says, as far as we must know before libpq reads it.

use super::engine::OpenError;

/// A server that has vanished shows within seconds; whatever the URL says goes first.
const PATIENCE: &str =
    "connect_timeout=2&keepalives_idle=5&keepalives_interval=2&keepalives_count=3&tcp_user_timeout=8000";
/// Of several servers, the one that takes writes; whatever the URL says goes first.
const PRIMARY: &str = "target_session_attrs=read-write&";

/// Refuses a URL that asks for what this program was built without.
pub fn check(url: &str) -> Result<(), OpenError> {
    match tls_demanded(url) {
        Some(mode) if !cfg!(feature = "postgres-tls") => Err(OpenError(format!(
            "the database URL asks for TLS ({mode}), and this program was built without it; build it with the \
             feature `postgres-tls`"
        ))),
        _ => Ok(()),
    }
}

/// The URL as libpq gets it: what we ask for stands before its own parameters, since of two the last counts.
pub fn for_libpq(url: &str) -> String {
    let (address, parameters) = split(url);
    let primary = if has_several_hosts(url) { PRIMARY } else { "" };
    format!("{address}?{PATIENCE}&{primary}{parameters}").trim_end_matches('&').to_owned()
}

/// A URL before and behind the `?` of its parameters. One that stands in the password is none: as libpq reads it,
/// an `@` before the first `/` ends what is said of the user.
fn split(url: &str) -> (&str, &str) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let user = url[start..].find(['@', '/']).filter(|at| url[start + at..].starts_with('@')).unwrap_or(0);
    match url[start + user..].find('?') {
        Some(at) => (&url[..start + user + at], &url[start + user + at + 1..]),
        None => (url, ""),
    }
}

/// The parameters, in their order.
fn parameters(url: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    split(url).1.split('&').filter_map(|parameter| parameter.split_once('='))
}

/// The parameter that makes a connection in the clear impossible.
fn tls_demanded(url: &str) -> Option<&'static str> {
    let (name, value) = parameters(url).rfind(|(name, _)| ["sslmode", "ssl"].contains(name))?;
    match (name, value) {
        ("sslmode", "require") => Some("sslmode=require"),
        ("sslmode", "verify-ca") => Some("sslmode=verify-ca"),
        ("sslmode", "verify-full") => Some("sslmode=verify-full"),
        // The spelling of JDBC, which libpq takes too.
        ("ssl", "true") => Some("ssl=true"),
        _ => None,
    }
}

/// Whether more than one server is named, before the path or in `host` or `hostaddr`.
fn has_several_hosts(url: &str) -> bool {
    let address = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = address.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let is_list = |(name, value): (&str, &str)| {
        ["host", "hostaddr"].contains(&name) && (value.contains(',') || value.to_ascii_lowercase().contains("%2c"))
    };
    hosts.contains(',') || parameters(url).any(is_list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_demanded_by_the_modes_that_never_do_without_it() {
        for (url, demanded) in [
            ("postgres://h/d?sslmode=require", true),
            ("postgres://h/d?sslmode=disable&sslmode=verify-ca", true),
            ("postgres://h/d?application_name=x&sslmode=verify-full&sslrootcert=/ca.pem", true),
            ("postgres://h/d?ssl=true", true),
            ("postgres://h/d", false),
            ("postgres://h/d?sslmode=prefer", false),
            ("postgres://h/d?sslmode=verify-full&sslmode=disable", false),
            ("postgres://u:sslmode=require@h/d", false),
        ] {
            assert_eq!(tls_demanded(url).is_some(), demanded, "{url}");
            let refusal = check(url).err().map(|error| error.0).unwrap_or_default();
            let is_refused = demanded && !cfg!(feature = "postgres-tls");
            assert_eq!(refusal.contains("`postgres-tls`"), is_refused, "{url}: {refusal}");
        }
    }

    #[test]
    fn of_several_hosts_the_one_that_takes_writes_is_asked_for() {
        for (url, several) in [
            ("postgres://h1,h2/d", true),
            ("postgres://u:p@h1:5432,h2:5433/d?connect_timeout=1", true),
            ("postgres:///d?host=/one,/two", true),
            ("postgres:///d?host=h1%2Ch2", true),
            ("postgres://u:a,b@h/d", false),
            ("postgres://h/d,e", false),
            ("postgres:///d?options=-c,x", false),
        ] {
            assert_eq!(for_libpq(url).contains("target_session_attrs=read-write"), several, "{url}");
        }
        let own = for_libpq("postgres://h1,h2/d?target_session_attrs=primary");
        assert!(own.ends_with("&target_session_attrs=primary"), "the last counts: {own}");
        assert_eq!(for_libpq("postgres://h/d"), format!("postgres://h/d?{PATIENCE}"));
    }
}
