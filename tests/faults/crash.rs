//! The process is killed, stopped and asked to end, at any moment.

use super::{oracle, times, town::Town};
use crate::support::{
    dice, fresh_database,
    installation::{Installation, PASSWORD, Served},
    person::DISABLE,
};
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

/// Customers at once.
const CROWD: usize = 8;
/// Kills that one generation of customers lives through.
const GENERATION: u32 = 8;

async fn pause(milliseconds: u64) {
    actix_web::rt::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Waits for something that comes within seconds.
async fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come");
        pause(2).await;
    }
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
        let (moment, unlucky) = (100 + town.dice.below(250), town.dice.below(replicas as u64) as usize);
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
    kill_and_kill_again(None, 1, times(16, 1000)).await;
}

#[actix_web::test]
async fn a_process_that_is_killed_loses_nothing_and_gives_nothing_away_on_postgres() {
    let Some(database_url) = fresh_database() else { return };
    kill_and_kill_again(Some(database_url), 2, times(16, 1000)).await;
}

/// SIGTERM under load: every request that was taken is answered, so what was not answered did not happen.
async fn end_under_load(database_url: Option<String>, rounds: u32) {
    let mut town = Town::found(database_url, CROWD * rounds as usize, dice::seed()).await;
    for _ in 0..rounds {
        town.welcome(CROWD);
        let mut served = town.serve();
        town.at(&[&served]);
        let exit = town
            .live(async {
                pause(400).await;
                let ended = actix_web::rt::task::spawn_blocking(move || (served.terminate(), served)).await;
                ended.unwrap().0
            })
            .await;
        assert_eq!(exit, 0);
        let done = oracle::recorded_requests(&town.installation);
        for entry in
            town.customers.iter().flat_map(|customer| &customer.line.log).filter(|entry| entry.status.is_none())
        {
            assert!(!done.contains(&entry.id), "accepted, done and not answered: {entry:?}");
        }
        let served = town.serve();
        town.at(&[&served]);
        town.judge().await;
    }
    town.report(&format!("{rounds} ends under load"));
}

#[actix_web::test]
async fn a_service_that_is_asked_to_end_answers_what_it_took_on_sqlite() {
    end_under_load(None, times(2, 20)).await;
}

#[actix_web::test]
async fn a_service_that_is_asked_to_end_answers_what_it_took_on_postgres() {
    let Some(database_url) = fresh_database() else { return };
    end_under_load(Some(database_url), times(2, 20)).await;
}

/// A process that is stopped between paying for a guess and settling it finds the account moved when it wakes.
#[actix_web::test]
async fn a_process_that_was_asleep_settles_nothing_that_has_moved_meanwhile() {
    let Some(database_url) = fresh_database() else { return };
    let installation = Installation::ready(Some(database_url));
    installation.add_account("alice@example.test");
    // Slow enough to be caught between its two writes.
    let sleeper = installation.serve_with(|serve| {
        serve.env("TWOFOLD_BCRYPT_COST", "13");
    });
    let awake = installation.serve();
    let (token, _) = awake.set_up("alice@example.test").await;
    // The hash is made anew at the cost of whoever checks it last.
    sleeper.login("alice@example.test").await;
    let body = json!({"password": PASSWORD});
    let (url, bearer, sent) = (format!("{}{DISABLE}", sleeper.base), token.clone(), body.clone());
    let asleep = actix_web::rt::spawn(async move {
        reqwest::Client::new().post(url).bearer_auth(bearer).json(&sent).send().await.unwrap().status()
    });
    let paid = "SELECT COUNT(*) AS n FROM bucket WHERE state LIKE '%\"places\":[[%'";
    until(|| oracle::count(&installation, paid) > 0).await;
    sleeper.signal(Signal::STOP);
    assert!(oracle::count(&installation, paid) > 0, "it was faster");
    let (status, disabled) = awake.post(DISABLE, &token, &body).await;
    assert_eq!(status, 200, "{disabled}");
    sleeper.signal(Signal::CONT);
    assert_eq!(asleep.await.unwrap(), 401);
    let done = "SELECT COUNT(*) AS n FROM audit WHERE kind = 'two_factor.disabled'";
    assert_eq!(oracle::count(&installation, done), 1);
    oracle::judge_database(&installation, &[]).unwrap();
}

/// A guess that nobody settles is not given back: five that sleep are five.
#[actix_web::test]
async fn guesses_that_die_with_their_process_are_paid_for() {
    let Some(database_url) = fresh_database() else { return };
    let installation = Installation::ready(Some(database_url));
    installation.add_account("alice@example.test");
    let awake = installation.serve();
    let (token, _) = awake.set_up("alice@example.test").await;
    let guess = json!({"password": "a guess in the dark"});
    let mut sleeper = installation.serve_with(|serve| {
        serve.env("TWOFOLD_BCRYPT_COST", "13");
    });
    for _ in 0..5 {
        let (url, bearer, body) = (format!("{}{DISABLE}", sleeper.base), token.clone(), guess.clone());
        actix_web::rt::spawn(
            async move { reqwest::Client::new().post(url).bearer_auth(bearer).json(&body).send().await },
        );
    }
    let paid =
        "SELECT COUNT(*) AS n FROM bucket WHERE scope = 'reauthentication-session' AND state LIKE '%],[%],[%],[%],[%'";
    until(|| oracle::count(&installation, paid) > 0).await;
    sleeper.child.kill().unwrap();
    sleeper.child.wait().unwrap();
    let (status, refused) = awake.post(DISABLE, &token, &guess).await;
    assert_eq!((status, &refused["code"]), (429, &json!("too-many-attempts")));
}

/// A process that sleeps under load and wakes again has lost nothing, and says so in time.
#[actix_web::test]
async fn a_process_that_sleeps_under_load_loses_nothing() {
    let mut town = Town::found(None, CROWD, dice::seed()).await;
    town.welcome(CROWD);
    let served = town.serve();
    town.at(&[&served]);
    let naps = times(3, 30);
    town.live(async {
        for _ in 0..naps {
            pause(150).await;
            served.signal(Signal::STOP);
            pause(400).await;
            served.signal(Signal::CONT);
        }
    })
    .await;
    town.settle().await;
    town.judge().await;
}
