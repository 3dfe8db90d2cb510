//! Several hosts in one URL.

use super::{migrated, with_alice};
use crate::support::{
    installation::PASSWORD,
    person::{DISABLE, STATUS},
    postgres::Server,
};
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

/// Servers in this order, and not a word of which one takes writes.
fn url_of(servers: [&Server; 2]) -> String {
    let [one, two] = servers.map(|server| server.folder.display().to_string());
    format!("postgresql:///postgres?host={one},{two}&user=postgres")
}

#[actix_web::test]
async fn the_primary_is_found_wherever_it_stands_in_the_url() {
    let Some(primary) = migrated("hosts-primary") else { return };
    let standby = primary.standby("hosts-standby");
    let installation = with_alice(url_of([&standby, &primary]));
    for order in [[&primary, &standby], [&standby, &primary]] {
        let served = installation.serve_with(|serve| {
            serve.env("TWOFOLD_DATABASE_URL", url_of(order));
        });
        assert_eq!(served.login("alice@example.test").await["result"], "signed_in");
    }
    standby.signal(Signal::KILL);
    primary.execute("ALTER SYSTEM RESET synchronous_standby_names");
    primary.execute("SELECT pg_reload_conf()");
    let served = installation.serve();
    assert_eq!(served.login("alice@example.test").await["result"], "signed_in", "one of the two is down");
}

#[actix_web::test]
async fn after_a_promotion_the_pool_finds_the_new_primary_by_itself() {
    let Some(primary) = migrated("hosts-old") else { return };
    let standby = primary.standby("hosts-new");
    let installation = with_alice(url_of([&primary, &standby]));
    let served = installation.serve();
    let (token, _) = served.set_up("alice@example.test").await;
    primary.signal(Signal::KILL);
    let began = Instant::now();
    standby.succeeds("pg_ctl", &["promote", "-w", "-D", "data"]);
    loop {
        let (status, body) = served.get(STATUS, &token).await;
        if status == 200 {
            assert_eq!(body["enabled"], true);
            break;
        }
        assert_eq!(status, 503, "{body}");
        assert!(began.elapsed() < Duration::from_secs(10), "it does not find the new primary");
    }
    println!("served again {:?} after the kill", began.elapsed());
    let (status, disabled) = served.post(DISABLE, &token, &json!({"password": PASSWORD})).await;
    assert_eq!(status, 200, "{disabled}");
}
