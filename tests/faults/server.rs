//! The database server stops, comes back, or hands over to its standby.

use super::{oracle, times, town::Town};
use crate::support::{
    dice,
    installation::{Installation, PASSWORD},
    person::{DISABLE, LOGIN, STATUS},
    postgres::Server,
};
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};
use twofold::store::{Location, migrate};

const CROWD: usize = 8;

async fn pause(milliseconds: u64) {
    actix_web::rt::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// A server of this test's own, with a migrated database.
fn server(name: &str) -> Option<Server> {
    let server = Server::new(name)?;
    server.initialise();
    server.start(&[]);
    migrate(&Location::parse(&server.url("postgres")).unwrap()).unwrap();
    Some(server)
}

/// Both servers in one URL; whichever takes writes is the one.
fn url_of_both(primary: &Server, standby: &Server) -> String {
    let (one, two) = (primary.folder.display(), standby.folder.display());
    format!("postgresql:///postgres?host={one},{two}&user=postgres&target_session_attrs=read-write")
}

#[actix_web::test]
async fn while_the_database_is_stopped_the_answer_is_503_and_in_time() {
    let Some(server) = server("stopped") else { return };
    let installation = Installation::ready(Some(server.url("postgres")));
    installation.add_account("alice@example.test");
    let served = installation.serve();
    let (token, _) = served.set_up("alice@example.test").await;
    server.crash();
    let guess = json!({"email": "alice@example.test", "password": PASSWORD});
    for round in 0..3 {
        let began = Instant::now();
        let (status, body) = served.get(STATUS, &token).await;
        assert_eq!((status, &body["code"]), (503, &json!("unavailable")), "{body}");
        assert!(body.get("enabled").is_none() && body["retry_after"].as_i64() > Some(0));
        let (status, body) = served.post(LOGIN, "", &guess).await;
        assert_eq!((status, &body["code"]), (503, &json!("unavailable")), "{body}");
        assert!(began.elapsed() < Duration::from_secs(6), "round {round} took {:?}", began.elapsed());
    }
    let probe = async |path: &str| reqwest::get(format!("{}{path}", served.operations())).await.unwrap().status();
    assert_eq!((probe("/livez").await.as_u16(), probe("/readyz").await.as_u16()), (200, 503));
    assert!(installation.refusal(|_| {}).contains("cannot reach the database"), "at the start it says so");
    server.start(&[]);
    let began = Instant::now();
    while served.get(STATUS, &token).await.0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
        pause(50).await;
    }
    assert_eq!(probe("/readyz").await.as_u16(), 200);
    assert_eq!(served.post(LOGIN, "", &guess).await.1["result"], "second_factor_required");
}

#[actix_web::test]
async fn a_database_that_crashes_and_recovers_loses_nothing_that_was_acknowledged() {
    let Some(server) = server("crashing") else { return };
    let rounds = times(2, 40);
    let mut town = Town::found(Some(server.url("postgres")), CROWD * rounds as usize, dice::seed()).await;
    let served = [town.serve(), town.serve()];
    for _ in 0..rounds {
        town.welcome(CROWD);
        town.at(&[&served[0], &served[1]]);
        let moment = 200 + town.dice.below(600);
        town.live(async {
            pause(moment).await;
            server.crash();
            pause(100).await;
            server.start(&[]);
            pause(500).await;
        })
        .await;
        town.settle().await;
        town.judge().await;
    }
    town.report(&format!("{rounds} crashes of PostgreSQL"));
}

#[actix_web::test]
async fn a_failover_to_the_synchronous_standby_loses_nothing_that_was_acknowledged() {
    let rounds = times(1, 10);
    for _ in 0..rounds {
        let Some(primary) = server("primary") else { return };
        let standby = primary.standby("standby");
        let mut town = Town::found(Some(url_of_both(&primary, &standby)), 2 * CROWD, dice::seed()).await;
        let served = [town.serve(), town.serve()];
        town.at(&[&served[0], &served[1]]);
        town.welcome(CROWD);
        let moment = 500 + town.dice.below(800);
        town.live(async {
            pause(moment).await;
            primary.signal(Signal::KILL);
            standby.succeeds("pg_ctl", &["promote", "-w", "-D", "data"]);
            pause(1500).await;
        })
        .await;
        town.settle().await;
        town.judge().await;
        town.report("a failover");
    }
}

/// A commit waits for the standby however long that takes; its caller does not, and is told that it is unknown.
#[actix_web::test]
async fn a_change_that_no_standby_has_is_not_acknowledged() {
    let Some(primary) = server("alone") else { return };
    let standby = primary.standby("asleep");
    let installation = Installation::ready(Some(url_of_both(&primary, &standby)));
    installation.add_account("alice@example.test");
    let served = installation.serve();
    let (token, _) = served.set_up("alice@example.test").await;
    // Its receiver is gone, and nobody else follows.
    standby.signal(Signal::KILL);
    let began = Instant::now();
    let (status, body) = served.post(DISABLE, &token, &json!({"password": PASSWORD})).await;
    assert_eq!((status, &body["code"]), (503, &json!("outcome-unknown")), "{body}");
    assert!(began.elapsed() < Duration::from_secs(10));
    let done = "SELECT COUNT(*) AS n FROM audit WHERE kind = 'two_factor.disabled'";
    assert_eq!(oracle::count(&installation, done), 0);
}

#[actix_web::test]
async fn a_standby_is_refused() {
    let Some(primary) = server("leader") else { return };
    let standby = primary.standby("follower");
    let installation = Installation::ready(Some(primary.url("postgres")));
    let sentence = installation.refusal(|serve| {
        serve.env("TWOFOLD_DATABASE_URL", standby.url("postgres"));
    });
    assert!(sentence.contains("standby"), "{sentence}");
}
