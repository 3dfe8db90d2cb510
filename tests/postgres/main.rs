//! PostgreSQL as operators run it: TLS, several hosts in one URL, a role that may only read and write rows, and
//! PgBouncer in transaction mode.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

#[path = "../support/mod.rs"]
mod support;

mod hosts;
mod pooled;
mod roles;
mod tls;

use support::{installation::Installation, postgres::Server};
use twofold::store::{Location, migrate};

/// A server of this test's own, with a migrated database.
fn migrated(name: &str) -> Option<Server> {
    let server = Server::new(name)?;
    server.initialise();
    server.start(&[]);
    migrate(&Location::parse(&server.url("postgres")).unwrap()).unwrap();
    Some(server)
}

/// An installation with one account, on a database that is migrated.
fn with_alice(database_url: String) -> Installation {
    let installation = Installation::ready(Some(database_url));
    installation.add_account("alice@example.test");
    installation
}
