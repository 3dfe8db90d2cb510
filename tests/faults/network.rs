//! The database is far away: slow, silent, or cut off around a commit.

use super::{
    oracle,
    proxy::{Proxy, Weather},
    times,
    town::Town,
};
use crate::support::{
    dice, fresh_database,
    installation::{Installation, PASSWORD},
    person::{DISABLE, STATUS},
};
use serde_json::json;
use std::{
    path::Path,
    time::{Duration, Instant},
};

const CROWD: usize = 8;

/// A fresh database, and the network to it.
fn over_network() -> Option<(String, Proxy, String)> {
    let url = fresh_database()?;
    let (address, parameters) = url.split_once('?').unwrap();
    let folder = parameters.split('&').find_map(|parameter| parameter.strip_prefix("host=")).unwrap();
    let proxy = Proxy::start(Path::new(folder));
    let far = proxy.url(address.rsplit('/').next().unwrap());
    Some((url, proxy, far))
}

async fn pause(milliseconds: u64) {
    actix_web::rt::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Under load, in the given weathers, one after another.
async fn live_through(what: &str, weathers: &[Weather], rounds: u32) {
    let Some((url, proxy, far)) = over_network() else { return };
    let mut town = Town::found(Some(url), CROWD * rounds as usize, dice::seed()).await;
    let near = town.serve();
    let served = town.serve_with(|serve| {
        serve.env("TWOFOLD_DATABASE_URL", &far);
    });
    for _ in 0..rounds {
        town.welcome(CROWD);
        town.at(&[&served]);
        for weather in weathers {
            proxy.turn(*weather);
            town.live(pause(1500)).await;
            proxy.turn(Weather::Fair);
            town.settle().await;
        }
        // Whoever is near sees what became of it.
        town.at(&[&near]);
        town.judge().await;
    }
    town.report(&format!("{what}, {rounds} times, {} commits cut", proxy.cuts()));
    let is_cutting = |weather: &Weather| matches!(weather, Weather::CommitLost(_) | Weather::AnswerLost(_));
    assert!(proxy.cuts() > 0 || !weathers.iter().any(is_cutting), "no commit was hit");
}

#[actix_web::test]
async fn a_commit_whose_answer_is_lost_is_unknown_and_is_not_repeated() {
    let weathers = [Weather::CommitLost(5), Weather::AnswerLost(5)];
    live_through("cut around COMMIT", &weathers, times(2, 30)).await;
}

#[actix_web::test]
async fn a_slow_database_makes_nothing_wrong() {
    live_through("5 ms a message", &[Weather::Slow(Duration::from_millis(5)); 2], times(1, 20)).await;
}

#[actix_web::test]
async fn a_lost_answer_is_told_as_unknown_and_a_repeated_request_finds_out() {
    let Some((url, proxy, far)) = over_network() else { return };
    let installation = Installation::ready(Some(url));
    installation.add_account("alice@example.test");
    let served = installation.serve_with(|serve| {
        serve.env("TWOFOLD_DATABASE_URL", &far);
    });
    let (token, _) = served.set_up("alice@example.test").await;
    let disable = async |token: &str| {
        let request = reqwest::Client::new().post(format!("{}{DISABLE}", served.base)).bearer_auth(token);
        let answer =
            request.header("Idempotency-Key", "once").json(&json!({"password": PASSWORD})).send().await.unwrap();
        let is_replay = answer.headers().contains_key("idempotent-replayed");
        (answer.status().as_u16(), is_replay, answer.json::<serde_json::Value>().await.unwrap())
    };
    proxy.turn(Weather::AnswerLostOf("two_factor.disabled"));
    let (status, _, body) = disable(&token).await;
    assert_eq!((status, &body["code"]), (503, &json!("outcome-unknown")), "{body}");
    proxy.turn(Weather::Fair);
    assert_eq!(served.get(STATUS, &token).await.0, 401, "it took effect, so the token is dead");
    let token = served.login("alice@example.test").await["tokens"]["access_token"].as_str().unwrap().to_owned();
    let (status, is_replay, body) = disable(&token).await;
    assert_eq!((status, is_replay), (200, true), "{body}");
    let done = "SELECT COUNT(*) AS n FROM audit WHERE kind = 'two_factor.disabled'";
    assert_eq!(oracle::count(&installation, done), 1);
}

#[actix_web::test]
async fn a_database_that_goes_silent_holds_nobody_longer_than_its_deadline() {
    let Some((url, proxy, far)) = over_network() else { return };
    let installation = Installation::ready(Some(url));
    installation.add_account("alice@example.test");
    let served = installation.serve_with(|serve| {
        serve.env("TWOFOLD_DATABASE_URL", &far).env("TWOFOLD_DATABASE_POOL", "2");
    });
    let (token, _) = served.set_up("alice@example.test").await;
    proxy.turn(Weather::Silent);
    let began = Instant::now();
    let answers = futures_util::future::join_all((0..60).map(|_| served.get(STATUS, &token))).await;
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());
    let count =
        |code: &str| answers.iter().filter(|(status, body)| (*status, &body["code"]) == (503, &json!(code))).count();
    // Two connections have room for 32 transactions, some of them our own beside the requests; the others are turned
    // away at once.
    let waited = count("unavailable");
    assert!((28..=32).contains(&waited) && waited + count("overloaded") == 60, "{answers:?}");
    let probe = async |path: &str| reqwest::get(format!("{}{path}", served.operations())).await.unwrap().status();
    assert_eq!((probe("/livez").await.as_u16(), probe("/readyz").await.as_u16()), (200, 503));
    // It comes back by itself.
    proxy.turn(Weather::Fair);
    let began = Instant::now();
    while served.get(STATUS, &token).await.0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
        pause(50).await;
    }
}
