//! Where the database is, for whom, and how connections to it are used.

use super::{Config, Misconfigured};
use crate::store::{Location, OpenError, Pooling};
use std::mem::discriminant;

impl Config {
    /// Where the database is.
    ///
    /// # Errors
    /// When the URL is neither of SQLite nor of PostgreSQL, or asks for TLS that this program was built without.
    pub fn location(&self) -> Result<Location, Misconfigured> {
        Location::parse(&self.database_url).map_err(|error| Misconfigured(error.0))
    }

    /// Where `migrate` finds the database.
    ///
    /// # Errors
    /// As [`Config::location`], and when the two are of different engines.
    pub fn migration_location(&self) -> Result<Location, Misconfigured> {
        let Some(url) = &self.database_migration_url else { return self.location() };
        let told = |error: OpenError| Misconfigured(format!("TWOFOLD_DATABASE_MIGRATION_URL: {error}"));
        let (serving, migrating) = (self.location()?, Location::parse(url).map_err(told)?);
        if discriminant(&serving) != discriminant(&migrating) {
            return Err(told(OpenError("it and TWOFOLD_DATABASE_URL must name the same database".to_owned())));
        }
        Ok(migrating)
    }

    /// How connections to PostgreSQL are used.
    pub fn pooling(&self) -> Pooling {
        Pooling { connections: self.database_pool, keeps_prepared: self.database_prepared }
    }
}
