//! The engine's promises, and what happens when somebody else has written to the database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use futures_util::future::join_all;
use serde_json::json;
use std::{
    collections::HashSet,
    panic,
    sync::{Arc, Mutex, mpsc},
};
use support::{
    TestApp,
    behind::tamper,
    person::{Person, SECOND, STATUS},
};
use twofold::{
    actions::audit,
    domain::{
        account::Email,
        anchor::{Anchor, Head},
        event::{Event, EventKind, Origin},
        id::AccountId,
        refusal::{Fault, Refusal, Stop},
    },
    store::{
        Store, Tx,
        accounts::{self, NewAccount},
        anchors::Walk,
    },
};

/// A change of an account that every test can make: it counts the account's events up by one.
fn note(tx: &mut Tx<'_>, app: &(Origin, jiff::Timestamp), id: AccountId) -> Result<(), Stop> {
    let mut account = accounts::lock(tx, id)?.ok_or(Refusal::NotFound)?;
    let event = Event::of_system(EventKind::SessionRevoked);
    Ok(accounts::record(tx, &mut account, &app.0, app.1, &event, |_| {})?)
}

/// An account with one event.
fn add(tx: &mut Tx<'_>, at: &(Origin, jiff::Timestamp), email: &str) -> Result<(), Stop> {
    let id = tx.random.id(at.1)?;
    accounts::insert(tx, id, &NewAccount::of(Email::parse(email, "")?, String::new()), at.1)?;
    note(tx, at, id)
}

async fn activity(app: &TestApp, id: AccountId) -> i64 {
    app.store().read("test", move |db| Ok(accounts::by_id(db, id)?.unwrap().activity)).await.unwrap()
}

async fn account(app: &TestApp) -> (AccountId, (Origin, jiff::Timestamp)) {
    let id = app.add_account("alice@example.test", "a long password").await.parse().unwrap();
    (id, (app.cx().origin, app.now()))
}

on_both_engines!(a_refusal_keeps_what_was_written_and_a_fault_does_not);
async fn a_refusal_keeps_what_was_written_and_a_fault_does_not(app: &TestApp) {
    let (id, at) = account(app).await;
    let refusing = at.clone();
    let refused: Result<(), Stop> = app
        .store()
        .write("test", move |tx| {
            note(tx, &refusing, id)?;
            Err(Refusal::NotFound.into())
        })
        .await;
    assert_eq!(refused, Err(Stop::Refused(Refusal::NotFound)));
    assert_eq!(activity(app, id).await, 1);
    let failing = at.clone();
    let failed: Result<(), Stop> = app
        .store()
        .write("test", move |tx| {
            note(tx, &failing, id)?;
            Err(Fault::Unreadable("on purpose".into()).into())
        })
        .await;
    assert!(matches!(failed, Err(Stop::Failed(Fault::Unreadable(_)))));
    assert_eq!(activity(app, id).await, 1);
}

on_both_engines!(a_panic_loses_its_own_write_and_no_other);
async fn a_panic_loses_its_own_write_and_no_other(app: &TestApp) {
    let (id, at) = account(app).await;
    let writes = (0..40).map(|n| {
        let at = at.clone();
        app.store().write("test", move |tx| {
            note(tx, &at, id)?;
            assert!(n % 10 != 3, "on purpose");
            Ok(n)
        })
    });
    let outcomes = join_all(writes).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_ok(), n % 10 != 3, "{outcome:?}");
    }
    assert_eq!(activity(app, id).await, 36);
}

on_both_engines!(writers_of_one_account_lose_no_update);
async fn writers_of_one_account_lose_no_update(app: &TestApp) {
    let (id, at) = account(app).await;
    let writes = (0..100).map(|_| {
        let at = at.clone();
        app.store().write("test", move |tx| note(tx, &at, id))
    });
    assert!(join_all(writes).await.iter().all(Result::is_ok));
    assert_eq!(activity(app, id).await, 100);
    assert_eq!(audit::verify(&app.cx(), Some(id)).await.unwrap(), Ok(100));
}

on_both_engines!(a_caller_who_has_gone_changes_nothing);
async fn a_caller_who_has_gone_changes_nothing(app: &TestApp) {
    let (id, at) = account(app).await;
    for _ in 0..20 {
        let at = at.clone();
        let write = app.store().write("test", move |tx| note(tx, &at, id));
        // Polled once, so that it is on its way, and dropped.
        let _ = futures_util::FutureExt::now_or_never(write);
    }
    app.store().write("test", move |tx| note(tx, &at, id)).await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while activity(app, id).await < 21 {
        assert!(std::time::Instant::now() < deadline, "a write that was on its way got lost");
    }
}

#[actix_web::test]
async fn the_last_write_may_be_the_last_to_hold_the_store() {
    let app = TestApp::start(support::Engine::Sqlite, &[]).await.unwrap();
    let store = Store::open(&app.config.location().unwrap(), app.config.pooling(), app.rooms().keys.clone()).unwrap();
    static PANICS: Mutex<String> = Mutex::new(String::new());
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.lock().unwrap().push_str(&info.to_string());
        usual(info);
    }));
    let (held, (release, wait), alive) = (store.clone(), mpsc::channel::<()>(), Arc::new(()));
    let ended = Arc::downgrade(&alive);
    let write = store.write("test", move |_| {
        let _the_store_goes_first = (&held, &alive);
        let _ = wait.recv();
        Ok(())
    });
    let _ = futures_util::FutureExt::now_or_never(write);
    drop(store);
    release.send(()).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while ended.strong_count() > 0 {
        assert!(std::time::Instant::now() < deadline, "the write does not end");
    }
    assert!(!PANICS.lock().unwrap().contains("join"), "the writer waited for itself");
}

on_both_engines!(a_secret_moved_to_another_account_is_a_fault_and_never_an_absence);
async fn a_secret_moved_to_another_account_is_a_fault_and_never_an_absence(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let statement = format!(
        "UPDATE totp SET sealed = (SELECT other.sealed FROM totp AS other WHERE other.method_id = '{}') WHERE method_id = '{}'",
        bob.method.borrow(),
        alice.method.borrow()
    );
    assert_eq!(tamper(app, &statement), 1);
    let answer = async |person: &Person<'_>| {
        let challenge = alice.login().await.is(200).text("/challenge");
        app.post(SECOND, &json!({"challenge": challenge, "code": person.fresh_code()})).await
    };
    for person in [&alice, &bob] {
        let reply = answer(person).await.is(503).refuses("unavailable");
        assert!(reply.retry_after() > 0);
    }
    // It stays on, and a recovery code still opens the door.
    assert_eq!(alice.status().await["enabled"], true);
    let code = alice.recovery_codes.borrow()[0].clone();
    alice.answer_challenge(json!({"recovery_code": code})).await.is(200);
}

on_both_engines!(a_missing_secret_is_a_fault_and_never_an_absence);
async fn a_missing_secret_is_a_fault_and_never_an_absence(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    assert_eq!(tamper(app, "DELETE FROM totp"), 1);
    alice.verify(&alice.fresh_code()).await.is(503).refuses("unavailable");
    assert_eq!(alice.login().await.is(200).body["result"], "second_factor_required");
}

on_both_engines!(an_unreadable_authenticator_makes_no_guess_free);
async fn an_unreadable_authenticator_makes_no_guess_free(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let first = alice.method.borrow().clone();
    alice.set_up().await;
    assert_eq!(
        tamper(
            app,
            &format!(
                "UPDATE totp SET sealed = CAST('nonsense' AS {}) WHERE method_id = '{first}'",
                if app.config.database_url.starts_with("sqlite") { "BLOB" } else { "BYTEA" }
            )
        ),
        1
    );
    let challenge = alice.login().await.is(200).text("/challenge");
    let answer = async |code: String| app.post(SECOND, &json!({"challenge": challenge, "code": code})).await;
    for _ in 0..5 {
        answer(alice.wrong_code()).await.is(503).refuses("unavailable");
    }
    answer(alice.fresh_code()).await.is(410).refuses("challenge-expired");
    // What can be read still opens the door, once the budget allows it.
    app.pass(30);
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(200);
}

on_both_engines!(a_hash_that_is_none_is_a_fault);
async fn a_hash_that_is_none_is_a_fault(app: &TestApp) {
    let alice = app.person("alice").await;
    tamper(app, "UPDATE account SET password_hash = '$2b$31$nobodynobodynobodynobOnobodynobodynobodynobodynobody.'");
    alice.login().await.is(503).refuses("unavailable");
    tamper(app, "UPDATE account SET password_hash = 'é'");
    alice.login().await.is(503);
}

on_both_engines!(recovery_codes_copied_to_another_account_open_nothing);
async fn recovery_codes_copied_to_another_account_open_nothing(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let id = |name: &str| format!("(SELECT id FROM account WHERE email = '{name}@example.test')");
    tamper(app, &format!("DELETE FROM recovery_code WHERE account_id = {}", id("alice")));
    tamper(app, &format!("UPDATE recovery_code SET account_id = {} WHERE account_id = {}", id("alice"), id("bob")));
    let code = bob.recovery_codes.borrow()[0].clone();
    alice.answer_challenge(json!({"recovery_code": code})).await.is(403);
}

on_both_engines!(replicas_that_anchor_at_once_leave_no_gap);
async fn replicas_that_anchor_at_once_leave_no_gap(app: &TestApp) {
    for n in 0..3 {
        app.person(&format!("person{n}")).await.sign_in().await;
        let anchored = join_all((0..6).map(|_| app.anchor())).await;
        let written: Vec<i64> = anchored.iter().flatten().map(|anchor| anchor.n).collect();
        assert_eq!(written, [n + 1], "{anchored:?}");
        app.pass(30);
    }
}

on_both_engines!(many_ends_take_several_anchors_and_a_walk_that_broke_off_loses_none);
async fn many_ends_take_several_anchors_and_a_walk_that_broke_off_loses_none(app: &TestApp) {
    for group in 0..3 {
        let at = (app.cx().origin, app.now());
        let crowd =
            move |tx: &mut Tx<'_>| (0..800).try_for_each(|n| add(tx, &at, &format!("{group}-{n}@example.test")));
        app.store().write("test", crowd).await.unwrap();
        app.pass(300);
    }
    let mut broken_off = app.store().read("test", |db| Ok(Walk::begin(db)?)).await.unwrap();
    let step = |walk: &Walk| {
        let walk = walk.clone();
        move |tx: &mut Tx<'_>| {
            let mut walk = walk.clone();
            let found = walk.step(tx)?;
            let anchor = walk.append(tx, found.heads, found.until.unwrap())?;
            Ok((anchor, walk))
        }
    };
    let (first, walk) = app.store().write("test", step(&broken_off)).await.unwrap();
    broken_off = walk;
    let mut anchors = vec![first.unwrap()];
    anchors.extend(app.anchor().await);
    let heads: Vec<&Head> = anchors.iter().flat_map(|anchor| &anchor.heads).collect();
    let accounts: HashSet<&str> = heads.iter().map(|head| head.account.as_str()).collect();
    assert_eq!((anchors.len(), heads.len(), accounts.len()), (3, 2400, 2400));
    let (second, _) = app.store().write("test", step(&broken_off)).await.unwrap();
    assert!(second.is_none(), "somebody was faster");
    assert!(app.anchor().await.is_empty(), "nothing has grown");
}

/// Tampering with the audit is not undone, so these check what must hold by themselves.
mod tampered_audit {
    use super::*;
    use support::Engine;

    async fn after(engine: Engine, statements: &[&str]) -> Option<String> {
        let app = TestApp::start(engine, &[]).await?;
        let alice = app.person("alice").await.with_two_factor().await;
        alice.disable(json!({})).await.is(200);
        assert!(audit::verify(&app.cx(), None).await.unwrap().is_ok());
        for statement in statements {
            assert!(tamper(&app, statement) > 0, "{statement}");
        }
        let broken = audit::verify(&app.cx(), None).await.unwrap();
        Some(broken.expect_err("it must not verify").to_string())
    }

    async fn claims(engine: Engine) {
        let cases: [(&[&str], &str); 6] = [
            (
                &["UPDATE audit SET ip = '10.0.0.1' WHERE stream = 'state' AND seq = 2"],
                "stream state, row 2: was altered",
            ),
            (
                &["UPDATE audit SET details = '{}' WHERE stream = 'state' AND seq = 3"],
                "stream state, row 3: was altered",
            ),
            (&["DELETE FROM audit WHERE stream = 'state' AND seq = 2"], "stream state, row 2: is missing"),
            (&["DELETE FROM audit WHERE stream = 'state' AND seq = 3"], "stream state, row 3: is missing at the end"),
            (&["UPDATE account SET version = 2"], "stream state, row 3: is more than the account counts"),
            (
                &[
                    "UPDATE audit SET seq = 99 WHERE stream = 'state' AND seq = 1",
                    "UPDATE audit SET seq = 1 WHERE stream = 'state' AND seq = 2",
                    "UPDATE audit SET seq = 2 WHERE stream = 'state' AND seq = 99",
                ],
                "stream state, row 1: was altered",
            ),
        ];
        for (statements, part) in cases {
            let Some(sentence) = after(engine, statements).await else { return };
            assert!(sentence.contains(part), "{statements:?}: {sentence}");
        }
    }

    #[actix_web::test]
    async fn the_first_bad_row_is_named_on_sqlite() {
        claims(Engine::Sqlite).await;
    }

    #[actix_web::test]
    async fn the_first_bad_row_is_named_on_postgres() {
        claims(Engine::Postgres).await;
    }

    /// The tail of a chain, its counter and the anchors: who writes the database writes all three.
    async fn anchored(engine: Engine) {
        let Some(app) = TestApp::start(engine, &[]).await else { return };
        let alice = app.person("alice").await.with_two_factor().await;
        let mut exported = app.anchor().await;
        app.pass(60);
        alice.disable(json!({})).await.is(200);
        exported.extend(app.anchor().await);
        assert_eq!(exported.iter().map(|anchor| anchor.n).collect::<Vec<_>>(), [1, 2]);
        assert!(app.anchor().await.is_empty(), "nothing has grown");
        let verify = async |exported: &[Anchor]| {
            audit::verify_anchors(&app.cx(), exported.to_vec()).await.unwrap().map(|anchors| anchors.checked)
        };
        assert_eq!(verify(&exported).await, Ok(4));

        let mut forged = exported.clone();
        forged[1].heads[0].seq += 1;
        assert!(verify(&forged).await.unwrap_err().to_string().contains("anchor 2: was altered"));
        assert!(verify(&exported[1..]).await.is_ok(), "an export may begin anywhere");

        tamper(&app, "DELETE FROM audit WHERE stream = 'state' AND seq = 3");
        tamper(&app, "UPDATE account SET version = 2");
        assert!(audit::verify(&app.cx(), None).await.unwrap().is_ok(), "the chain itself cannot tell");
        let sentence = "stream state, row 3: was there when it was anchored";
        assert!(verify(&[]).await.unwrap_err().to_string().contains(sentence));
        tamper(&app, "DELETE FROM audit_anchor WHERE n = 2");
        assert!(verify(&[]).await.is_ok(), "nor can the database, once its anchor is gone too");
        let gone = verify(&exported).await.unwrap_err().to_string();
        assert!(gone.contains("anchor 2: is missing in the database"), "{gone}");
        tamper(&app, "DELETE FROM audit_anchor");
        assert!(verify(&exported).await.unwrap_err().to_string().contains("anchor 1: is missing"));
    }

    #[actix_web::test]
    async fn an_exported_anchor_shows_a_cut_tail_on_sqlite() {
        anchored(Engine::Sqlite).await;
    }

    #[actix_web::test]
    async fn an_exported_anchor_shows_a_cut_tail_on_postgres() {
        anchored(Engine::Postgres).await;
    }

    #[actix_web::test]
    async fn an_unreadable_table_is_503_and_never_off() {
        let Some(app) = TestApp::start(Engine::Sqlite, &[]).await else { return };
        let alice = app.person("alice").await.with_two_factor().await;
        tamper(&app, "ALTER TABLE session RENAME TO hidden");
        let reply = alice.get(STATUS).await.is(503).refuses("unavailable");
        assert!(reply.body.get("enabled").is_none());
        tamper(&app, "ALTER TABLE hidden RENAME TO session");
        assert_eq!(alice.status().await["enabled"], true);
    }
}
