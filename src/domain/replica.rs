//! The processes that serve one database, as far as they must agree: which keys each of them has.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A process that has not reported for so many seconds does not serve any more. It reports every few seconds, and
/// its clock and ours may differ from the database's by half a minute each.
pub const SILENT_AFTER: i64 = 90;

/// The names of all keys of a key file. In each list the first makes, all of them are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyIds {
    /// Of those that seal secrets.
    pub sealing: Vec<String>,
    /// Of those that hash recovery codes and opaque tokens.
    pub hashing: Vec<String>,
    /// Of the one that names what is looked up.
    pub naming: String,
    /// Of those that chain the audit.
    pub audit: Vec<String>,
    /// Of those that sign access tokens.
    pub signing: Vec<String>,
}

/// A process that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Drawn when it started.
    pub id: Uuid,
    /// Its machine and address, for people.
    pub name: String,
    /// The keys that it works with.
    pub keys: KeyIds,
    /// When it last said so.
    pub seen_at: Timestamp,
}
