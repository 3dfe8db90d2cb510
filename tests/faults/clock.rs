//! A replica's clock is wrong, from the start or all of a sudden. libfaketime turns it; the program knows nothing.

use super::oracle;
use crate::support::{
    fresh_database,
    installation::{Installation, PASSWORD, Served, code_in},
    person::{LOGIN, SECOND, STATUS, VERIFY},
};
use serde_json::{Value, json};
use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Steps of a code in an hour.
const HOUR: i64 = 120;

/// The library that turns clocks; `None` where it is not installed, unless it is required.
fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let found = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1")).find(|path| path.is_file());
    if found.is_none() {
        let is_required = env::var("TWOFOLD_TEST_FAKETIME").as_deref() == Ok("required");
        assert!(!is_required, "libfaketime is required and not installed");
        eprintln!("skipped: libfaketime is not installed (looked in /usr/lib/*/faketime)");
    }
    found
}

/// A `serve` whose clock is off by what a file says.
struct Turned {
    served: Served,
    file: String,
}

impl Turned {
    fn serve(installation: &Installation, library: &PathBuf, off_by: &str) -> Self {
        let file = installation.path("clock");
        fs::write(&file, off_by).unwrap();
        let served = installation.serve_with(|serve| {
            serve
                .env("LD_PRELOAD", library)
                .env("FAKETIME_TIMESTAMP_FILE", &file)
                .env("FAKETIME_NO_CACHE", "1")
                // A clock that is set does not move the time that has passed.
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        });
        assert!(!served.base.is_empty(), "{}", installation.logged());
        Self { served, file }
    }

    fn turn(&self, off_by: &str) {
        fs::write(&self.file, off_by).unwrap();
    }
}

async fn readiness(served: &Served) -> u16 {
    reqwest::get(format!("{}/readyz", served.operations())).await.unwrap().status().as_u16()
}

fn is_unavailable((status, body): &(u16, Value)) -> bool {
    (*status, &body["code"]) == (503, &json!("unavailable"))
}

#[actix_web::test]
async fn a_replica_whose_clock_is_wrong_is_not_ready_and_decides_nothing() {
    let (Some(library), Some(database_url)) = (library(), fresh_database()) else { return };
    let installation = Installation::ready(Some(database_url));
    installation.add_account("alice@example.test");
    let right = installation.serve();
    let (token, secret) = right.set_up("alice@example.test").await;
    for (off_by, steps) in [("+3600", HOUR), ("-3600", -HOUR), ("+40", 1), ("-40", -1)] {
        let wrong = Turned::serve(&installation, &library, off_by);
        assert_eq!(readiness(&wrong.served).await, 503, "{off_by}");
        let credentials = json!({"email": "alice@example.test", "password": PASSWORD});
        // A code of its own time would move the watermark out of the owner's reach.
        let poison = json!({"code": code_in(&secret, steps)});
        assert!(is_unavailable(&wrong.served.post(VERIFY, &token, &poison).await), "{off_by}");
        assert!(is_unavailable(&wrong.served.post(LOGIN, "", &credentials).await), "{off_by}");
        assert!(is_unavailable(&wrong.served.get(STATUS, &token).await), "{off_by}");
    }
    assert_eq!(readiness(&right).await, 200);
    assert_eq!(right.post(VERIFY, &token, &json!({"code": code_in(&secret, 1)})).await.0, 200);
    oracle::judge_database(&installation, &[]).unwrap();
}

#[actix_web::test]
async fn a_clock_that_jumps_is_noticed_before_the_next_request_is_answered() {
    let (Some(library), Some(database_url)) = (library(), fresh_database()) else { return };
    let installation = Installation::ready(Some(database_url));
    installation.add_account("alice@example.test");
    let turned = Turned::serve(&installation, &library, "+0");
    let (token, secret) = turned.served.set_up("alice@example.test").await;
    assert_eq!(readiness(&turned.served).await, 200);
    for (off_by, steps) in [("+3600", HOUR), ("-90", -3)] {
        turned.turn(off_by);
        let poison = json!({"code": code_in(&secret, steps)});
        assert!(is_unavailable(&turned.served.post(VERIFY, &token, &poison).await), "{off_by}");
        assert_eq!(readiness(&turned.served).await, 503);
        turned.turn("+0");
        let began = Instant::now();
        while turned.served.get(STATUS, &token).await.0 != 200 {
            assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
            actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(turned.served.post(VERIFY, &token, &json!({"code": code_in(&secret, 1)})).await.0, 200);
}

/// With one process on one machine there is no other clock to ask; what was used stays used all the same.
#[actix_web::test]
async fn a_clock_that_is_set_back_makes_no_used_code_good_again() {
    let Some(library) = library() else { return };
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let turned = Turned::serve(&installation, &library, "+0");
    let (token, secret) = turned.served.set_up("alice@example.test").await;
    let used = json!({"code": code_in(&secret, 0)});
    for off_by in ["-30", "-90", "+0"] {
        turned.turn(off_by);
        let login =
            turned.served.post(LOGIN, "", &json!({"email": "alice@example.test", "password": PASSWORD})).await.1;
        let answer = json!({"challenge": login["challenge"], "code": used["code"]});
        assert_eq!(turned.served.post(SECOND, "", &answer).await.0, 403, "{off_by}");
    }
    assert_eq!(turned.served.post(VERIFY, &token, &json!({"code": code_in(&secret, 1)})).await.0, 200);
    oracle::judge_database(&installation, &[]).unwrap();
}
