//! The program as an operator runs it: real processes, real signals, real time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

mod ends;
mod starts;
mod supervised;
#[path = "../support/mod.rs"]
mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use support::{
    fresh_database,
    installation::{Installation, PASSWORD, code_in, text},
    person::{DISABLE, LOGIN, SECOND, STATUS, TOTP_PATH, VERIFY},
};

#[test]
fn the_demo_walks_the_story_and_says_that_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_twofold"))
        .args(["demo", "--exit"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("Your account is no longer protected by an authenticator app."));
    assert!(shown.ends_with("The story held.\n"));
    assert_eq!(fs::read_dir(folder.path().join("target")).unwrap().count(), 0, "it cleans up");
}

#[test]
fn serve_refuses_what_is_not_fit_for_service_and_says_what_to_do() {
    let fresh = Installation::new(None);
    assert!(fresh.refusal(|_| {}).contains("run `twofold migrate`"), "a missing database");
    assert!(!Path::new(&fresh.path("twofold.db")).exists(), "it makes none by itself");
    assert!(
        fresh
            .refusal(|serve| {
                serve.env_remove("TWOFOLD_KEYS");
            })
            .contains("keys generate")
    );

    let installation = Installation::ready(None);
    let keys = installation.path("keys.toml");
    let refusal_of = |edit: &dyn Fn(&str) -> String, mode: u32| {
        let good = fs::read_to_string(&keys).unwrap();
        fs::write(&keys, edit(&good)).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(mode)).unwrap();
        let sentence = installation.refusal(|_| {});
        fs::write(&keys, good).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
        sentence
    };
    assert!(refusal_of(&str::to_owned, 0o644).contains("chmod 600"));
    assert!(refusal_of(&|text| text.replace("version = 1", "version = 1\ndemo = true"), 0o600).contains("sample"));
    assert!(refusal_of(&|text| text.replacen("key = \"", "key = \"AAAA", 1), 0o600).contains("bytes"));
    assert!(refusal_of(&|_| String::new(), 0o600).contains("keys generate"));
    for (name, value, part) in [
        ("TWOFOLD_DATABASE_URL", "mysql://x/y", "sqlite:// or postgres://"),
        ("TWOFOLD_DATABASE_URL", "postgres://127.0.0.1:1/none", "cannot reach the database"),
        ("TWOFOLD_LISTEN", "nonsense", "TWOFOLD_LISTEN"),
        ("TWOFOLD_BCRYPT_COST", "99", "4 to 14"),
        ("TWOFOLD_TRUSTED_PROXIES", "everyone", "TWOFOLD_TRUSTED_PROXIES"),
        ("TWOFOLD_DATABASE_URL_FILE", "/nonexistent", "TWOFOLD_DATABASE_URL_FILE"),
    ] {
        let sentence = installation.refusal(|serve| {
            serve.env(name, value);
        });
        assert!(sentence.contains(part), "{name}={value}: {sentence}");
    }
    assert!(
        installation
            .refusal(|serve| {
                serve.env_remove("TWOFOLD_INSECURE");
            })
            .contains("TWOFOLD_INSECURE=1")
    );
    fs::write(installation.path("bad.toml"), "listne = 1").unwrap();
    let bad = installation.path("bad.toml");
    assert!(
        installation
            .refusal(|serve| {
                serve.args(["--config", &bad]);
            })
            .contains("listne")
    );
    assert!(
        installation
            .refusal(|serve| {
                serve.args(["--config", "/nonexistent.toml"]);
            })
            .contains("no configuration file")
    );
}

#[test]
fn serve_refuses_a_schema_of_another_release() {
    use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
    for (statement, part) in [
        (
            "DELETE FROM __diesel_schema_migrations WHERE version LIKE '%13'",
            "older than this program; run `twofold migrate`",
        ),
        ("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000001')", "newer than this program"),
    ] {
        let installation = Installation::ready(None);
        let mut conn = SqliteConnection::establish(&installation.path("twofold.db")).unwrap();
        sql_query(statement).execute(&mut conn).unwrap();
        let sentence = installation.refusal(|_| {});
        assert!(sentence.contains(part), "{sentence}");
        if part.starts_with("newer") {
            let migrated = installation.run(&["migrate"], "");
            let told = String::from_utf8(migrated.stderr).unwrap();
            assert!(migrated.status.code() == Some(2) && told.contains(part), "{told}");
        }
    }
}

#[test]
fn a_sqlite_file_has_one_server_and_the_other_commands_work_beside_it() {
    let installation = Installation::ready(None);
    let served = installation.serve();
    assert_eq!(served.ready_line.matches("http://").count(), 2, "{}", served.ready_line);
    assert!(installation.refusal(|_| {}).contains("another `twofold serve`"));
    assert!(installation.succeeds(&["migrate"]).contains("up to date"));
    let id = installation.add_account("alice@example.test");
    assert_eq!(id.len(), 36);
    let again = installation.run(&["account", "add", "--email", "ALICE@example.test", "--password-stdin"], PASSWORD);
    assert_eq!(again.status.code(), Some(1), "the address is taken");
    let short = installation.run(&["account", "add", "--email", "b@example.test", "--password-stdin"], "short\n");
    assert!(!short.status.success());
    let unknown =
        installation.run(&["account", "set-password", "--email", "x@example.test", "--password-stdin"], PASSWORD);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no such account"));
    let set = installation
        .run(&["account", "set-password", "--email", "alice@example.test", "--password-stdin"], "another password\n");
    assert!(set.status.success());
    assert!(installation.succeeds(&["audit", "verify"]).contains("every chain holds"));
    assert!(installation.succeeds(&["audit", "verify", "--account", &id]).starts_with("1 audit rows"));
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
    installation.succeeds(&["openapi", "--check", document]);
    let mode = fs::metadata(installation.path("twofold.db")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[test]
fn anchors_are_exported_and_show_what_was_cut_off() {
    use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let set = ["account", "set-password", "--email", "alice@example.test", "--password-stdin"];
    assert!(installation.run(&set, "another password\n").status.success());
    let exported = installation.path("anchors.jsonl");
    fs::write(&exported, installation.succeeds(&["audit", "export"])).unwrap();
    let verify = ["audit", "verify", "--anchors", &exported];
    assert_eq!(installation.succeeds(&verify), "1 audit rows, every chain holds; 2 anchors checked\n");
    let mut conn = SqliteConnection::establish(&installation.path("twofold.db")).unwrap();
    for statement in ["DELETE FROM audit", "DELETE FROM audit_anchor", "UPDATE account SET activity = 0"] {
        assert_eq!(sql_query(statement).execute(&mut conn).unwrap(), 1);
    }
    installation.succeeds(&["audit", "verify"]);
    let told = installation.run(&verify, "");
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stderr).contains("anchor 1: is missing in the database"));
}

#[test]
fn two_migrations_at_once_do_no_harm() {
    for database_url in [None, None, None, fresh_database()] {
        let installation = Installation::new(database_url);
        let mut running: Vec<Child> =
            (0..6).map(|_| installation.command().arg("migrate").stdout(Stdio::null()).spawn().unwrap()).collect();
        assert!(running.iter_mut().all(|child| child.wait().unwrap().success()));
        installation.add_account("alice@example.test");
    }
}

#[actix_web::test]
async fn a_code_is_accepted_once_across_two_processes() {
    let Some(database_url) = fresh_database() else { return };
    let installation = Installation::ready(Some(database_url));
    installation.add_account("alice@example.test");
    let replicas = [installation.serve(), installation.serve()];
    let (token, secret) = replicas[0].set_up("alice@example.test").await;
    // The code of the next step is right a step early.
    let body = json!({"code": code_in(&secret, 1)});
    let tries = (0..4).map(|n| replicas[n % 2].post(VERIFY, &token, &body));
    let answers = join_all(tries).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1, "{answers:?}");
    for (status, body) in answers.iter().filter(|(status, _)| *status != 200) {
        assert_eq!((*status, &body["code"]), (403, &json!("invalid-credential")));
    }
}

#[actix_web::test]
async fn a_disable_at_one_replica_is_known_at_the_other_at_once() {
    let Some(database_url) = fresh_database() else { return };
    let installation = Installation::ready(Some(database_url));
    installation.add_account("alice@example.test");
    let (one, two) = (installation.serve(), installation.serve());
    let (token, secret) = one.set_up("alice@example.test").await;
    let challenge = two.login("alice@example.test").await["challenge"].clone();
    let (status, disabled) = one.post(DISABLE, &token, &json!({"password": PASSWORD})).await;
    assert_eq!(status, 200, "{disabled}");
    assert_eq!(two.get(STATUS, &token).await.0, 401);
    let answer = json!({"challenge": challenge, "code": code_in(&secret, 1)});
    assert_eq!(two.post(SECOND, "", &answer).await.0, 410);
    assert_eq!(two.login("alice@example.test").await["result"], "signed_in");
}

#[actix_web::test]
async fn a_restart_forgets_no_used_code_and_no_session() {
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let mut served = installation.serve();
    let (token, secret) = served.set_up("alice@example.test").await;
    let code = code_in(&secret, 1);
    assert_eq!(served.post(VERIFY, &token, &json!({"code": code})).await.0, 200);
    // Pulled out from under it, not stopped.
    served.child.kill().unwrap();
    served.child.wait().unwrap();
    let served = installation.serve();
    assert_eq!(served.get(STATUS, &token).await.0, 200);
    assert_eq!(served.post(VERIFY, &token, &json!({"code": code})).await.0, 403);
    assert!(installation.succeeds(&["audit", "verify"]).contains("every chain holds"));
}

#[actix_web::test]
async fn a_restart_of_every_replica_forgets_no_used_code() {
    let Some(database_url) = fresh_database() else { return };
    let installation = Installation::ready(Some(database_url));
    installation.add_account("alice@example.test");
    let mut replicas = [installation.serve(), installation.serve()];
    let (token, secret) = replicas[0].set_up("alice@example.test").await;
    let code = json!({"code": code_in(&secret, 1)});
    assert_eq!(replicas[0].post(VERIFY, &token, &code).await.0, 200);
    for served in &mut replicas {
        served.child.kill().unwrap();
        served.child.wait().unwrap();
    }
    drop(replicas);
    for served in [installation.serve(), installation.serve()] {
        assert_eq!(served.post(VERIFY, &token, &code).await.0, 403);
        let challenge = served.login("alice@example.test").await["challenge"].clone();
        let answer = json!({"challenge": challenge, "code": code["code"]});
        assert_eq!(served.post(SECOND, "", &answer).await.0, 403);
    }
}

#[actix_web::test]
async fn requests_in_flight_are_answered_before_a_terminated_service_ends() {
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    // Slow enough to be in flight: about a quarter of a second a password.
    let mut served = installation.serve_with(|serve| {
        serve.env("TWOFOLD_BCRYPT_COST", "12");
    });
    let body = json!({"email": "nobody@example.test", "password": "a guess in the dark"});
    let url = format!("{}{LOGIN}", served.base);
    let waiting = actix_web::rt::spawn(async move { reqwest::Client::new().post(url).json(&body).send().await });
    actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    let exit = actix_web::rt::task::spawn_blocking(move || served.terminate()).await.unwrap();
    assert_eq!(exit, 0);
    assert_eq!(waiting.await.unwrap().unwrap().status(), 403);
}

#[actix_web::test]
async fn log_lines_are_json_with_a_request_id_and_no_secret() {
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let mut served = installation.serve_with(|serve| {
        serve.env("TWOFOLD_LOG", "trace");
    });
    let (token, secret) = served.set_up("alice@example.test").await;
    served.post(DISABLE, &token, &json!({"password": "not the password at all"})).await;
    // The log is written a moment later, and whole at the end.
    actix_web::rt::task::spawn_blocking(move || served.terminate()).await.unwrap();
    let lines = installation.logged();
    let mut requests = 0;
    for line in lines.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(entry["ts"].is_string() && entry["level"].is_string());
        if entry["message"] == "request" {
            requests += 1;
            assert!(entry["request_id"].is_string() && entry["status"].is_u64());
        }
    }
    assert!(requests >= 4, "{requests} requests are logged");
    for secret in [PASSWORD, "not the password at all", &token, &secret] {
        assert!(!lines.contains(secret), "a secret is in the log: {secret}");
    }
}

#[actix_web::test]
async fn a_request_of_a_trace_is_logged_with_it() {
    let installation = Installation::ready(None);
    let mut served = installation.serve_with(|serve| {
        serve.env("TWOFOLD_LOG", "info");
    });
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let url = format!("{}/problems", served.base);
    let http = reqwest::Client::new();
    for given in [format!("00-{trace}-00f067aa0ba902b7-01"), "00-no-trace-01".to_owned()] {
        http.get(&url).header("traceparent", given).send().await.unwrap();
    }
    // The log is written a moment later, and whole at the end.
    actix_web::rt::task::spawn_blocking(move || served.terminate()).await.unwrap();
    let logged = installation.logged();
    let lines: Vec<Value> = logged.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<&Value> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert_eq!(requests.len(), 2, "{logged}");
    assert_eq!((&requests[0]["trace_id"], &requests[0]["parent_id"]), (&json!(trace), &json!("00f067aa0ba902b7")));
    assert!(requests[1].get("trace_id").is_none(), "{}", requests[1]);
}

#[actix_web::test]
async fn the_codes_of_oathtool_are_accepted() {
    let found = Command::new("oathtool").arg("--version").output().is_ok();
    if !found {
        let is_required = std::env::var("TWOFOLD_TEST_OATHTOOL").as_deref() == Ok("required");
        assert!(!is_required, "oathtool is required and not installed");
        eprintln!("skipped: oathtool is not installed");
        return;
    }
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let served = installation.serve();
    let token = text(&served.login("alice@example.test").await["tokens"]["access_token"]);
    let (_, enrolment) = served.post(TOTP_PATH, &token, &json!({"password": PASSWORD})).await;
    let shown = Command::new("oathtool").args(["--totp", "--base32", &text(&enrolment["secret"])]).output().unwrap();
    let code = String::from_utf8(shown.stdout).unwrap().trim().to_owned();
    let path = format!("{TOTP_PATH}/{}/confirm", text(&enrolment["id"]));
    let (status, confirmed) = served.post(&path, &token, &json!({"code": code})).await;
    assert_eq!(status, 200, "{confirmed}");
}
