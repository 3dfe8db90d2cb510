//! One role owns the schema and migrates; another reads and writes rows and serves.

use super::migrated;
use crate::support::{
    installation::{Installation, PASSWORD, code_in, text},
    person::{CODES, DISABLE, LOGIN, REFRESH, SECOND, VERIFY},
    postgres::Server,
};
use serde_json::json;
use std::fs;

const GRANTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/grants.sql");

/// Where a role finds the database that its owner has.
fn url(server: &Server, role: &str) -> String {
    format!("postgresql:///twofold?host={}&user={role}", server.folder.display())
}

/// A server with a database, the role that owns it, and one that serves.
fn server(name: &str) -> Option<Server> {
    let server = Server::new(name)?;
    server.initialise();
    server.start(&[]);
    for statement in ["CREATE ROLE twofold_owner LOGIN", "CREATE ROLE twofold_serving LOGIN"] {
        server.execute(statement);
    }
    server.execute("CREATE DATABASE twofold OWNER twofold_owner");
    Some(server)
}

/// Gives the grants of the documentation.
fn grant(server: &Server) {
    let grants = server.folder.join("grants.sql");
    fs::copy(GRANTS, &grants).unwrap();
    fs::set_permissions(&grants, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let (file, owner) = (grants.display().to_string(), url(server, "twofold_owner"));
    server.succeeds("psql", &["-qX", "-v", "ON_ERROR_STOP=1", "-v", "serving=twofold_serving", "-f", &file, &owner]);
}

#[actix_web::test]
async fn a_role_that_may_only_read_and_write_rows_serves_and_cannot_migrate_or_alter_the_audit() {
    let Some(server) = server("roles") else { return };
    let installation = Installation::new(Some(url(&server, "twofold_serving")));
    let file = installation.path("migration-url");
    fs::write(&file, url(&server, "twofold_owner") + "\n").unwrap();
    let migrate = || {
        let mut command = installation.command();
        command.arg("migrate").env("TWOFOLD_DATABASE_MIGRATION_URL_FILE", &file).output().unwrap()
    };
    assert!(installation.refusal(|_| {}).contains("run `twofold migrate`"));
    assert!(!installation.run(&["migrate"], "").status.success(), "the serving role makes no tables");
    assert!(migrate().status.success());
    grant(&server);
    assert!(String::from_utf8_lossy(&migrate().stdout).contains("up to date"));

    installation.add_account("alice@example.test");
    let served = installation.serve();
    let (token, secret) = served.set_up("alice@example.test").await;
    let (status, verified) = served.post(VERIFY, &token, &json!({"code": code_in(&secret, 1)})).await;
    assert_eq!(status, 200, "{verified}");
    let token = text(&verified["access_token"]);
    let (status, made) = served.post(CODES, &token, &json!({"password": PASSWORD})).await;
    assert_eq!(status, 200, "{made}");
    let challenge = served.login("alice@example.test").await["challenge"].clone();
    let answer = json!({"challenge": challenge, "recovery_code": made["recovery_codes"][0]});
    let (status, signed_in) = served.post(SECOND, "", &answer).await;
    assert_eq!(status, 200, "{signed_in}");
    let refresh = json!({"refresh_token": signed_in["tokens"]["refresh_token"]});
    assert_eq!(served.post(REFRESH, "", &refresh).await.0, 200);
    let wrong = json!({"email": "alice@example.test", "password": "a guess in the dark"});
    assert_eq!(served.post(LOGIN, "", &wrong).await.0, 403);
    let token = text(&signed_in["tokens"]["access_token"]);
    assert_eq!(served.get("/account/security/events", &token).await.0, 200);
    let body = json!({"password": PASSWORD, "recovery_code": made["recovery_codes"][1]});
    let (status, disabled) = served.post(DISABLE, &token, &body).await;
    assert_eq!(status, 200, "{disabled}");
    assert!(installation.succeeds(&["audit", "verify"]).contains("every chain holds"));

    for statement in [
        "UPDATE audit SET seq = seq",
        "DELETE FROM audit_anchor",
        "DELETE FROM audit_end",
        "UPDATE restoration SET anchor = 0",
        "DELETE FROM account",
        "DELETE FROM __diesel_schema_migrations",
        "CREATE TABLE mine (id INT)",
        "ALTER TABLE account ADD COLUMN mine INT",
        "DROP TABLE account",
        "TRUNCATE audit",
    ] {
        let refused = server.runs("psql", &["-qX", "-c", statement, &url(&server, "twofold_serving")]);
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(told.contains("permission denied") || told.contains("must be owner"), "{statement}: {told}");
    }
}

/// Its events go with an account, so whoever takes over the service must not be able to.
#[actix_web::test]
async fn an_account_is_deleted_by_the_owner_and_not_by_the_role_that_serves() {
    let Some(server) = server("roles-delete") else { return };
    let installation = Installation::ready(Some(url(&server, "twofold_owner")));
    grant(&server);
    installation.add_account("alice@example.test");
    let delete = |role: &str| {
        let mut command = installation.command();
        let arguments = ["account", "delete", "--email", "alice@example.test", "--yes"];
        command.args(arguments).env("TWOFOLD_DATABASE_URL", url(&server, role)).output().unwrap()
    };
    let refused = delete("twofold_serving");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && told.contains("permission denied for table account"), "{told}");
    assert!(installation.succeeds(&["audit", "verify"]).contains("every chain holds"), "and nothing is half done");
    let deleted = delete("twofold_owner");
    assert!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
}

/// A later migration's tables are given by `ALTER DEFAULT PRIVILEGES`.
#[actix_web::test]
async fn a_table_that_a_later_migration_adds_can_be_used_without_another_grant() {
    let Some(server) = server("roles-later") else { return };
    let installation = Installation::ready(Some(url(&server, "twofold_owner")));
    grant(&server);
    server.succeeds("psql", &["-qX", "-c", "CREATE TABLE later (id INT)", &installation.database_url]);
    server.succeeds("psql", &["-qX", "-c", "INSERT INTO later VALUES (1)", &url(&server, "twofold_serving")]);
}

#[actix_web::test]
async fn a_role_without_grants_is_refused_at_the_start_and_told_why() {
    let Some(server) = migrated("roles-none") else { return };
    server.execute("CREATE ROLE stranger LOGIN");
    let stranger = format!("postgresql:///postgres?host={}&user=stranger", server.folder.display());
    let sentence = Installation::new(Some(stranger)).refusal(|_| {});
    assert!(sentence.contains("permission denied"), "{sentence}");
}
