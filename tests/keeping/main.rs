//! The operator's keeping of the service, by the program itself: keys that rotate while customers are served, copies
//! that are made and restored, and a doctor who finds what is wrong.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

#[path = "../support/mod.rs"]
mod support;

mod crowd;
mod doctor;
mod restoring;
mod rotation;

use actix_web::rt::task::spawn_blocking;
use serde_json::Value;
use std::process::{Command, Output};
use support::installation::Installation;

/// Runs a command while everybody else goes on.
async fn beside(installation: &Installation, arguments: &[&str]) -> Output {
    let mut command: Command = installation.command();
    command.args(arguments);
    spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// What a command says that succeeds.
async fn says(installation: &Installation, arguments: &[&str]) -> String {
    let output = beside(installation, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command says in JSON.
async fn tells(installation: &Installation, arguments: &[&str]) -> Value {
    serde_json::from_str(&says(installation, arguments).await).unwrap()
}

/// The one sentence of a command that fails.
async fn fails(installation: &Installation, arguments: &[&str]) -> String {
    let output = beside(installation, arguments).await;
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// Runs a statement behind the service's back; how many rows it hit.
fn execute(installation: &Installation, statement: &str) -> usize {
    use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, sql_query};
    match installation.database_url.strip_prefix("sqlite://") {
        Some(path) => sql_query(statement).execute(&mut SqliteConnection::establish(path).unwrap()).unwrap(),
        None => {
            sql_query(statement).execute(&mut PgConnection::establish(&installation.database_url).unwrap()).unwrap()
        }
    }
}
