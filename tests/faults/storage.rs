//! The disk is full, and files are gone, replaced, overwritten or exchanged.

use super::{oracle, town::Town};
use crate::support::{
    dice,
    installation::{Installation, PASSWORD, Served, code_in, text},
    person::{DISABLE, LOGIN, SECOND, STATUS},
};
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    process::Stdio,
    time::{Duration, Instant},
};

const CROWD: usize = 4;

async fn pause(milliseconds: u64) {
    actix_web::rt::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Lets a process write files of at most so many bytes; none means of any length.
fn limit_files(served: &Served, bytes: Option<u64>) {
    prlimit(Some(served.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

async fn probe(served: &Served, path: &str) -> u16 {
    reqwest::get(format!("{}{path}", served.operations())).await.unwrap().status().as_u16()
}

/// It answers 503 and neither "off" nor a token.
async fn knows_nothing(served: &Served, token: &str) {
    let (status, body) = served.get(STATUS, token).await;
    assert_eq!((status, &body["code"]), (503, &json!("unavailable")), "{body}");
    assert!(body.get("enabled").is_none());
    let credentials = json!({"email": "alice@example.test", "password": PASSWORD});
    let (status, body) = served.post(LOGIN, "", &credentials).await;
    assert_eq!((status, &body["code"]), (503, &json!("unavailable")), "{body}");
    assert_eq!((probe(served, "/readyz").await, probe(served, "/livez").await), (503, 200));
}

/// An installation on SQLite whose one account has two-factor authentication on.
async fn protected() -> (Installation, Served, String, String) {
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let served = installation.serve();
    let (token, secret) = served.set_up("alice@example.test").await;
    (installation, served, token, secret)
}

/// A limit on the length of files stands for a disk that is full: writes fail, and what is there can be read.
#[actix_web::test]
async fn a_full_disk_refuses_writes_answers_reads_and_is_left_behind_without_a_restart() {
    let mut town = Town::found(None, 2 * CROWD, dice::seed()).await;
    town.welcome(CROWD);
    let served = town.serve_on_small_disk();
    town.at(&[&served]);
    town.live(pause(600)).await;
    let mut all_judged = 0;
    for room in [0, 4096, 40_000] {
        let full = fs::metadata(town.installation.path("twofold.db")).unwrap().len();
        limit_files(&served, Some(full + room));
        town.live(pause(700)).await;
        // A guess that cannot be paid for is not judged.
        let guess = async |n: u64| {
            let email = format!("nobody{}@example.test", room * 10_000 + n);
            served.post(LOGIN, "", &json!({"email": email, "password": "a guess in the dark"})).await.0
        };
        let (mut judged, mut refused) = (0, 0);
        while refused < 20 {
            match guess(judged + refused).await {
                403 => judged += 1,
                status => {
                    assert_eq!(status, 503);
                    refused += 1;
                }
            }
            assert!(judged < 3000, "there is still room");
        }
        let token = town.customers[0].access.clone();
        assert!([200, 401].contains(&served.get(STATUS, &token).await.0), "what is there can be read");
        limit_files(&served, None);
        assert_eq!(guess(judged + refused).await, 403, "there is room again");
        all_judged += judged + 1;
        let paid = "SELECT COUNT(*) AS n FROM bucket WHERE scope = 'login' AND state LIKE '%failures\":[1%'";
        assert_eq!(oracle::count(&town.installation, paid), i64::try_from(all_judged).unwrap());
        town.settle().await;
    }
    town.judge().await;
    town.welcome(CROWD);
    town.live(pause(500)).await;
    town.judge().await;
    town.report("a full disk, three times");
}

#[actix_web::test]
async fn a_file_that_is_gone_or_replaced_takes_no_more_writes() {
    let (installation, mut served, token, _) = protected().await;
    let path = installation.path("twofold.db");
    let aside = installation.path("aside.db");
    fs::rename(&path, &aside).unwrap();
    knows_nothing(&served, &token).await;
    fs::write(&path, []).unwrap();
    knows_nothing(&served, &token).await;
    fs::rename(&aside, &path).unwrap();
    assert_eq!(served.get(STATUS, &token).await.1["enabled"], true, "the same file is back");
    assert_eq!(probe(&served, "/readyz").await, 200);
    assert_eq!(served.terminate(), 0);
    fs::remove_file(&path).unwrap();
    assert!(installation.refusal(|_| {}).contains("run `twofold migrate`"), "and none is made in its place");
}

#[actix_web::test]
async fn a_file_that_is_overwritten_is_refused_and_never_an_empty_one() {
    for (from, bytes) in [(0, vec![0; 100]), (0, vec![0; 8192]), (4096, vec![0xff; 4096 * 40])] {
        let (installation, mut served, token, _) = protected().await;
        assert_eq!(served.terminate(), 0);
        let length = fs::metadata(installation.path("twofold.db")).unwrap().len();
        let mut file = fs::OpenOptions::new().write(true).open(installation.path("twofold.db")).unwrap();
        file.seek(SeekFrom::Start(from)).unwrap();
        file.write_all(&bytes[..bytes.len().min(usize::try_from(length - from).unwrap())]).unwrap();
        drop(file);
        let mut starting = installation.serve();
        if starting.base.is_empty() {
            assert_eq!(starting.child.wait().unwrap().code(), Some(2), "it refuses to start");
        } else {
            // What was overwritten shows when it is read.
            let (status, body) = starting.get(STATUS, &token).await;
            assert_eq!(status, 503, "{body}");
            let credentials = json!({"email": "alice@example.test", "password": PASSWORD});
            assert_eq!(starting.post(LOGIN, "", &credentials).await.0, 503);
        }
    }
}

/// Another installation's keys, or a ring from which one is gone, open nothing and switch nothing off.
#[actix_web::test]
async fn keys_that_are_missing_or_exchanged_are_503_and_never_off() {
    let (installation, mut served, token, secret) = protected().await;
    assert_eq!(served.terminate(), 0);
    let other = Installation::new(None);
    let (own, foreign) = (installation.keys(), other.keys());
    for name in ["sealing", "hashing"] {
        let mut exchanged = own.clone();
        exchanged[name] = foreign[name].clone();
        installation.write_keys(&exchanged);
        let refused = installation.run(&["serve"], "");
        assert_eq!(refused.status.code(), Some(2), "with the {name} key of another");
        // One that is exchanged under a process that serves.
        installation.write_keys(&own);
        let served = installation.serve();
        installation.write_keys(&exchanged);
        let began = Instant::now();
        let answered = async || {
            let login = served.login("alice@example.test").await;
            assert_eq!(login["result"], "second_factor_required", "with the {name} key of another");
            let answer = json!({"challenge": login["challenge"], "code": code_in(&secret, 1)});
            (name == "sealing").then_some(served.post(SECOND, "", &answer).await.0)
        };
        // The file is looked at once a second; a code that is judged before costs a guess.
        pause(1200).await;
        while answered().await.is_some_and(|status| status != 503) {
            assert!(began.elapsed() < Duration::from_secs(10), "the {name} key of another is not taken up");
            pause(1200).await;
        }
        assert_eq!(served.get(STATUS, &token).await.1["enabled"], true, "with the {name} key of another");
    }
    // A signing key of another: every token is refused, and nobody's account is off.
    let mut exchanged = own.clone();
    exchanged["signing"] = foreign["signing"].clone();
    installation.write_keys(&exchanged);
    let served = installation.serve();
    assert_eq!(served.get(STATUS, &token).await.0, 401);
    assert_eq!(served.login("alice@example.test").await["result"], "second_factor_required");
    drop(served);
    installation.write_keys(&own);
    let served = installation.serve();
    let (status, body): (u16, Value) = served.post(DISABLE, &token, &json!({"password": PASSWORD})).await;
    assert_eq!((status, text(&body["login"])), (200, "password".to_owned()), "{body}");
    oracle::judge_database(&installation, &[]).unwrap();
}

/// A log that nobody takes: whoever collects it has stopped, and the pipe is full.
#[actix_web::test]
async fn a_log_that_nobody_reads_stops_nobody_and_what_was_dropped_is_counted() {
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let mut command = installation.command();
    command.arg("serve").env("TWOFOLD_LOG", "trace").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut served = Served::attach(command.spawn().unwrap());
    let mut log = served.child.stderr.take().unwrap();
    let (token, _) = served.set_up("alice@example.test").await;
    for _ in 0..1500 {
        assert_eq!(served.get(STATUS, &token).await.0, 200);
    }
    // Somebody takes it again.
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text).unwrap()
    });
    assert_eq!(served.get(STATUS, &token).await.0, 200);
    assert_eq!(served.terminate(), 0);
    let text = reading.join().unwrap();
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "no line is torn");
    assert!(text.contains("log lines were dropped"), "{} lines", text.lines().count());
}
