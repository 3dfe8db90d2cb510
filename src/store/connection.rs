//! One connection type for both engines, so that every query is written once.

use diesel::{MultiConnection, PgConnection, SqliteConnection};

/// A connection to either engine.
#[derive(MultiConnection)]
pub enum AnyConnection {
    /// The embedded engine.
    Sqlite(SqliteConnection),
    /// The engine for more than one machine.
    Postgres(PgConnection),
}
