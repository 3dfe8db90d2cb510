//! Keys rotate while customers are served.

use super::{
    crowd::{self, Crowd},
    fails, says, tells,
};
use crate::support::{
    fresh_database,
    installation::{Installation, PASSWORD, Served, code_in, text},
    person::{LOGIN, SECOND, STATUS, TOTP_PATH},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::Duration,
};

const CROWD: usize = 6;

fn serve(installation: &Installation) -> Served {
    let settings = crowd::settings(installation);
    let served = installation.serve_with(|serve| {
        serve.args(["--config", &settings]);
    });
    assert!(!served.base.is_empty(), "{}", installation.logged());
    served
}

fn ids(keys: &toml::Table, ring: &str) -> Vec<String> {
    let keys = keys[ring].as_array().unwrap().iter();
    keys.map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

fn steps(told: &Value) -> Vec<String> {
    let steps = told["steps"].as_array().unwrap().iter();
    steps.map(|step| format!("{} {}", text(&step["ring"]), text(&step["step"]))).collect()
}

/// Lets an old key look as if it had been replaced some minutes earlier.
fn age(installation: &Installation, ring: &str) {
    let mut keys = installation.keys();
    let old = keys[ring].as_array_mut().unwrap()[1].as_table_mut().unwrap();
    let since = old["turn"]["replaced"]["unused_since"].as_str().unwrap();
    let since: jiff::Timestamp = since.parse().unwrap();
    let earlier = (since - jiff::SignedDuration::from_mins(5)).to_string();
    old["turn"]["replaced"]["unused_since"] = earlier.into();
    installation.write_keys(&keys);
}

async fn published(served: &Served) -> Vec<String> {
    let (_, body) = served.get("/.well-known/jwks.json", "").await;
    body["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"])).collect()
}

async fn nobody_is_refused_while_keys_rotate(installation: Installation, replicas: Vec<Served>) {
    let alice = "alice@example.test";
    installation.add_account(alice);
    let (bystander, secret) = replicas[0].set_up(alice).await;
    let crowd = Crowd::sets_out(&installation, &replicas.iter().collect::<Vec<_>>(), CROWD);
    let before = installation.keys();
    // A new token key is published first; the sealing key goes all the way.
    let told = tells(&installation, &["keys", "rotate", "--json"]).await;
    assert_eq!(steps(&told)[..3], ["sealing added", "sealing promoted", "sealing settled"], "{told}");
    assert!(steps(&told).contains(&"signing published".to_owned()) && told["is_done"] == false, "{told}");
    let next = text(&told["next"]);
    assert!(next.contains("run this again after"), "{next}");
    for served in &replicas {
        assert_eq!(published(served).await, ids(&installation.keys(), "signing"), "both are published");
    }
    // The operator does not wait this time.
    let told = tells(&installation, &["keys", "rotate", "--at-once", "--json"]).await;
    assert!(steps(&told).contains(&"signing settled".to_owned()), "{told}");
    tells(&installation, &["keys", "rotate", "--hashing", "--json"]).await;
    let after = installation.keys();
    for ring in ["sealing", "signing", "hashing"] {
        let (old, new) = (ids(&before, ring), ids(&after, ring));
        assert_eq!((new.len(), &new[1]), (2, &old[0]), "the {ring} key has a successor");
    }
    for served in &replicas {
        assert_eq!(served.get(STATUS, &bystander).await.0, 200, "a token of the old key is good until it expires");
    }
    age(&installation, "sealing");
    let told = tells(&installation, &["keys", "retire", "--json"]).await;
    let mut retired = steps(&told);
    retired.sort();
    assert_eq!(retired, ["hashing needed", "sealing retired", "signing needed"], "{told}");
    let rounds = crowd.rounds();
    while crowd.rounds() < rounds + 2 * CROWD {
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    let answers = crowd.goes_home().await;
    assert!(answers > 100, "{answers} answers");
    let challenge = replicas[0].login(alice).await["challenge"].clone();
    let answer = json!({"challenge": challenge, "code": code_in(&secret, 1)});
    assert_eq!(replicas[replicas.len() - 1].post(SECOND, "", &answer).await.0, 200, "her secret was sealed anew");
    assert!(says(&installation, &["audit", "verify"]).await.contains("every chain holds"));
    // A crowd of the second day begins with the new keys, and the old ones are in the way of nothing.
    let told = tells(&installation, &["doctor", "--json"]).await;
    assert_eq!(told["is_well"], true, "{told}");
}

#[actix_web::test]
async fn nobody_is_refused_while_keys_rotate_on_one_machine() {
    let installation = Installation::ready(None);
    let served = serve(&installation);
    nobody_is_refused_while_keys_rotate(installation, vec![served]).await;
}

#[actix_web::test]
async fn nobody_is_refused_while_keys_rotate_on_two_replicas() {
    let Some(database_url) = fresh_database() else { return };
    let installation = Installation::ready(Some(database_url));
    let replicas = vec![serve(&installation), serve(&installation)];
    nobody_is_refused_while_keys_rotate(installation, replicas).await;
}

/// Each machine has its own copy of the key file; one of them is late.
#[actix_web::test]
async fn a_replica_without_the_new_key_is_waited_for_and_named() {
    let Some(database_url) = fresh_database() else { return };
    let installation = Installation::ready(Some(database_url));
    installation.add_account("alice@example.test");
    let own = installation.path("elsewhere.toml");
    std::fs::copy(installation.path("keys.toml"), &own).unwrap();
    let (here, there) = (
        serve(&installation),
        installation.serve_with(|serve| {
            serve.env("TWOFOLD_KEYS", &own);
        }),
    );
    let rotate = ["keys", "rotate", "--sealing", "--wait", "2"];
    let said = says(&installation, &rotate).await;
    let address = there.base.strip_prefix("http://").unwrap();
    assert!(said.contains("next:") && said.contains(address) && said.contains("copy"), "{said}");
    assert!(!said.contains(here.base.strip_prefix("http://").unwrap()), "{said}");
    let again = says(&installation, &rotate).await;
    assert!(said.ends_with(&again) && again.starts_with("next:"), "it stays where it was: {again}");
    let (token, secret) = there.set_up("alice@example.test").await;
    assert_eq!(here.get(STATUS, &token).await.0, 200);
    for _ in 0..2 {
        std::fs::copy(installation.path("keys.toml"), &own).unwrap();
        says(&installation, &["keys", "rotate", "--sealing"]).await;
    }
    std::fs::copy(installation.path("keys.toml"), &own).unwrap();
    let said = says(&installation, &["keys", "rotate", "--sealing"]).await;
    assert!(said.contains("0 remain under another key"), "{said}");
    let challenge = there.login("alice@example.test").await["challenge"].clone();
    let answer = json!({"challenge": challenge, "code": code_in(&secret, 1)});
    assert_eq!(here.post(SECOND, "", &answer).await.0, 200);
}

#[actix_web::test]
async fn an_import_that_runs_is_waited_for() {
    let installation = Installation::ready(None);
    let rows: String = (0..20_000).map(|n| format!("{{\"email\":\"p{n}@example.test\"}}\n")).collect();
    std::fs::write(installation.path("people.jsonl"), rows).unwrap();
    let mut import = installation.command();
    import.args(["account", "import", "--without-password", "--batch", "100", &installation.path("people.jsonl")]);
    let mut import = import.stdout(Stdio::null()).spawn().unwrap();
    let rotate = ["keys", "rotate", "--sealing", "--wait", "1"];
    let mut said = String::new();
    while import.try_wait().unwrap().is_none() {
        said = says(&installation, &rotate).await;
        if said.contains("an import that runs") {
            break;
        }
    }
    assert!(said.contains("an import that runs"), "{said}");
    assert!(import.wait().unwrap().success());
    said = says(&installation, &["keys", "rotate", "--sealing"]).await;
    assert!(said.contains("0 remain under another key"), "{said}");
}

/// Five authenticators for each of a few people.
async fn protects_many(served: &Served, installation: &Installation, people: usize) {
    for n in 0..people {
        let email = format!("owner{n}@example.test");
        installation.add_account(&email);
        let (token, _) = served.set_up(&email).await;
        let mut token = token;
        for _ in 1..5 {
            let (status, enrolment) = served.post(TOTP_PATH, &token, &json!({"password": PASSWORD})).await;
            assert_eq!(status, 201, "{enrolment}");
            let path = format!("{TOTP_PATH}/{}/confirm", text(&enrolment["id"]));
            let code = json!({"code": code_in(&text(&enrolment["secret"]), 0)});
            let (status, confirmed) = served.post(&path, &token, &code).await;
            assert_eq!(status, 200, "{confirmed}");
            token = text(&confirmed["tokens"]["access_token"]);
        }
    }
}

async fn sealing_anew_survives_a_kill(installation: Installation) {
    let served = serve(&installation);
    let people = 40;
    protects_many(&served, &installation, people).await;
    let (_, secret) = {
        installation.add_account("alice@example.test");
        served.set_up("alice@example.test").await
    };
    let mut command = installation.command();
    command.args(["keys", "rotate", "--sealing"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut rotating = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(rotating.stderr.take().unwrap()).read_line(&mut line).unwrap();
    // Pulled out from under it after the first batch.
    rotating.kill().unwrap();
    assert!(!rotating.wait().unwrap().success(), "it was still at work");
    let done: u64 = line.split(' ').next().unwrap().parse().unwrap();
    let all = people as u64 * 5 + 1;
    assert!(done > 0 && done < all, "{line}");
    let told = tells(&installation, &["keys", "rotate", "--sealing", "--json"]).await;
    let resealed = told["steps"].as_array().unwrap().iter().find(|step| step["step"] == "resealed").unwrap();
    let sentence = text(&resealed["text"]);
    let rest: u64 = sentence.split(' ').next().unwrap().parse().unwrap();
    assert!(rest > 0 && rest <= all - done && sentence.contains(" 0 remain under another key"), "{done}: {sentence}");
    age(&installation, "sealing");
    says(&installation, &["keys", "retire"]).await;
    assert_eq!(ids(&installation.keys(), "sealing").len(), 1, "nothing needs the old key");
    drop(served);
    let served = serve(&installation);
    let (_, asked) = served.post(LOGIN, "", &json!({"email": "alice@example.test", "password": PASSWORD})).await;
    let answer = json!({"challenge": asked["challenge"], "code": code_in(&secret, 1)});
    assert_eq!(served.post(SECOND, "", &answer).await.0, 200);
}

#[actix_web::test]
async fn sealing_anew_goes_on_after_a_kill_on_sqlite() {
    sealing_anew_survives_a_kill(Installation::ready(None)).await;
}

#[actix_web::test]
async fn sealing_anew_goes_on_after_a_kill_on_postgres() {
    let Some(database_url) = fresh_database() else { return };
    sealing_anew_survives_a_kill(Installation::ready(Some(database_url))).await;
}

#[actix_web::test]
async fn keys_that_must_stay_are_refused_with_the_reason() {
    let installation = Installation::ready(None);
    for (kind, reason) in [("--naming", "locks on guesses"), ("--audit", "could never be dropped")] {
        let sentence = fails(&installation, &["keys", "rotate", kind]).await;
        assert!(sentence.contains(reason) && sentence.lines().count() == 1, "{sentence}");
    }
    let before = installation.keys();
    says(&installation, &["keys", "retire"]).await;
    assert_eq!(installation.keys(), before, "the only key of a ring is never dropped");
}

#[actix_web::test]
async fn a_replica_that_was_left_behind_says_so_in_its_log() {
    let Some(database_url) = fresh_database() else { return };
    let installation = Installation::ready(Some(database_url));
    let own = installation.path("elsewhere.toml");
    std::fs::copy(installation.path("keys.toml"), &own).unwrap();
    let _here = serve(&installation);
    let _there = installation.serve_with(|serve| {
        serve.env("TWOFOLD_KEYS", &own);
    });
    // By hand, and on one machine alone.
    let mut keys = installation.keys();
    let added = Installation::new(None).keys()["signing"].as_array().unwrap().clone();
    let id = added[0]["id"].as_str().unwrap().to_owned();
    keys["signing"].as_array_mut().unwrap().splice(0..0, added);
    installation.write_keys(&keys);
    let began = std::time::Instant::now();
    while !installation.logged().contains(&format!("makes with the signing key {id}")) {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", installation.logged());
        actix_web::rt::time::sleep(Duration::from_millis(200)).await;
    }
}
