//! The database, behind the service's back.

use super::TestApp;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, sql_query};

/// Writes to it; how many rows that touched.
pub fn tamper(app: &TestApp, statement: &str) -> usize {
    tamper_with(&app.config.database_url, statement)
}

/// Writes to the database at `url`; how many rows that touched.
pub fn tamper_with(url: &str, statement: &str) -> usize {
    match url.strip_prefix("sqlite://") {
        Some(path) => sql_query(statement).execute(&mut SqliteConnection::establish(path).unwrap()).unwrap(),
        None => sql_query(statement).execute(&mut PgConnection::establish(url).unwrap()).unwrap(),
    }
}

#[derive(diesel::QueryableByName)]
struct Counted {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// Counts in it what comes after `SELECT COUNT(*) FROM`.
pub fn count(app: &TestApp, from: &str) -> i64 {
    count_in(&app.config.database_url, from)
}

/// Counts in the database at `url` what comes after `SELECT COUNT(*) FROM`.
pub fn count_in(url: &str, from: &str) -> i64 {
    let query = sql_query(format!("SELECT COUNT(*) AS n FROM {from}"));
    let counted: Counted = match url.strip_prefix("sqlite://") {
        Some(path) => query.get_result(&mut SqliteConnection::establish(path).unwrap()).unwrap(),
        None => query.get_result(&mut PgConnection::establish(url).unwrap()).unwrap(),
    };
    counted.n
}
