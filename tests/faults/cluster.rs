//! A cluster that somebody else keeps, and that changes its primary by itself: `tests/failover/run` makes one and
//! says where it is.

use super::town::Town;
use crate::support::{
    dice,
    installation::{PASSWORD, Served},
    person::LOGIN,
};
use serde_json::json;
use std::{
    cell::Cell,
    env, fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

const CROWD: usize = 6;
/// Longer than the cluster's lease and everything that follows it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of the cluster: URLs in files, and `control`, which does things to it.
struct Cluster(PathBuf);

impl Cluster {
    fn url(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap().trim().to_owned()
    }

    /// Does something to it, and waits until that is done.
    async fn control(&self, what: &'static str) -> String {
        let program = self.0.join("control");
        let run = move || Command::new(program).arg(what).output().unwrap();
        let done = actix_web::rt::task::spawn_blocking(run).await.unwrap();
        assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }
}

/// Writes without end, until five in a row were acknowledged after `has_happened`; how long there was no service.
async fn outage(served: &Served, has_happened: &Cell<Option<Instant>>) -> Duration {
    let http = reqwest::Client::new();
    let (mut last, mut longest, mut in_a_row, mut has_failed, mut n) = (Instant::now(), Duration::ZERO, 0, false, 0);
    loop {
        n += 1;
        // A wrong password is a write: it is paid for before it is judged. Nobody has this address.
        let guess = json!({"email": format!("probe{n}.{}@example.test", served.pid()), "password": PASSWORD});
        let answer = http.post(format!("{}{LOGIN}", served.base)).json(&guess).send().await.unwrap();
        let status = answer.status().as_u16();
        assert!([403, 503].contains(&status), "{status}: {}", answer.text().await.unwrap());
        in_a_row = if status == 403 { in_a_row + 1 } else { 0 };
        if let Some(since) = has_happened.get() {
            has_failed |= status == 503;
            assert!(since.elapsed() < PATIENCE, "there is no service any more");
            if status == 403 {
                longest = longest.max(last.max(since).elapsed());
            }
            // A change of which nobody notices anything is one, too.
            if in_a_row >= 5 && (has_failed || since.elapsed() > PATIENCE / 2) {
                return longest;
            }
        }
        if status == 403 {
            last = Instant::now();
        }
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

#[actix_web::test]
async fn a_cluster_that_changes_its_primary_loses_nothing_that_was_acknowledged() {
    let Some(folder) = env::var_os("TWOFOLD_TEST_CLUSTER") else { return };
    let cluster = Cluster(folder.into());
    let deeds = env::var("TWOFOLD_TEST_CLUSTER_DEEDS").unwrap_or_default();
    let deeds: Vec<&'static str> = deeds.split_whitespace().map(|deed| &*deed.to_owned().leak()).collect();
    let mut town = Town::found(Some(cluster.url("owner")), CROWD * deeds.len(), dice::seed()).await;
    let at = |name: &str| {
        town.serve_with(|serve| {
            serve.env("TWOFOLD_DATABASE_URL", cluster.url(name));
        })
    };
    let (by_hosts, by_proxy) = (at("hosts"), at("proxy"));
    for deed in &deeds {
        cluster.control("settle").await;
        town.welcome(CROWD);
        // Nobody ends a primary that has lost its keeper, but the proxy does not lead to it any more.
        let ways =
            if *deed == "orphan" { &[("proxy", &by_proxy)][..] } else { &[("hosts", &by_hosts), ("proxy", &by_proxy)] };
        town.at(&ways.iter().map(|(_, served)| *served).collect::<Vec<_>>());
        let moment = Duration::from_millis(1000 + town.dice.below(2000));
        let happened = Cell::new(None);
        let (who, outages) = town
            .live(async {
                let doing = async {
                    actix_web::rt::time::sleep(moment).await;
                    happened.set(Some(Instant::now()));
                    cluster.control(deed).await
                };
                let probing = ways.iter().map(|(_, served)| outage(served, &happened));
                futures_util::future::join(doing, futures_util::future::join_all(probing)).await
            })
            .await;
        for ((way, _), outage) in ways.iter().zip(outages) {
            println!("{deed} {who}: by {way} {:.1} s without service", outage.as_secs_f32());
        }
        town.settle().await;
        town.judge().await;
    }
    town.report(&format!("{} changes of the primary", deeds.len()));
}
