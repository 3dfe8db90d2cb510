//! The doctor finds what was planted, says what to do about it, and finds nothing in a healthy installation.

use super::{beside, execute, fails, says};
use crate::support::{fresh_database, installation::Installation};
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt};

/// What the doctor says, with these settings on top: its findings that are not "well", and the exit code.
async fn examine(installation: &Installation, settings: &[(&str, &str)]) -> (Vec<Value>, Option<i32>) {
    let mut command = installation.command();
    // What is allowed for tests is a doubt of its own.
    command.args(["doctor", "--json"]).env_remove("TWOFOLD_INSECURE").env("TWOFOLD_BCRYPT_COST", "10");
    command.env_remove("TWOFOLD_AUTH_PER_MINUTE").envs(settings.iter().copied());
    let output = actix_web::rt::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ill = told["findings"].as_array().unwrap().iter().filter(|finding| finding["state"] != "well");
    (ill.cloned().collect(), output.status.code())
}

/// That the one thing that is wrong is this one.
async fn finds(installation: &Installation, settings: &[(&str, &str)], state: &str, parts: [&str; 2]) {
    let (ill, code) = examine(installation, settings).await;
    let [finding] = &ill[..] else { panic!("{parts:?}: {ill:?}") };
    let said = format!("{} {} {}", finding["about"], finding["text"], finding["fix"]);
    assert!(parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");
    assert_eq!(finding["state"], state, "{said}");
    assert_eq!(code, Some(i32::from(state == "broken")), "{said}");
}

async fn each_planted_fault_is_found(installation: Installation) {
    installation.add_account("alice@example.test");
    let served = installation.serve();
    served.set_up("alice@example.test").await;
    assert_eq!(examine(&installation, &[]).await, (Vec::new(), Some(0)), "a healthy one");
    let keys = installation.path("keys.toml");
    let set_mode = |mode| fs::set_permissions(&keys, fs::Permissions::from_mode(mode)).unwrap();
    set_mode(0o644);
    finds(&installation, &[], "broken", ["keys", "chmod 600"]).await;
    set_mode(0o600);
    drop(served);
    execute(&installation, "DELETE FROM replica");
    let (own, foreign) = (installation.keys(), Installation::new(None).keys());
    for ring in ["sealing", "hashing"] {
        let mut exchanged = own.clone();
        exchanged[ring] = foreign[ring].clone();
        installation.write_keys(&exchanged);
        finds(&installation, &[], "broken", ["is missing", "put it back"]).await;
    }
    installation.write_keys(&own);
    let elsewhere = r#"{"sealing":["x"],"hashing":["x"],"naming":"x","audit":["x"],"signing":["x"]}"#;
    let now = crate::support::installation::seconds() * 1000;
    let replica =
        format!("INSERT INTO replica VALUES ('01a2149f-b0a9-7e96-abfe-f56f7f4c9ac2', 'far', '{elsewhere}', {now})");
    execute(&installation, &replica);
    finds(&installation, &[], "doubtful", ["far works with other keys", "copy the key file"]).await;
    execute(&installation, "DELETE FROM replica");
    finds(&installation, &[("TWOFOLD_SESSION_IDLE", "3000000")], "doubtful", ["settings", "TWOFOLD_SESSION_MAX"]).await;
    finds(&installation, &[("TWOFOLD_TOTP_WINDOW", "99")], "broken", ["settings", "0 to 10 steps"]).await;
    finds(&installation, &[("TWOFOLD_KEYS", "/nonexistent")], "broken", ["keys", "keys generate"]).await;
    execute(&installation, "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000001')");
    finds(&installation, &[], "broken", ["database", "newer than this program"]).await;
    execute(&installation, "DELETE FROM __diesel_schema_migrations WHERE version = '99990101000001'");
    assert_eq!(examine(&installation, &[]).await, (Vec::new(), Some(0)), "healthy again");
}

#[actix_web::test]
async fn each_planted_fault_is_found_on_sqlite() {
    let installation = Installation::ready(None);
    let fresh = Installation::new(None);
    finds(&fresh, &[], "broken", ["database", "twofold migrate"]).await;
    let path = installation.path("twofold.db");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    finds(&installation, &[], "doubtful", ["others can reach", "chmod 600"]).await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    each_planted_fault_is_found(installation).await;
}

#[actix_web::test]
async fn a_clock_that_was_set_back_is_found() {
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let set = ["account", "set-password", "--email", "alice@example.test", "--password-stdin"];
    assert!(installation.run(&set, "another password\n").status.success());
    execute(&installation, "UPDATE audit SET at = at + 3600000");
    finds(&installation, &[], "broken", ["clock", "NTP"]).await;
}

#[actix_web::test]
async fn each_planted_fault_is_found_on_postgres() {
    let Some(database_url) = fresh_database() else { return };
    let nowhere = [("TWOFOLD_DATABASE_URL", "postgres://127.0.0.1:1/none")];
    let installation = Installation::ready(Some(database_url.clone()));
    finds(&installation, &nowhere, "broken", ["cannot reach", "see whether it runs"]).await;
    execute(&installation, "CREATE ROLE doctors_reader LOGIN");
    execute(&installation, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO doctors_reader");
    let reading = database_url.replace("user=postgres", "user=doctors_reader");
    finds(&installation, &[("TWOFOLD_DATABASE_URL", &reading)], "broken", ["permission denied", "name the primary"])
        .await;
    each_planted_fault_is_found(installation).await;
}

#[actix_web::test]
async fn settings_are_checked_and_shown_without_a_secret() {
    let installation = Installation::new(None);
    assert!(says(&installation, &["config", "check"]).await.contains("right"));
    let bad = installation.path("bad.toml");
    fs::write(&bad, "listne = 1").unwrap();
    let output = beside(&installation, &["config", "check", "--config", &bad]).await;
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), sentence.lines().count()), (Some(2), 1), "{sentence}");
    assert!(fails(&installation, &["config", "show", "--config", &bad]).await.contains("listne"));
    let file = installation.path("good.toml");
    fs::write(&file, "issuer = \"https://2fa.example\"").unwrap();

    let mut command = installation.command();
    command.env("TWOFOLD_DATABASE_URL", "postgres://bob:hunter2@db.example/x?password=hunter2");
    let output = command.args(["config", "show", "--config", &file]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
    for line in [
        "database_url = \"postgres://bob:***@db.example/x?password=***\"  # TWOFOLD_DATABASE_URL",
        "issuer = \"https://2fa.example\"  # file",
        "totp_window = 1  # default",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
}

#[actix_web::test]
async fn shells_and_readers_know_every_command() {
    let installation = Installation::new(None);
    for shell in ["bash", "zsh", "fish"] {
        assert!(says(&installation, &["completions", shell]).await.contains("after-restore"), "{shell}");
    }
    let folder = installation.path("man");
    says(&installation, &["man", "--out", &folder]).await;
    for page in ["twofold.1", "twofold-keys-rotate.1", "twofold-restore.1", "twofold-doctor.1"] {
        assert!(fs::read_to_string(format!("{folder}/{page}")).unwrap().contains(".SH NAME"), "{page}");
    }
}
