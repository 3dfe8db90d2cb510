//! Rows that no rule looks at any more.

use super::*;
use crate::{
    on_both_engines,
    support::{
        behind::{count, tamper},
        desk,
        person::{REFRESH, STATUS, TOTP_PATH},
    },
};
use futures_util::future::join_all;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

/// A table, what a row of it is but for its name `@`, its account `#` and its moment `%`, and for how many days it
/// is kept after that moment.
const KINDS: [(&str, &str, &str, i64); 12] = [
    ("challenge", "id, account_id, hashed, epoch, created_at, expires_at", "@, #, '', 0, 0, %", 1),
    (
        "idempotency",
        "account_id, key, fingerprint, is_done, created_at, lease_until",
        "#, CAST(@ AS BYTEA), CAST('' AS BYTEA), 1, %, 0",
        1,
    ),
    ("bucket", "scope, key, state, updated_at", "'code', @, '{\"failures\":[1],\"locked\":false}', %", 31),
    (
        "session",
        "id, account_id, created_at, last_seen_at, idle_until, expires_at, ip, user_agent, acr, amr, auth_time, refresh, ended_at",
        "@, #, 0, 0, 0, %, '', '', 'aal1', 'pwd', 0, '', 1",
        1,
    ),
    ("known_address", "account_id, address, seen_at", "#, @, %", 31),
    (
        "method",
        "id, account_id, kind, state, label, created_at, expires_at, session_id",
        "@, #, @, 'pending', 'x', 0, %, ''",
        1,
    ),
    ("method", METHOD, "@, #, 'totp', 'abandoned', 'x', 0, 0, '', %", 1),
    ("method", METHOD, "@, #, 'totp', 'removed', 'x', 0, 0, '', %", 31),
    (
        "announcement",
        "id, account_id, kind, at, seq, locale, facts",
        "@, #, 'two_factor.enabled', %, 1, 'en', '{}'",
        30,
    ),
    (
        "device",
        "id, account_id, hashed, epoch, created_at, last_used_at, expires_at, ip, user_agent, session_id",
        "@, #, '', 0, 0, 0, %, '', '', ''",
        1,
    ),
    (
        "delivery",
        "target, position, account_id, kind, created_at, due_at, attempts, state",
        "'mail', %, #, 'two_factor.enabled', %, 0, 1, 'delivered'",
        30,
    ),
    ("ceremony", "binding, account_id, state, expires_at", "@, #, CAST('' AS BYTEA), %", 0),
];
const METHOD: &str = "id, account_id, kind, state, label, created_at, expires_at, session_id, ended_at";

/// A statement that adds `rows` rows of a kind, of the same moment.
fn insertion(app: &TestApp, kind: (&str, &str, &str, i64), id: AccountId, rows: usize, at: i64) -> String {
    let (table, columns, values, _) = kind;
    let name = format!("('{at}-' || CAST(i AS TEXT))");
    let mut values = values.replace('@', &name).replace('#', &format!("'{id}'")).replace('%', &at.to_string());
    if app.config.database_url.starts_with("sqlite") {
        values = values.replace("BYTEA", "BLOB");
    }
    format!(
        "INSERT INTO {table} ({columns}) \
         WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {rows}) \
         SELECT {values} FROM numbers"
    )
}

on_both_engines!(each_kind_is_dropped_when_it_is_due_and_not_a_moment_earlier, a_month);
async fn each_kind_is_dropped_when_it_is_due_and_not_a_moment_earlier(app: &TestApp) {
    let id = account(app, "alice").await;
    for kind in KINDS {
        let due = app.now().as_millisecond() - kind.3 * DAY * 1000;
        tamper(app, &insertion(app, kind, id, 1, due - 1));
        tamper(app, &insertion(app, kind, id, 1, due));
        prune(app).await;
        assert_eq!(count(app, kind.0), 1, "{kind:?}");
        app.pass(1);
        prune(app).await;
        assert_eq!(count(app, kind.0), 0, "{kind:?}");
    }
}

on_both_engines!(a_bypass_code_that_nobody_used_is_dropped_a_day_later);
async fn a_bypass_code_that_nobody_used_is_dropped_a_day_later(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let carla = desk::agent(app, "carla").await;
    desk::bypass_code(&carla, &desk::account_of(&alice)).await;
    app.pass(600 + DAY);
    prune(app).await;
    assert_eq!(count(app, "bypass_code"), 1);
    app.pass(1);
    prune(app).await;
    assert_eq!(count(app, "bypass_code"), 0);
}

on_both_engines!(a_code_that_was_never_sent_is_wiped_when_it_is_good_for_nothing, crate::support::codes::by_both);
async fn a_code_that_was_never_sent_is_wiped_when_it_is_good_for_nothing(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    alice.post(crate::support::codes::EMAIL_PATH, &json!({"password": alice.password})).await.is(201);
    app.pass(600);
    prune(app).await;
    assert_eq!(count(app, "sent_code"), 1);
    app.pass(1);
    prune(app).await;
    assert_eq!(count(app, "sent_code"), 0);
}

on_both_engines!(what_an_undo_would_bring_back_is_wiped_when_its_time_is_over);
async fn what_an_undo_would_bring_back_is_wiped_when_its_time_is_over(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.disable(json!({})).await.is(200);
    assert_eq!((count(app, "totp"), count(app, "tombstone_totp")), (0, 1));
    app.pass(3 * DAY);
    prune(app).await;
    assert_eq!((count(app, "tombstone"), count(app, "tombstone_totp")), (1, 1));
    app.pass(1);
    prune(app).await;
    assert_eq!((count(app, "tombstone"), count(app, "tombstone_totp")), (0, 0));
}

on_both_engines!(where_nothing_can_be_undone_nothing_is_kept, |config| config.undo_for = 0);
async fn where_nothing_can_be_undone_nothing_is_kept(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.disable(json!({})).await.is(200);
    assert_eq!((count(app, "totp"), count(app, "tombstone"), count(app, "tombstone_totp")), (0, 0, 0));
}

on_both_engines!(what_is_kept_for_ever_is_not_dropped, |config| config.events_kept_days = 0);
async fn what_is_kept_for_ever_is_not_dropped(app: &TestApp) {
    let id = account(app, "alice").await;
    tamper(app, &insertion(app, KINDS[7], id, 1, 0));
    note_many(app, id, 3).await;
    app.pass(20_000 * DAY);
    prune(app).await;
    assert_eq!(drop_old_events(app).await, 1);
    assert_eq!((count(app, "method"), verify(app).await), (1, Ok(3)));
}

on_both_engines!(a_batch_is_bounded_and_the_oldest_go_first);
async fn a_batch_is_bounded_and_the_oldest_go_first(app: &TestApp) {
    let id = account(app, "alice").await;
    for kind in &KINDS[..10] {
        tamper(app, &insertion(app, *kind, id, 150, 2000));
        tamper(app, &insertion(app, *kind, id, 300, 1000));
        let (now, mut left) = (app.now(), vec![]);
        for rule in prune::RULES {
            while app.store().write("test", move |tx| Ok(rule.batch(tx, now, 31)?)).await.unwrap() {
                left.push(count(app, kind.0));
            }
        }
        left.push(count(app, kind.0));
        assert_eq!(left, [250, 50, 0], "{kind:?}");
    }
}

on_both_engines!(a_locked_bucket_stays_and_is_in_nobodys_way);
async fn a_locked_bucket_stays_and_is_in_nobodys_way(app: &TestApp) {
    let id = account(app, "alice").await;
    let (table, columns, values, days) = KINDS[2];
    let locked = values.replace("false", "true");
    tamper(app, &insertion(app, (table, columns, &locked, days), id, 450, 1000));
    tamper(app, &insertion(app, KINDS[2], id, 50, 2000));
    prune(app).await;
    assert_eq!(count(app, "bucket"), 450);
    assert_eq!(count(app, "bucket WHERE updated_at < 5000"), 0, "they are not looked at every minute");
    app.pass(32 * DAY);
    prune(app).await;
    assert_eq!(count(app, "bucket WHERE state LIKE '%\"locked\":true%'"), 450);
}

on_both_engines!(a_bucket_that_moves_is_not_dropped);
async fn a_bucket_that_moves_is_not_dropped(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let challenge = alice.login().await.is(200).text("/challenge");
    for _ in 0..4 {
        let guess = json!({"challenge": challenge, "code": alice.wrong_code()});
        app.post(crate::support::person::SECOND, &guess).await.is(403);
    }
    app.pass(31 * DAY);
    alice.sign_in().await;
    app.pass(DAY);
    prune(app).await;
    assert_eq!(count(app, "bucket WHERE scope = 'code'"), 1, "it was asked yesterday");
}

on_both_engines!(a_stolen_refresh_token_is_told_by_for_as_long_as_its_session_lives);
async fn a_stolen_refresh_token_is_told_by_for_as_long_as_its_session_lives(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let stolen = alice.refresh.borrow().clone();
    for _ in 0..4 {
        app.pass(6 * DAY);
        alice.refresh().await.is(200);
        prune(app).await;
    }
    app.post(REFRESH, &json!({"refresh_token": stolen})).await.is(401);
    prune(app).await;
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    app.pass(7 * DAY);
    prune(app).await;
    assert_eq!(count(app, "session"), 1, "a day after its end it is still there");
    app.pass(1);
    prune(app).await;
    assert_eq!(count(app, "session"), 0);
    let last = alice.refresh.borrow().clone();
    for token in [stolen, last] {
        app.post(REFRESH, &json!({"refresh_token": token})).await.is(401).refuses("invalid-token");
    }
}

on_both_engines!(an_enrolment_that_ended_is_gone_for_a_day_and_then_unknown, a_month);
async fn an_enrolment_that_ended_is_gone_for_a_day_and_then_unknown(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let start = async || {
        let started = alice.post(TOTP_PATH, &json!({"password": alice.password})).await.is(201);
        format!("{TOTP_PATH}/{}", started.text("/id"))
    };
    let superseded = start().await;
    app.pass(60);
    let expired = start().await;
    alice.get(&superseded).await.is(410).refuses("enrolment-expired");
    app.pass(DAY);
    alice.refresh().await.is(200);
    prune(app).await;
    alice.get(&superseded).await.is(410);
    app.pass(1);
    prune(app).await;
    alice.get(&superseded).await.is(404).refuses("not-found");
    alice.get(&expired).await.is(410);
    app.pass(601);
    prune(app).await;
    alice.refresh().await.is(200);
    alice.get(&expired).await.is(404);
    assert_eq!(count(app, "totp"), 0, "a secret that was never confirmed is gone");

    alice.set_up().await;
    let confirmed = format!("{TOTP_PATH}/{}/confirm", alice.method.borrow());
    alice.disable(json!({})).await.is(200);
    for (days, status) in [(0, 409), (31, 409), (1, 404)] {
        app.pass(days * DAY);
        prune(app).await;
        alice.sign_in().await;
        alice.post(&confirmed, &json!({"code": "123456"})).await.is(status);
    }
}

on_both_engines!(writers_are_not_refused_while_twenty_thousand_rows_are_dropped, a_month);
async fn writers_are_not_refused_while_twenty_thousand_rows_are_dropped(app: &TestApp) {
    let ids = [account(app, "alice").await, account(app, "bob").await];
    for id in ids {
        note_many(app, id, 1000).await;
    }
    app.pass(40 * DAY);
    tamper(app, &insertion(app, KINDS[3], ids[0], 10_000, 1000));
    tamper(app, &insertion(app, KINDS[2], ids[0], 8_000, 1000));
    let is_done = AtomicBool::new(false);
    let pruning = async {
        join_all(app.all_rooms().map(async |rooms| {
            prune_by(rooms, app.now()).await;
            drop_old_events_by(rooms).await;
        }))
        .await;
        is_done.store(true, Ordering::SeqCst);
    };
    let writing = async {
        let mut written = 0;
        while !is_done.load(Ordering::SeqCst) || written == 0 {
            let at = (app.cx().origin, app.now());
            let writes = app.all_rooms().cycle().take(16).enumerate().map(|(n, rooms)| {
                let at = at.clone();
                rooms.store.write("test", move |tx| note(tx, &at, ids[n / 2 % 2]))
            });
            for outcome in join_all(writes).await {
                outcome.unwrap();
                written += 1;
            }
        }
        written
    };
    let ((), written) = futures_util::future::join(pruning, writing).await;
    assert_eq!((count(app, "session"), count(app, "bucket")), (0, 0));
    assert_eq!(verify(app).await, Ok(written));
}
