//! Deleted accounts: nothing of them is left but a mark, and the mark cannot be made by hand.

use crate::{
    on_both_engines, said,
    support::{
        TestApp,
        installation::Installation,
        person::{LOGIN, STATUS},
    },
    whom,
};
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use serde_json::json;
use std::fs;
use twofold::actions::operator::delete;

on_both_engines!(a_deleted_person_is_nobody_and_the_anchors_hold);
on_both_engines!(a_person_may_come_back_as_somebody_new);

async fn a_deleted_person_is_nobody_and_the_anchors_hold(app: &TestApp) {
    let (alice, bob) = (app.person("alice").await.with_two_factor().await, app.person("bob").await);
    bob.sign_in().await;
    app.post(LOGIN, &json!({"email": alice.email, "password": "a wild guess"})).await;
    app.anchor().await;
    // Some of what goes was anchored, and some was not.
    alice.sign_in().await;
    delete::delete(&app.cx(), whom(&alice.email)).await.unwrap().unwrap();
    alice.get(STATUS).await.is(401);
    alice.refresh().await.is(401);
    alice.login().await.is(403).refuses("invalid-credential");
    bob.get(STATUS).await.is(200);
    assert!(delete::delete(&app.cx(), whom(&alice.email)).await.is_err(), "there is no such account");
}

async fn a_person_may_come_back_as_somebody_new(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    app.anchor().await;
    delete::delete(&app.cx(), whom(&alice.email)).await.unwrap().unwrap();
    let alice = app.person("alice").await;
    alice.sign_in().await;
    assert_eq!(alice.status().await["enabled"], false);
    assert_eq!(alice.event_kinds().await, ["login.succeeded"]);
}

fn execute(installation: &Installation, statement: &str) -> usize {
    let mut conn = SqliteConnection::establish(&installation.path("twofold.db")).unwrap();
    sql_query("PRAGMA foreign_keys = ON").execute(&mut conn).unwrap();
    sql_query(statement).execute(&mut conn).unwrap()
}

/// An installation with one account that an exported anchor has seen.
fn anchored() -> Installation {
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let set = ["account", "set-password", "--email", "alice@example.test", "--password-stdin"];
    assert!(installation.run(&set, "another password\n").status.success());
    fs::write(installation.path("anchors.jsonl"), installation.succeeds(&["audit", "export"])).unwrap();
    installation
}

fn verify(installation: &Installation) -> String {
    let anchors = installation.path("anchors.jsonl");
    said(&installation.run(&["audit", "verify", "--anchors", &anchors], ""))
}

const DELETE: [&str; 5] = ["account", "delete", "--email", "alice@example.test", "--yes"];

#[test]
fn no_deletion_can_be_made_altered_or_taken_back_by_hand() {
    let installation = anchored();
    execute(&installation, "DELETE FROM account");
    assert!(verify(&installation).contains("was there when it was anchored, and is missing"), "deleted by hand");

    let installation = anchored();
    installation.succeeds(&DELETE);
    assert_eq!(verify(&installation), "", "deleted by the operator");
    for (statement, complaint) in [
        ("UPDATE audit_end SET activity_seq = 9", "the mark of its deletion: was altered, or made by somebody else"),
        ("UPDATE audit_end SET account_id = 'x' || account_id", "was altered, or made by somebody else"),
        ("UPDATE audit_end SET key_id = 'none'", "names an audit key that the key file does not have"),
        ("DELETE FROM audit_end", "was there when it was anchored, and is missing"),
    ] {
        let kept = fs::read(installation.path("twofold.db")).unwrap();
        assert_eq!(execute(&installation, statement), 1);
        let told = verify(&installation);
        assert!(told.contains(complaint), "{statement}: {told}");
        for rest in ["twofold.db-wal", "twofold.db-shm"] {
            let _ = fs::remove_file(installation.path(rest));
        }
        fs::write(installation.path("twofold.db"), kept).unwrap();
    }
}

#[test]
fn an_account_whose_audit_was_altered_is_not_deleted() {
    let installation = anchored();
    assert_eq!(execute(&installation, "UPDATE audit SET ip = '192.0.2.1'"), 1);
    let refused = installation.run(&DELETE, "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("nothing was deleted"), "{}", said(&refused));
    assert!(installation.succeeds(&["account", "list"]).contains("alice@example.test"));
    assert_eq!(execute(&installation, "DELETE FROM announcement WHERE kind = 'account.deleted'"), 0, "nor told so");
}

#[test]
fn nothing_that_names_a_deleted_person_is_left_in_any_table() {
    let installation = anchored();
    let id = installation.succeeds(&["account", "list"]).split_whitespace().next().unwrap().to_owned();
    let without_yes = installation.run(&DELETE[..4], "");
    assert_eq!(without_yes.status.code(), Some(2), "it asks for --yes");
    installation.succeeds(&DELETE);
    for table in [
        "account",
        "method",
        "session",
        "audit",
        "delivery",
        "bucket",
        "known_address",
        "challenge",
        "device",
        "idempotency",
    ] {
        assert_eq!(execute(&installation, &format!("DELETE FROM {table}")), 0, "{table}");
    }
    execute(&installation, "VACUUM");
    execute(&installation, "PRAGMA wal_checkpoint(TRUNCATE)");
    let bytes = fs::read(installation.path("twofold.db")).unwrap();
    let holds = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(!holds("alice@example.test"), "her address is nowhere");
    assert!(holds(&id), "her random id stands in the mark and in the anchors");
}
