//! The only room with diesel. It has two doors, [`Store::read`] and [`Store::write`]; what goes through
//! is a synchronous closure, so a transaction never crosses an await. How a closure runs is the
//! engine's own affair: `sqlite.rs` groups commits, `postgres.rs` retries.

pub mod accounts;
pub mod accounts_page;
pub mod anchors;
pub mod announcements;
pub mod arrivals;
mod attempts;
pub mod backup;
pub mod broken;
pub mod bypass_codes;
pub mod ceremonies;
pub mod challenges;
pub mod clients;
mod connection;
pub mod consents;
pub mod cuts;
pub mod deliveries;
pub mod delivery_log;
pub mod destinations;
pub mod devices;
pub mod ends;
mod engine;
pub mod events;
pub mod factors;
mod fault;
pub mod feed;
pub mod idempotency;
pub mod key_uses;
pub mod known_addresses;
pub mod ledger;
mod mails;
pub mod methods;
mod migrations;
pub mod partner_feed;
pub mod passkeys;
mod postgres;
pub mod provisioned;
pub mod prune;
pub mod recovery_codes;
pub mod reminders;
pub mod replicas;
pub mod requirements;
pub mod resealing;
pub mod restorations;
mod row;
mod schema;
pub mod sent_codes;
mod server_url;
pub mod sessions;
mod sqlite;
pub mod tombstones;
pub mod totp;
pub mod webhook_notices;
pub mod webhook_secrets;
pub mod webhooks;

pub use engine::{Location, OpenError, Pooling, Store};
pub use migrations::migrate;
pub use sqlite::ServeLock;

use crate::{
    crypto::{keyring::Keyring, random::Random},
    domain::guesses::Scope,
};
use attempts::Verdict;
use connection::AnyConnection;
use std::ops::{Deref, DerefMut};

/// A consistent view of the database, to read from.
pub struct Db<'a> {
    conn: &'a mut AnyConnection,
    /// The keys that open and compare what is stored.
    pub keys: &'a Keyring,
}

/// A transaction, to read from and write to.
pub struct Tx<'a> {
    db: Db<'a>,
    /// The random source of new rows.
    pub random: Random,
    held: Vec<ledger::Held>,
    settled: Vec<(Scope, Verdict)>,
    announces: bool,
    sends: bool,
}

impl<'a> Tx<'a> {
    fn new(conn: &'a mut AnyConnection, keys: &'a Keyring) -> Self {
        let (held, settled) = (Vec::new(), Vec::new());
        Self { db: Db { conn, keys }, random: Random, held, settled, announces: false, sends: false }
    }
}

impl<'a> Deref for Tx<'a> {
    type Target = Db<'a>;
    fn deref(&self) -> &Db<'a> {
        &self.db
    }
}

impl<'a> DerefMut for Tx<'a> {
    fn deref_mut(&mut self) -> &mut Db<'a> {
        &mut self.db
    }
}
