//! Copies of the database: made while customers are served, and restored.

use super::{
    crowd::{self, Crowd},
    execute, fails, says, tells,
};
use crate::support::{
    fresh_database,
    installation::{Installation, Served, code_in},
    person::{REFRESH, SECOND, STATUS, VERIFY},
    postgres::installed,
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

const ALICE: &str = "alice@example.test";

/// What Alice had before the disaster.
struct Past {
    token: String,
    refresh: Value,
    code: Value,
    recovery: Value,
}

/// Signs Alice in with a second factor; she has recovery codes.
async fn protect(served: &Served) -> (String, String, Value) {
    use crate::support::installation::{PASSWORD, text};
    use crate::support::person::TOTP_PATH;
    let token = text(&served.login(ALICE).await["tokens"]["access_token"]);
    let (_, enrolment) = served.post(TOTP_PATH, &token, &json!({"password": PASSWORD})).await;
    let secret = text(&enrolment["secret"]);
    let path = format!("{TOTP_PATH}/{}/confirm", text(&enrolment["id"]));
    let (status, confirmed) = served.post(&path, &token, &json!({"code": code_in(&secret, 0)})).await;
    assert_eq!(status, 200, "{confirmed}");
    (text(&confirmed["tokens"]["access_token"]), secret, confirmed["recovery_codes"].clone())
}

/// What is used after the copy was made.
async fn use_a_code(served: &Served, token: &str, secret: &str, recovery: Value) -> Past {
    let code: Value = code_in(secret, 1).into();
    let (status, stepped_up) = served.post(VERIFY, token, &json!({"code": code})).await;
    assert_eq!(status, 200, "{stepped_up}");
    Past { token: token.to_owned(), refresh: stepped_up["refresh_token"].clone(), code, recovery }
}

/// Nothing of the past counts; a recovery code opens the account.
async fn nothing_comes_back(served: &Served, past: &Past) {
    assert_eq!(served.get(STATUS, &past.token).await.0, 401, "her token is refused");
    assert_eq!(served.post(REFRESH, "", &json!({"refresh_token": past.refresh})).await.0, 401, "her session has ended");
    let challenge = served.login(ALICE).await["challenge"].clone();
    let (status, body) = served.post(SECOND, "", &json!({"challenge": challenge, "code": past.code})).await;
    assert_eq!((status, &body["code"]), (403, &json!("invalid-credential")), "her code is used: {body}");
    let answer = json!({"challenge": challenge, "recovery_code": past.recovery[0]});
    assert_eq!(served.post(SECOND, "", &answer).await.0, 200);
}

#[actix_web::test]
async fn a_copy_made_under_load_is_whole_and_gives_no_used_code_back() {
    let installation = Installation::ready(None);
    installation.add_account(ALICE);
    let settings = crowd::settings(&installation);
    let mut served = installation.serve_with(|serve| {
        serve.args(["--config", &settings]);
    });
    let (token, secret, recovery) = protect(&served).await;
    let crowd = Crowd::sets_out(&installation, &[&served], 4);
    let copy = installation.path("copy.db");
    for n in 0..5 {
        let _ = fs::remove_file(&copy);
        let told = tells(&installation, &["backup", "--out", &copy, "--json"]).await;
        let file = fs::metadata(&copy).unwrap();
        assert_eq!((told["bytes"].as_u64(), file.permissions().mode() & 0o777), (Some(file.len()), 0o600), "copy {n}");
    }
    let past = use_a_code(&served, &token, &secret, recovery).await;
    assert!(crowd.goes_home().await > 0, "customers went on");
    assert!(fails(&installation, &["backup", "--out", &copy]).await.contains("not overwritten"));
    let anchors = installation.path("anchors.jsonl");
    fs::write(&anchors, says(&installation, &["audit", "export"]).await).unwrap();
    assert!(fails(&installation, &["restore", "--from", &copy]).await.contains("another `twofold serve`"));
    assert_eq!(served.terminate(), 0);
    let restored = tells(&installation, &["restore", "--from", &copy, "--json"]).await;
    assert!(restored["accounts"].as_u64().unwrap() >= 5 && restored["sessions"].as_u64().unwrap() >= 1, "{restored}");
    assert!(Path::new(restored["kept"].as_str().unwrap()).exists(), "what was there is kept");
    assert!(!Path::new(&format!("{}.restoring", installation.path("twofold.db"))).exists());
    let served = installation.serve();
    nothing_comes_back(&served, &past).await;
    assert!(says(&installation, &["audit", "verify"]).await.contains("every chain holds"));
    let verified = says(&installation, &["audit", "verify", "--anchors", &anchors]).await;
    assert!(verified.contains("1 exported anchors are not in the database: it was restored at"), "{verified}");
}

#[actix_web::test]
async fn a_restoration_excuses_nothing_that_was_cut_off_otherwise() {
    let installation = Installation::ready(None);
    installation.add_account(ALICE);
    let set = ["account", "set-password", "--email", ALICE, "--password-stdin"];
    let exported = async |name: &str| {
        let path = installation.path(name);
        fs::write(&path, says(&installation, &["audit", "export"]).await).unwrap();
        path
    };
    assert!(installation.run(&set, "another password\n").status.success());
    let old = exported("old.jsonl").await;
    let copy = installation.path("copy.db");
    says(&installation, &["backup", "--out", &copy]).await;
    assert!(installation.run(&set, "a third password\n").status.success());
    let lost = exported("lost.jsonl").await;
    says(&installation, &["restore", "--from", &copy]).await;
    let new = exported("new.jsonl").await;
    for (file, part) in [(&old, "anchors checked"), (&lost, "1 exported anchors are not"), (&new, "anchors checked")] {
        assert!(says(&installation, &["audit", "verify", "--anchors", file]).await.contains(part), "{file}");
    }
    // Another one is cut off, and the word on the restoration is stretched to cover it.
    let newest = "(SELECT MAX(n) FROM audit_anchor)";
    assert_eq!(execute(&installation, &format!("DELETE FROM audit_anchor WHERE n = {newest}")), 1);
    let sentence = fails(&installation, &["audit", "verify", "--anchors", &new]).await;
    assert!(sentence.contains("is missing in the database"), "{sentence}");
    assert_eq!(execute(&installation, "UPDATE restoration SET at = at + 3600000"), 1);
    let sentence = fails(&installation, &["audit", "verify", "--anchors", &new]).await;
    assert!(sentence.contains("restoration 1: was altered"), "{sentence}");
}

#[actix_web::test]
async fn what_is_no_sound_copy_is_not_restored_and_the_database_stays() {
    let installation = Installation::ready(None);
    installation.add_account(ALICE);
    let copy = installation.path("copy.db");
    says(&installation, &["backup", "--out", &copy]).await;
    let good = fs::read(&copy).unwrap();
    let mut torn = good.clone();
    torn[8192..20480].fill(0xaa);
    let cut = good[..good.len() / 2].to_vec();
    for (what, bytes) in [("torn", torn), ("cut", cut), ("empty", Vec::new()), ("text", b"no database".to_vec())] {
        fs::write(&copy, bytes).unwrap();
        let sentence = fails(&installation, &["restore", "--from", &copy]).await;
        assert!(sentence.contains("is not restored"), "{what}: {sentence}");
    }
    fs::write(&copy, &good).unwrap();
    fs::write(format!("{copy}-wal"), b"a log").unwrap();
    assert!(fails(&installation, &["restore", "--from", &copy]).await.contains("a log lies beside it"));
    let served = installation.serve();
    assert_eq!(served.login(ALICE).await["result"], "signed_in", "the database is what it was");
}

/// Runs a program of PostgreSQL's, as the page for operators says.
fn runs(program: &str, arguments: &[&str]) {
    let output = Command::new(installed().unwrap().join(program)).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

#[actix_web::test]
async fn a_database_of_postgres_is_made_fit_by_the_command_for_afterwards() {
    let Some(database_url) = fresh_database() else { return };
    let installation = Installation::ready(Some(database_url));
    installation.add_account(ALICE);
    assert!(fails(&installation, &["backup", "--out", "x"]).await.contains("pg_dump"));
    assert!(fails(&installation, &["restore", "--from", "x"]).await.contains("pg_restore"));
    let mut served = installation.serve();
    let (token, secret, recovery) = protect(&served).await;
    let (url, copy) = (installation.database_url.as_str(), installation.path("copy.dump"));
    runs("pg_dump", &["--format=custom", "--file", &copy, url]);
    let past = use_a_code(&served, &token, &secret, recovery).await;
    assert!(fails(&installation, &["after-restore"]).await.contains("replicas serve from this database"));
    assert_eq!(served.terminate(), 0);
    runs("pg_restore", &["--clean", "--if-exists", "--no-owner", "--dbname", url, &copy]);
    says(&installation, &["migrate"]).await;
    // The copy was made while it served, which is not long ago enough.
    assert!(fails(&installation, &["after-restore"]).await.contains("a moment before the copy was made"));
    assert_eq!(execute(&installation, "DELETE FROM replica"), 1);
    let restored = tells(&installation, &["after-restore", "--json"]).await;
    assert_eq!((&restored["accounts"], &restored["sessions"]), (&json!(1), &json!(1)), "{restored}");
    let served = installation.serve();
    nothing_comes_back(&served, &past).await;
    let restored = {
        drop(served);
        execute(&installation, "DELETE FROM replica");
        tells(&installation, &["after-restore", "--void-recovery-codes", "--json"]).await
    };
    assert_eq!(restored["recovery_codes"], 9, "{restored}");
    let served = installation.serve();
    let challenge = served.login(ALICE).await["challenge"].clone();
    let answer = json!({"challenge": challenge, "recovery_code": past.recovery[1]});
    assert_eq!(served.post(SECOND, "", &answer).await.0, 403, "her other codes are void");
    assert!(says(&installation, &["audit", "verify"]).await.contains("every chain holds"));
}
