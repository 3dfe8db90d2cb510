//! `health`: asks a running `serve` whether it is ready; for a container's health check, and for people.

use super::{Failure, out};
use crate::config::{Config, Misconfigured};
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// The probe itself waits up to 10 s for the database.
const PATIENCE: Duration = Duration::from_secs(12);

/// Whom to ask.
#[derive(clap::Args)]
pub struct Args {
    /// The operations address of the `serve`; without it, that of the settings.
    #[arg(long, value_name = "ADDRESS:PORT")]
    address: Option<SocketAddr>,
}

/// What `/readyz` says.
#[derive(Deserialize)]
struct Answer {
    status: String,
}

/// Asks. Wrong settings are a failure like any other here: what waits for the exit code knows 0 and 1.
pub fn run(args: &Args, load: impl FnOnce() -> Result<Config, Misconfigured>) -> Result<(), Failure> {
    let address = match args.address {
        Some(address) => address,
        None => load().map_err(|error| Failure::new(error.0))?.ops_listen,
    };
    let address = reachable(address);
    let settings = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).proxy(None);
    let agent: ureq::Agent = settings.build().into();
    let unreachable = |error| Failure::new(format!("no answer from {address}: {error}"));
    let mut response = agent.get(format!("http://{address}/readyz")).call().map_err(unreachable)?;
    let answer = response.body_mut().read_json::<Answer>();
    let answer = answer.map_err(|_| Failure::new(format!("what listens on {address} is no Twofold")))?;
    if response.status().is_success() {
        out::say(answer.status)?;
        Ok(())
    } else {
        Err(Failure::new(format!("not ready: {}", answer.status)))
    }
}

/// Who listens on every address of a machine is asked on the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_the_loopback() {
        for (listens, asked) in [
            ("0.0.0.0:9090", "127.0.0.1:9090"),
            ("[::]:9090", "[::1]:9090"),
            ("127.0.0.1:9090", "127.0.0.1:9090"),
            ("10.1.2.3:80", "10.1.2.3:80"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
