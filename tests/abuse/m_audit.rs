//! M: the audit tells what happened, also to somebody who can write to the database.

use crate::{
    on_both_engines,
    support::{
        Engine, TestApp,
        behind::tamper,
        installation::{Installation, PASSWORD},
        person::{EVENTS, Person, STATUS},
    },
};
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use serde_json::{Value, json};
use twofold::actions::audit;

/// What is done to the rows, and what the check must then say.
const FORGERIES: [(&str, &str); 18] = [
    ("UPDATE audit SET kind = 'method.removed' WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET at = at - 1 WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET id = id || 'x' WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET actor_kind = 'support' WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET actor_id = 'somebody' WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET session_id = NULL WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET user_agent = 'x' WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET request_id = 'x' WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET ordinal = ordinal + 1000 WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET key_id = 'x' WHERE @2", "stream state, row 2"),
    ("UPDATE audit SET hash = (SELECT hash FROM audit AS one WHERE @one) WHERE @2", "stream state, row 2: was altered"),
    ("UPDATE audit SET details = '{\"x\":1}' WHERE @a1", "stream activity, row 1: was altered"),
    ("DELETE FROM audit WHERE @a1", "stream activity, row 1: is missing"),
    ("UPDATE audit SET seq = 4 WHERE @3", "stream state, row 3: is missing"),
    ("UPDATE audit SET stream = 'activity', seq = 999 WHERE @3", "row"),
    ("DELETE FROM audit WHERE stream = 'state'", "stream state, row 1: is missing"),
    ("DELETE FROM audit", "row 1: is missing"),
    ("UPDATE account SET version = version + 1", "stream state, row 4: is missing"),
];

/// A forgery of alice's rows alone.
fn of_alice(statement: &str) -> String {
    let alice = "account_id = (SELECT id FROM account WHERE email = 'alice@example.test')";
    let one = format!("one.{alice} AND one.stream = 'state' AND one.seq = 1");
    let mut text = statement.replace("@one", &one);
    for (mark, stream, seq) in [("@2", "state", 2), ("@3", "state", 3), ("@a1", "activity", 1)] {
        text = text.replace(mark, &format!("{alice} AND stream = '{stream}' AND seq = {seq}"));
    }
    text
}

async fn forged(engine: Engine) {
    for (statement, sentence) in FORGERIES {
        let Some(app) = TestApp::start(engine, &[]).await else { return };
        let alice = app.person("alice").await.with_two_factor().await;
        alice.disable(json!({})).await.is(200);
        app.person("bob").await.sign_in().await;
        audit::verify(&app.cx(), None).await.unwrap().unwrap();
        assert!(tamper(&app, &of_alice(statement)) > 0, "{statement}");
        let broken = audit::verify(&app.cx(), None).await.unwrap().expect_err(statement).to_string();
        assert!(broken.contains(sentence), "{statement}: {broken}");
    }
}

/// M01: an audit that its own database can rewrite accuses whom the intruder likes.
#[actix_web::test]
async fn no_column_of_no_row_can_be_changed_unseen_on_sqlite() {
    forged(Engine::Sqlite).await;
}

/// M01: the same on the other engine.
#[actix_web::test]
async fn no_column_of_no_row_can_be_changed_unseen_on_postgres() {
    forged(Engine::Postgres).await;
}

/// M01: rows that are true elsewhere: of another account, or of another installation with other keys.
#[actix_web::test]
async fn a_row_that_is_true_elsewhere_is_false_here() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let Some(app) = TestApp::start(engine, &[]).await else { continue };
        app.person("alice").await.with_two_factor().await;
        app.person("bob").await.with_two_factor().await;
        let id = |name: &str| format!("(SELECT id FROM account WHERE email = '{name}@example.test')");
        let theirs = |column: &str| {
            let other = format!("SELECT other.{column} FROM audit AS other WHERE other.account_id = {}", id("bob"));
            format!("{column} = ({other} AND other.stream = 'state' AND other.seq = 2)")
        };
        let columns =
            ["kind", "at", "session_id", "ip", "user_agent", "request_id", "details", "key_id", "hash", "actor_id"];
        let all = columns.map(theirs).join(", ");
        let here = format!("WHERE account_id = {} AND stream = 'state' AND seq = 2", id("alice"));
        assert_eq!(tamper(&app, &format!("UPDATE audit SET {all} {here}")), 1);
        let broken = audit::verify(&app.cx(), None).await.unwrap().unwrap_err().to_string();
        assert!(broken.contains("stream state, row 2: was altered"), "{broken}");
    }
}

/// M01: the command that an operator runs says so too, and ends as a command ends that found something.
#[test]
fn the_command_names_the_first_bad_row() {
    let installation = Installation::ready(None);
    let id = installation.add_account("alice@example.test");
    let set = ["account", "set-password", "--email", "alice@example.test", "--password-stdin"];
    for _ in 0..3 {
        assert!(installation.run(&set, PASSWORD).status.success());
    }
    let mut conn = SqliteConnection::establish(&installation.path("twofold.db")).unwrap();
    assert_eq!(sql_query("UPDATE audit SET ip = '10.0.0.1' WHERE seq >= 2").execute(&mut conn).unwrap(), 2);
    for arguments in [&["audit", "verify"][..], &["audit", "verify", "--account", &id]] {
        let told = installation.run(arguments, "");
        let sentence = String::from_utf8(told.stderr).unwrap();
        assert_eq!(told.status.code(), Some(1), "{sentence}");
        assert!(sentence.contains(&id) && sentence.contains("row 2: was altered"), "{sentence}");
    }
}

async fn events(person: &Person<'_>, query: &str) -> (Vec<Value>, Value) {
    let page = person.get(&format!("{EVENTS}{query}")).await.is(200);
    (page.body["events"].as_array().unwrap().clone(), page.body["next_cursor"].clone())
}

on_both_engines!(a_page_stays_where_it_is_whatever_is_written_meanwhile);
/// M04: a list that shifts while it is read shows some rows twice and others never.
async fn a_page_stays_where_it_is_whatever_is_written_meanwhile(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..6 {
        alice.login().await.is(200);
        app.pass(30);
        let stepped_up = alice.verify(&alice.fresh_code()).await.is(200);
        alice.take_tokens(&stepped_up, "");
        app.pass(90);
        alice.refresh().await.is(200);
    }
    let whole = events(&alice, "?limit=100").await.0;
    for limit in [1, 2, 7] {
        let (mut read, mut cursor) = (Vec::new(), String::new());
        loop {
            let (page, next) = events(&alice, &format!("?limit={limit}{cursor}")).await;
            assert!(page.len() <= limit);
            // The same page again, after something was written, is the same page.
            alice.elsewhere().answer_challenge(json!({"recovery_code": "0".repeat(24)})).await;
            if !cursor.is_empty() {
                assert_eq!(events(&alice, &format!("?limit={limit}{cursor}")).await.0, page);
            }
            read.extend(page);
            let Some(next) = next.as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let from = read.iter().position(|event| event["id"] == whole[0]["id"]).unwrap();
        assert_eq!(read[from..], whole, "pages of {limit}");
    }
    assert_eq!(alice.get(STATUS).await.is(200).body["enabled"], true);
}
