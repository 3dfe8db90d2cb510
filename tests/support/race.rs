//! Races: many rounds, and the proof from inside that requests were really in flight together.
#![allow(clippy::disallowed_methods, reason = "the environment says how long to try")]

use super::TestApp;
use std::env;

/// Rounds of every race, unless `TWOFOLD_TEST_ROUNDS` asks for more; the long form takes 300.
const SHORT: u32 = 8;

/// How many rounds a race has.
pub fn rounds() -> u32 {
    env::var("TWOFOLD_TEST_ROUNDS").map_or(SHORT, |text| text.parse().unwrap())
}

/// Runs the rounds of one race. A round begins with requests one after another and ends with a burst of them;
/// a race whose bursts did not overlap, seen from inside the service, has shown nothing and fails.
pub async fn race(app: &TestApp, round: impl AsyncFn(u32)) {
    let rounds = rounds();
    let mut overlapped = 0;
    for n in 0..rounds {
        app.take_peak();
        round(n).await;
        overlapped += u32::from(app.take_peak() > 1);
    }
    println!("{rounds} rounds, {overlapped} with requests in flight together");
    assert!(overlapped * 10 >= rounds * 8, "only {overlapped} of {rounds} rounds overlapped");
}
