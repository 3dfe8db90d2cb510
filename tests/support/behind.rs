//! The database, behind the service's back.

use super::TestApp;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, sql_query};

/// Writes to it; how many rows that touched.
pub fn tamper(app: &TestApp, statement: &str) -> usize {
    let url = &app.config.database_url;
    match url.strip_prefix("sqlite://") {
        Some(path) => sql_query(statement).execute(&mut SqliteConnection::establish(path).unwrap()).unwrap(),
        None => sql_query(statement).execute(&mut PgConnection::establish(url).unwrap()).unwrap(),
    }
}
