//! What somebody can do with cuts who writes the database and does not hold the audit key.

use super::*;
use crate::support::{Engine, behind::tamper};
use twofold::domain::anchor::Anchor;

/// Alice and bob, whose chains were cut twice.
struct Scene {
    app: TestApp,
    exported: Vec<Anchor>,
}

/// Alice's cut is at row 4 of 7, bob's at row 2 of 3; `first_cut` has what they were before.
async fn scene(engine: Engine) -> Option<Scene> {
    let app = TestApp::start(engine, &[a_month]).await?;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let mut exported = vec![];
    for round in 0..3 {
        note_many(&app, alice, 2).await;
        note_many(&app, bob, 1).await;
        exported.extend(app.anchor().await);
        app.pass(20 * DAY);
        if round == 1 {
            drop_old_events(&app).await;
            tamper(&app, "CREATE TABLE first_cut AS SELECT * FROM audit_cut");
        }
    }
    drop_old_events(&app).await;
    note_many(&app, alice, 1).await;
    assert_eq!(verify(&app).await, Ok(4));
    Some(Scene { app, exported })
}

/// What is done, and what the check must then say. `@a` and `@b` are the two accounts, `@cut` is alice's.
const FORGERIES: [(&[&str], &str); 14] = [
    (&["UPDATE audit_cut SET seq = seq + 1 WHERE @cut"], "the cut at row 5: was altered"),
    (
        &[
            "UPDATE audit_cut SET seq = 5, hash = (SELECT hash FROM audit WHERE account_id = @a AND seq = 5) WHERE @cut",
            "DELETE FROM audit WHERE account_id = @a AND seq <= 5",
        ],
        "the cut at row 5: was altered",
    ),
    (&["UPDATE audit_cut SET hash = seal WHERE @cut"], "the cut at row 4: was altered"),
    (&["UPDATE audit_cut SET seal = hash WHERE @cut"], "the cut at row 4: was altered"),
    (&["UPDATE audit_cut SET key_id = 'x' WHERE @cut"], "the cut at row 4: names an audit key"),
    (&["DELETE FROM audit_cut WHERE @cut"], "stream activity, row 1: is missing"),
    (
        &["DELETE FROM audit_cut WHERE @cut", "INSERT INTO audit_cut SELECT * FROM first_cut WHERE @cut"],
        "stream activity, row 3: is missing",
    ),
    (
        &[
            "DELETE FROM audit_cut WHERE account_id = @b",
            "DELETE FROM audit WHERE account_id = @b AND seq <= 4",
            "INSERT INTO audit_cut SELECT @b, stream, seq, hash, key_id, seal FROM audit_cut WHERE @cut",
        ],
        "the cut at row 4: was altered",
    ),
    (
        &["INSERT INTO audit_cut SELECT account_id, 'state', seq, hash, key_id, seal FROM audit_cut WHERE @cut"],
        "stream state, the cut at row 4: was altered",
    ),
    (
        &[
            "DELETE FROM audit_cut WHERE @cut",
            "INSERT INTO audit_cut SELECT account_id, stream, seq, hash, key_id, hash FROM audit WHERE account_id = @a AND seq = 6",
            "DELETE FROM audit WHERE account_id = @a AND seq <= 6",
        ],
        "the cut at row 6: was altered",
    ),
    (&["DELETE FROM audit WHERE account_id = @a AND seq = 5"], "row 5: is missing"),
    (
        &["INSERT INTO audit SELECT account_id, stream, 3, 3, id || 'x', kind, at, actor_kind, actor_id, session_id, \
           ip, user_agent, request_id, details, key_id, hash FROM audit WHERE account_id = @a AND seq = 5"],
        "row 3: lies before the cut",
    ),
    (
        &["DELETE FROM audit WHERE account_id = @a", "UPDATE account SET activity = 4 WHERE id = @a"],
        "row 5: is missing at the end",
    ),
    (&["UPDATE account SET activity = 3 WHERE id = @a"], "is more than the account counts"),
];

fn said(statement: &str) -> String {
    let id = |name: &str| format!("(SELECT id FROM account WHERE email = '{name}@example.test')");
    let of_alice = format!("account_id = {}", id("alice"));
    statement.replace("@cut", &of_alice).replace("@a", &id("alice")).replace("@b", &id("bob"))
}

async fn forged(engine: Engine) {
    for (statements, sentence) in FORGERIES {
        let Some(Scene { app, .. }) = scene(engine).await else { return };
        for statement in statements {
            assert!(tamper(&app, &said(statement)) > 0, "{statement}");
        }
        let broken = verify(&app).await.unwrap_err();
        assert!(broken.contains(sentence), "{statements:?}: {broken}");
        // Nor is anything dropped from a chain that does not hold.
        app.pass(100 * DAY);
        drop_old_events(&app).await;
        assert_eq!(verify(&app).await, Err(broken), "{statements:?}");
    }
}

#[actix_web::test]
async fn no_cut_can_be_made_moved_copied_or_taken_back_on_sqlite() {
    forged(Engine::Sqlite).await;
}

#[actix_web::test]
async fn no_cut_can_be_made_moved_copied_or_taken_back_on_postgres() {
    forged(Engine::Postgres).await;
}

/// Forged rows, and what is said of them before and after they have become old.
const OLD_FORGERIES: [(&str, &str); 6] = [
    ("UPDATE audit SET ip = '10.0.0.1' WHERE account_id = @a AND seq = 6", "row 6: was altered"),
    ("UPDATE audit SET at = 0 WHERE account_id = @a AND seq = 5", "row 5: was altered"),
    ("UPDATE audit SET at = 0 WHERE account_id = @a", "row 5: was altered"),
    ("DELETE FROM audit WHERE account_id = @a AND seq = 6", "row 6: is missing"),
    ("UPDATE audit SET key_id = 'x' WHERE account_id = @a AND seq = 7", "row 7: names an audit key"),
    // A row that makes the newest look as if another one hung on it.
    (
        "INSERT INTO audit SELECT account_id, stream, 8, 8, id || 'x', kind, at, actor_kind, actor_id, session_id, ip, \
         user_agent, request_id, details, key_id, hash FROM audit WHERE account_id = @a AND seq = 7",
        "row 8: was altered",
    ),
];

#[actix_web::test]
async fn no_forgery_is_laundered_by_waiting() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for (statement, sentence) in OLD_FORGERIES {
            let Some(Scene { app, .. }) = scene(engine).await else { continue };
            assert!(tamper(&app, &said(statement)) > 0, "{statement}");
            for days in [0, 100] {
                app.pass(days * DAY);
                drop_old_events(&app).await;
                let broken = verify(&app).await.unwrap_err();
                assert!(broken.contains(sentence), "{statement}: {broken}");
            }
        }
    }
}

#[actix_web::test]
async fn anchors_account_for_what_lies_before_a_cut_and_for_nothing_else() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let forgeries: [(&[&str], &str); 4] = [
            (&[], ""),
            (&["DELETE FROM audit_cut WHERE @cut"], "row 2: was there when it was anchored"),
            (&["UPDATE audit_cut SET seq = 9 WHERE @cut"], "the cut at row 9: was altered"),
            (
                &[
                    "DELETE FROM audit_cut WHERE account_id = @b",
                    "INSERT INTO audit_cut SELECT @b, stream, seq, hash, key_id, seal FROM audit_cut WHERE @cut",
                    "DELETE FROM audit WHERE account_id = @b",
                ],
                "the cut at row 4: was altered",
            ),
        ];
        for (statements, sentence) in forgeries {
            let Some(Scene { app, exported }) = scene(engine).await else { continue };
            for statement in statements {
                assert!(tamper(&app, &said(statement)) > 0, "{statement}");
            }
            let said = audit::verify_anchors(&app.cx(), exported).await.unwrap().map_err(|broken| broken.to_string());
            match said {
                Ok(anchors) => assert_eq!((anchors.checked, sentence), (6, ""), "{statements:?}"),
                Err(broken) => assert!(!sentence.is_empty() && broken.contains(sentence), "{statements:?}: {broken}"),
            }
        }
    }
}
