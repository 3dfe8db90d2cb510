//! Clients of partners, on the command line: how they come, and how their secrets change hands.

use crate::{installations, object, said};
use serde_json::json;

const SCOPES: &str = "events:read 2fa:read";

#[test]
fn a_client_is_added_listed_rotated_disabled_and_enabled() {
    for installation in installations() {
        let add = ["client", "add", "--name", "Acme Brokers", "--scope", SCOPES, "--contact", "IT@acme.test", "--json"];
        let added = object(&installation.run(&add, ""));
        let (id, secret) = (added["id"].as_str().unwrap(), added["secret"].as_str().unwrap());
        assert!(secret.starts_with("twofold_secret_") && secret.len() == 58, "{secret}");
        let listed = object(&installation.run(&["client", "list", "--json"], ""));
        assert!(listed["created_at"].is_string());
        assert_eq!(
            (&listed["id"], &listed["name"], &listed["scopes"], &listed["contact"]),
            (&added["id"], &json!("Acme Brokers"), &json!(["2fa:read", "events:read"]), &json!("it@acme.test"))
        );
        assert_eq!((&listed["all_accounts"], &listed["disabled_since"]), (&json!(false), &json!(null)));
        let rotated = object(&installation.run(&["client", "rotate", id, "--json"], ""));
        assert_ne!(rotated["secret"], added["secret"]);
        assert_eq!(rotated["overlap"], 86_400);
        for (command, changed) in [("disable", true), ("disable", false), ("enable", true), ("enable", false)] {
            let told = object(&installation.run(&["client", command, id, "--json"], ""));
            assert_eq!(told, json!({"id": id, "changed": changed}), "{command}");
        }
        // Nothing but the one answer ever shows a secret.
        let shown = installation.succeeds(&["client", "list"]);
        assert!(shown.contains("Acme Brokers") && !shown.contains("twofold_secret_"), "{shown}");
    }
}

#[test]
fn a_client_that_is_meant_is_named_and_what_it_may_do_is_spelled_out() {
    for installation in installations() {
        for scope in ["", "2fa", "2fa:read,events:read", "admin"] {
            let output = installation.run(&["client", "add", "--name", "x", "--scope", scope], "");
            assert_eq!(output.status.code(), Some(2), "{scope:?}");
        }
        let output = installation.run(&["client", "add", "--name", " ", "--scope", SCOPES], "");
        assert!(said(&output).contains("the name must have 1 to 100 characters"), "{}", said(&output));
        let nobody = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
        for command in ["rotate", "disable", "enable"] {
            let output = installation.run(&["client", command, nobody], "");
            assert!(said(&output).contains("there is no such client"), "{}", said(&output));
        }
    }
}

#[test]
fn the_operator_lets_a_client_see_an_account_and_takes_it_back() {
    for installation in installations() {
        installation.add_account("alice@example.test");
        let add = |more: &'static str| ["client", "add", "--name", "Acme", "--scope", SCOPES, "--json", more];
        let one = object(&installation.run(&add("--json")[..7], ""));
        let all = object(&installation.run(&add("--all-accounts"), ""));
        let (one, all) = (one["id"].as_str().unwrap(), all["id"].as_str().unwrap());
        for (command, changed) in
            [("refuse-partner", false), ("allow-partner", true), ("allow-partner", false), ("refuse-partner", true)]
        {
            let told = object(&installation.run(&["account", command, "alice@example.test", one, "--json"], ""));
            assert_eq!(told["changed"], changed, "{command}");
        }
        let told = installation.succeeds(&["account", "refuse-partner", "alice@example.test", all]);
        assert!(told.contains("sees every account"), "{told}");
        let output = installation.run(&["account", "allow-partner", "bob@example.test", one], "");
        assert!(said(&output).contains("there is no such account"), "{}", said(&output));
        installation.succeeds(&["audit", "verify"]);
    }
}
