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

#[derive(diesel::QueryableByName)]
struct Counted {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// Counts in it what comes after `SELECT COUNT(*) FROM`.
pub fn count(app: &TestApp, from: &str) -> i64 {
    let url = &app.config.database_url;
    let query = sql_query(format!("SELECT COUNT(*) AS n FROM {from}"));
    let counted: Counted = match url.strip_prefix("sqlite://") {
        Some(path) => query.get_result(&mut SqliteConnection::establish(path).unwrap()).unwrap(),
        None => query.get_result(&mut PgConnection::establish(url).unwrap()).unwrap(),
    };
    counted.n
}
