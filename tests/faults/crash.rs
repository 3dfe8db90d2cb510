//! The process is killed, stopped and asked to end, at any moment.

use super::{times, town::Town};
use crate::support::{dice, fresh_database, installation::Served};
use std::time::Duration;

/// Customers at once.
const CROWD: usize = 8;
/// Kills that one generation of customers lives through.
const GENERATION: u32 = 8;

async fn pause(milliseconds: u64) {
    actix_web::rt::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Kills one of the replicas at a random moment, again and again.
async fn kill_and_kill_again(database_url: Option<String>, replicas: usize, cycles: u32) {
    let accounts = CROWD * (cycles / GENERATION + 1) as usize;
    let mut town = Town::found(database_url, accounts, dice::seed()).await;
    let mut served: Vec<Served> = (0..replicas).map(|_| town.serve()).collect();
    for cycle in 0..cycles {
        if cycle % GENERATION == 0 {
            town.judge().await;
            town.welcome(CROWD);
        }
        town.at(&served.iter().collect::<Vec<_>>());
        let (moment, unlucky) = (town.dice.below(250), town.dice.below(replicas as u64) as usize);
        let victim = &mut served[unlucky];
        town.live(async {
            pause(moment).await;
            victim.child.kill().unwrap();
        })
        .await;
        served[unlucky].child.wait().unwrap();
        served[unlucky] = town.serve();
        town.at(&served.iter().collect::<Vec<_>>());
        town.settle().await;
    }
    town.judge().await;
    town.report(&format!("{cycles} kills of {replicas} replica(s)"));
}

#[actix_web::test]
async fn a_process_that_is_killed_loses_nothing_and_gives_nothing_away_on_sqlite() {
    kill_and_kill_again(None, 1, times(24, 1000)).await;
}

#[actix_web::test]
async fn a_process_that_is_killed_loses_nothing_and_gives_nothing_away_on_postgres() {
    let Some(database_url) = fresh_database() else { return };
    kill_and_kill_again(Some(database_url), 2, times(24, 1000)).await;
}
