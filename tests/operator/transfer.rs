//! Accounts that move: out of one installation and into another.

use crate::{
    installations, object, said,
    support::{
        installation::{Installation, PASSWORD, code_in, text},
        person::{SECOND, STATUS},
    },
};
use serde_json::{Value, json};
use std::fs;

const EMAIL: &str = "alice@example.test";

fn import(installation: &Installation, more: &[&str], rows: &str) -> std::process::Output {
    let all: Vec<&str> = ["account", "import", "-", "--json"].into_iter().chain(more.iter().copied()).collect();
    installation.run(&all, rows)
}

/// A hash of [`PASSWORD`], and rows with it.
fn hash() -> String {
    bcrypt_of(PASSWORD)
}

fn bcrypt_of(password: &str) -> String {
    let password = twofold::domain::password::Password::chosen(password.to_owned(), "").unwrap();
    twofold::crypto::password::hash_now(&password, 4).unwrap()
}

fn csv(rows: usize) -> String {
    let hash = hash();
    let lines = (0..rows).map(|n| format!("person-{n}@example.test,{hash},sub-{n}\n"));
    "email,password_hash,subject\n".to_owned() + &lines.collect::<String>()
}

/// Signs in with the password and a code of the secret; the token.
async fn sign_in(installation: &Installation, secret: &str, steps: i64) -> (String, Value) {
    let served = installation.serve();
    let challenge = served.login(EMAIL).await["challenge"].clone();
    let answer = json!({"challenge": challenge, "code": code_in(secret, steps)});
    let (status, signed_in) = served.post(SECOND, "", &answer).await;
    assert_eq!(status, 200, "{signed_in}");
    let token = text(&signed_in["tokens"]["access_token"]);
    let (_, status) = served.get(STATUS, &token).await;
    (token, status)
}

#[actix_web::test]
async fn what_is_exported_and_imported_signs_in_with_the_same_password_and_authenticator() {
    for (old, new) in installations().zip(installations()) {
        old.add_account(EMAIL);
        old.add_account("bob@example.test");
        old.succeeds(&["account", "disable", "--email", "bob@example.test"]);
        old.succeeds(&["account", "require", "--email", "bob@example.test"]);
        let (_, secret) = old.serve().set_up(EMAIL).await;
        let exported = old.run(&["account", "export", "--with-secrets"], "");
        assert_eq!(said(&exported), "2 accounts exported\n");
        let rows = String::from_utf8(exported.stdout).unwrap();
        let imported = import(&new, &[], &rows);
        assert_eq!(object(&imported)["with_two_factor"], 1, "{}", said(&imported));
        let (_, status) = sign_in(&new, &secret, 1).await;
        assert_eq!(status["enabled"], true);
        assert_eq!(status["methods"][0]["label"], "Authenticator app");
        assert_eq!(
            (&status["recovery_codes"]["total"], &status["recovery_codes"]["remaining"]),
            (&json!(0), &json!(0))
        );
        let bob = new.succeeds(&["account", "list", "--email", "bob"]);
        assert!(bob.contains("suspended since"), "he stays suspended: {bob}");
        assert!(bob.contains("2FA required since"), "and on the list: {bob}");
        assert!(new.succeeds(&["audit", "verify"]).contains("every chain holds"));
        let again = String::from_utf8(new.run(&["account", "export", "--with-secrets"], "").stdout).unwrap();
        let sorted = |rows: &str| {
            let mut rows: Vec<String> = rows.lines().map(str::to_owned).collect();
            rows.sort();
            rows
        };
        assert_eq!(sorted(&rows), sorted(&again));
    }
}

#[test]
fn an_export_holds_no_secret_unless_it_is_asked_to() {
    let installation = Installation::ready(None);
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let rows = format!("{{\"email\":\"{EMAIL}\",\"password_hash\":\"{}\",\"totp_secret\":\"{secret}\"}}\n", hash());
    assert!(import(&installation, &[], &rows).status.success());
    let exported = installation.run(&["account", "export"], "");
    assert_eq!(String::from_utf8_lossy(&exported.stdout), format!("{{\"email\":\"{EMAIL}\",\"locale\":\"en\"}}\n"));
    assert!(said(&exported).contains("--with-secrets"), "{}", said(&exported));
    assert!(installation.succeeds(&["account", "export", "--with-secrets"]).contains(secret));
}

#[actix_web::test]
async fn secrets_of_every_common_length_make_the_codes_that_their_apps_show() {
    for installation in installations() {
        for (n, bytes) in [16, 20, 32, 64].into_iter().enumerate() {
            let secret = data_encoding::BASE32_NOPAD.encode(&vec![n as u8 + 1; bytes]);
            let rows = format!("email,password_hash,totp_secret\n{EMAIL},{},{}\n", hash(), secret.to_lowercase());
            assert!(import(&installation, &[], &rows).status.success());
            sign_in(&installation, &secret, 0).await;
            installation.succeeds(&["account", "delete", "--email", EMAIL, "--yes"]);
        }
        let short = format!("email,password_hash,totp_secret\n{EMAIL},{},GEZDGNBVGY3TQOJQ\n", hash());
        let refused = import(&installation, &[], &short);
        assert!(
            said(&refused).contains(
                "line 2: its TOTP secret is shorter than 128 bits (RFC 4226, section 4, R6); --short-secrets"
            ),
            "{}",
            said(&refused)
        );
        assert!(import(&installation, &["--short-secrets"], &short).status.success());
    }
}

#[test]
fn every_bad_row_is_named_and_its_batch_is_not_imported() {
    for installation in installations() {
        let mut rows = csv(10);
        rows += &format!("nobody,{},\n", hash());
        rows += &format!("person-3@example.test,{},\n", hash());
        rows += &format!("late@example.test,{},sub-2\n", hash());
        rows += "bad-1@example.test,$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde,\n";
        rows += "bad-2@example.test,pbkdf2_sha256$600000$salt$hash,\nbad-3@example.test,,\n";
        let bad = import(&installation, &["--batch", "5"], &rows);
        assert_eq!(bad.status.code(), Some(1));
        for line in [
            "line 12: it has no e-mail address",
            "line 13: its address stands in an earlier row, too",
            "line 14: its subject stands in an earlier row, too",
            "line 15: its password hash cannot be taken",
            "line 16: its password hash of the kind pbkdf2_sha256 cannot be taken",
            "line 17: it has no password hash; --without-password",
            "twofold: 6 rows are bad",
        ] {
            assert!(said(&bad).contains(line), "{line}: {}", said(&bad));
        }
        assert!(!said(&bad).contains("abcdefghijk"), "no hash is repeated");
        let summary = object(&bad);
        assert_eq!((&summary["imported"], &summary["bad"], &summary["read"]), (&json!(10), &json!(6), &json!(16)));
        assert_eq!(installation.succeeds(&["account", "list", "--json"]).lines().count(), 10);
    }
}

#[test]
fn a_mended_import_resumes_after_the_last_batch_that_stands() {
    for installation in installations() {
        let good = csv(25);
        let broken = good.replace("person-12@example.test", "person-12");
        let first = import(&installation, &["--batch", "10"], &broken);
        let summary = object(&first);
        assert_eq!((&summary["imported"], &summary["bad"], &summary["held_back"]), (&json!(10), &json!(1), &json!(14)));
        let without_resume = import(&installation, &["--batch", "10"], &good);
        assert!(said(&without_resume).contains("line 2: its address belongs to an account already"));
        for (skipped, imported) in [(10, 15), (25, 0)] {
            let resumed = import(&installation, &["--batch", "10", "--resume"], &good);
            assert!(resumed.status.success(), "{}", said(&resumed));
            let summary = object(&resumed);
            assert_eq!((&summary["skipped"], &summary["imported"]), (&json!(skipped), &json!(imported)));
        }
        let other = good.replace("sub-7\n", "sub-other\n").replace(&hash_in(&good), &bcrypt_of("another password"));
        let conflict = import(&installation, &["--resume"], &other);
        assert_eq!(object(&conflict)["bad"], 25);
        assert!(said(&conflict).contains("line 9: an account with its address is there already, with another subject"));
        assert!(
            said(&conflict).contains("line 2: an account with its address is there already, with another password")
        );
        let thief =
            import(&installation, &["--resume"], &format!("email,password_hash,subject\nx@x,{},sub-4\n", hash()));
        assert!(said(&thief).contains("line 2: its subject belongs to an account already"), "{}", said(&thief));
    }
}

fn hash_in(rows: &str) -> String {
    rows.lines().nth(1).unwrap().split(',').nth(1).unwrap().to_owned()
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    for installation in installations() {
        let file = installation.path("accounts.csv");
        fs::write(&file, csv(12) + "nobody,,\n").unwrap();
        let dry = installation.run(&["account", "import", &file, "--dry-run", "--batch", "5"], "");
        assert_eq!(dry.status.code(), Some(1));
        assert!(said(&dry).starts_with("line 14: it has no e-mail address"), "{}", said(&dry));
        assert!(String::from_utf8_lossy(&dry.stdout).starts_with("13 rows: 12 can be imported"));
        assert_eq!(installation.succeeds(&["account", "list"]), "");
    }
}

#[actix_web::test]
async fn nobody_signs_in_to_an_account_without_a_password_until_it_is_set() {
    for installation in installations() {
        let rows = format!("email,password_hash\n{EMAIL},\nbob@example.test,argon2$x\n");
        assert_eq!(object(&import(&installation, &[], &rows))["bad"], 2);
        assert_eq!(object(&import(&installation, &["--without-password"], &rows))["without_password"], 2);
        assert_eq!(object(&import(&installation, &["--without-password", "--resume"], &rows))["skipped"], 2);
        let served = installation.serve();
        let login = json!({"email": EMAIL, "password": PASSWORD});
        assert_eq!(served.post(crate::support::person::LOGIN, "", &login).await.0, 403);
        let set = installation.run(&["account", "set-password", "--email", EMAIL, "--password-stdin"], PASSWORD);
        assert!(set.status.success());
        assert_eq!(served.login(EMAIL).await["result"], "signed_in");
        let exported = installation.succeeds(&["account", "export", "--with-secrets"]);
        assert_eq!(exported.matches("password_hash").count(), 1, "what nobody can match is no hash: {exported}");
    }
}
