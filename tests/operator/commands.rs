//! The commands, beside a running service.

use crate::{
    installations, object, said,
    support::{
        installation::{PASSWORD, code_in},
        person::{LOGIN, SECOND, STATUS},
    },
};
use serde_json::{Value, json};

#[actix_web::test]
async fn the_operator_changes_accounts_beside_a_running_service() {
    for installation in installations() {
        let id = installation.add_account("alice@example.test");
        let served = installation.serve();
        let (token, secret) = served.set_up("alice@example.test").await;
        let password = json!({"email": "alice@example.test", "password": PASSWORD});

        let disabled = installation.run(&["account", "disable", "--id", &id, "--reason", "left", "--json"], "");
        assert_eq!(object(&disabled), json!({"id": id, "changed": true, "sessions": 1}));
        assert_eq!(served.get(STATUS, &token).await.0, 401);
        assert_eq!(served.post(LOGIN, "", &password).await.0, 403);
        let line = installation.succeeds(&["account", "list", "--email", "ALICE@", "--json"]);
        let listed: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&listed["id"], &listed["email"]), (&json!(id), &json!("alice@example.test")));
        assert!(listed["suspended_since"].is_string() && listed["two_factor_since"].is_string());
        assert_eq!(listed["scopes"], json!([]));

        let by_address =
            |command: &str| ["account", command, "--email", "Alice@example.test", "--json"].map(str::to_owned);
        let run = |arguments: &[String], more: &[&str]| {
            let all: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
            installation.run(&all, "")
        };
        assert_eq!(object(&run(&by_address("enable"), &[])), json!({"id": id, "changed": true}));
        assert!(object(&run(&by_address("unlock"), &[]))["opened"].is_array());
        let challenge = served.login("alice@example.test").await["challenge"].clone();
        let answer = json!({"challenge": challenge, "code": code_in(&secret, 1)});
        assert_eq!(served.post(SECOND, "", &answer).await.0, 200);
        assert_eq!(object(&run(&by_address("grant-scope"), &["--scope", "support"]))["changed"], true);
        let line = installation.succeeds(&["account", "list", "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["scopes"], json!(["support"]));
        assert_eq!(object(&run(&by_address("revoke-scope"), &["--scope", "support"]))["changed"], true);
        let reset = object(&run(&by_address("reset-2fa"), &["--reason", "lost phone"]));
        assert_eq!(reset["revoked"], json!({"methods": 1, "recovery_codes": 10, "sessions": 1}));
        assert_eq!(served.login("alice@example.test").await["result"], "signed_in");
        assert_eq!(object(&run(&by_address("delete"), &["--yes"]))["id"], json!(id));
        assert_eq!(served.post(LOGIN, "", &password).await.0, 403);
        assert!(installation.succeeds(&["audit", "verify"]).contains("every chain holds"));
    }
}

#[actix_web::test]
async fn the_operator_keeps_the_list_of_those_who_must_have_it() {
    for installation in installations() {
        let id = installation.add_account("alice@example.test");
        let served = installation.serve_with(|command| {
            command.env("TWOFOLD_REQUIRED", "listed").env("TWOFOLD_REQUIRED_GRACE", "0");
        });
        assert_eq!(served.login("alice@example.test").await["setup_required"], false);
        let run = |command: &str| object(&installation.run(&["account", command, "--id", &id, "--json"], ""));
        for changed in [true, false] {
            assert_eq!(run("require"), json!({"id": id, "changed": changed}));
        }
        let line = installation.succeeds(&["account", "list", "--json"]);
        let listed: Value = serde_json::from_str(&line).unwrap();
        assert!(listed["listed_since"].is_string() && listed["required_since"].is_null(), "{listed}");
        assert_eq!(served.login("alice@example.test").await["setup_required"], true);
        for changed in [true, false] {
            assert_eq!(run("release-requirement"), json!({"id": id, "changed": changed}));
        }
        assert_eq!(served.login("alice@example.test").await["setup_required"], false);
        let told = installation.run(&["account", "require", "--id", &id], "");
        assert!(
            String::from_utf8_lossy(&told.stdout).contains("TWOFOLD_REQUIRED=none"),
            "the command reads its own settings"
        );
    }
}

#[test]
fn a_command_without_an_account_or_about_none_says_so() {
    let installation = installations().next().unwrap();
    for command in ["disable", "enable", "unlock", "delete"] {
        let unnamed = installation.run(&["account", command, "--yes"], "");
        assert_eq!(unnamed.status.code(), Some(2), "{command}: {}", said(&unnamed));
    }
    for command in ["disable", "enable", "unlock"] {
        let unknown = installation.run(&["account", command, "--email", "nobody@example.test"], "");
        assert_eq!(unknown.status.code(), Some(1));
        assert!(said(&unknown).contains("there is no such account"), "{}", said(&unknown));
    }
    let without_reason = installation.run(&["account", "reset-2fa", "--email", "nobody@example.test"], "");
    assert_eq!(without_reason.status.code(), Some(2));
    let two_lines = installation.run(&["account", "reset-2fa", "--email", "a@x", "--reason", "a\nb"], "");
    assert!(said(&two_lines).contains("the reason must have 1 to 500 characters"), "{}", said(&two_lines));
}
