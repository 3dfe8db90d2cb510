//! PgBouncer in transaction mode: each transaction has another connection to the server.

use super::{migrated, with_alice};
use crate::support::{
    installation::{Installation, PASSWORD, Served, code_in},
    person::{DISABLE, STATUS, VERIFY},
    pooler::{self, KNOWS_PREPARED, Pooler},
};
use futures_util::future::join_all;
use serde_json::json;
use std::time::{Duration, Instant};

/// A replica that goes through the pooler.
fn through(pooler: &Pooler, installation: &Installation, keeps_prepared: &str) -> Served {
    installation.serve_with(|serve| {
        serve.env("TWOFOLD_DATABASE_URL", pooler.url("postgres")).env("TWOFOLD_DATABASE_PREPARED", keeps_prepared);
    })
}

#[actix_web::test]
async fn two_replicas_share_two_connections_and_nothing_else() {
    two_replicas("pooled", "0").await;
}

#[actix_web::test]
async fn two_replicas_share_what_they_have_prepared_where_the_pooler_knows_it() {
    let Some(version) = pooler::installed() else { return };
    if version < KNOWS_PREPARED {
        eprintln!("skipped: PgBouncer {version:?} knows no prepared statements");
        return;
    }
    two_replicas("pooled-known", "1").await;
}

async fn two_replicas(name: &str, keeps_prepared: &str) {
    let Some(server) = migrated(name) else { return };
    let Some(pooler) = Pooler::before(&server, 2) else { return };
    let installation = with_alice(server.url("postgres"));
    let replicas = [(); 2].map(|()| through(&pooler, &installation, keeps_prepared));
    let (token, secret) = replicas[0].set_up("alice@example.test").await;
    let reads = join_all((0..40).map(|n| replicas[n % 2].get(STATUS, &token))).await;
    assert!(reads.iter().all(|(status, body)| (*status, &body["enabled"]) == (200, &json!(true))), "{reads:?}");
    let code = json!({"code": code_in(&secret, 1)});
    let answers = join_all((0..6).map(|n| replicas[n % 2].post(VERIFY, &token, &code))).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1, "{answers:?}");
    let (status, disabled) = replicas[1].post(DISABLE, &token, &json!({"password": PASSWORD})).await;
    assert_eq!(status, 200, "{disabled}");
    assert_eq!(replicas[0].get(STATUS, &token).await.0, 401);
    let others = "datname = 'postgres' AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    assert!(server.holds(&format!("(SELECT COUNT(*) FROM pg_stat_activity WHERE {others}) <= 2")));
}

/// What the setting is for: the statements of one connection are met on another.
#[actix_web::test]
async fn statements_that_stay_prepared_fail_through_an_old_pooler_and_never_answer_wrongly() {
    let Some(version) = pooler::installed() else { return };
    if version >= KNOWS_PREPARED {
        eprintln!("skipped: PgBouncer {version:?} can be told to know prepared statements");
        return;
    }
    let Some(server) = migrated("pooled-prepared") else { return };
    let Some(pooler) = Pooler::before(&server, 2) else { return };
    let installation = with_alice(server.url("postgres"));
    let (token, _) = installation.serve().set_up("alice@example.test").await;
    let served = through(&pooler, &installation, "1");
    let reads = join_all((0..40).map(|_| served.get(STATUS, &token))).await;
    let refused = reads.iter().filter(|(status, _)| *status == 503).count();
    assert!(refused > 0, "then the setting is not needed");
    assert!(reads.iter().all(|(status, body)| *status == 503 || body["enabled"] == true), "{reads:?}");
    assert!(installation.logged().contains("prepared statement"), "the log says why");
}

/// The connections to the pooler stay, and what is behind it is another server.
#[actix_web::test]
async fn a_standby_that_comes_to_stand_behind_the_pooler_answers_nothing() {
    let Some(primary) = migrated("pooled-primary") else { return };
    let standby = primary.standby("pooled-standby");
    let Some(pooler) = Pooler::before(&primary, 2) else { return };
    let installation = with_alice(primary.url("postgres"));
    let served = through(&pooler, &installation, "0");
    let (token, _) = served.set_up("alice@example.test").await;
    assert_eq!(served.get(STATUS, &token).await.0, 200);
    pooler.turn_to(&standby);
    let began = Instant::now();
    // The pooler finishes with the old server's connections first.
    while served.get(STATUS, &token).await.0 == 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "the pooler does not turn");
    }
    let reads = join_all((0..20).map(|_| served.get(STATUS, &token))).await;
    assert!(reads.iter().all(|(status, _)| *status == 503), "{reads:?}");
    pooler.turn_to(&primary);
    let began = Instant::now();
    while served.get(STATUS, &token).await.0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
    }
}
