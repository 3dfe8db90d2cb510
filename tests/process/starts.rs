//! What a start says of settings that it cannot use, and of those that are empty.

use crate::support::{fresh_database, installation::Installation};
use std::{fs, net::TcpListener};

#[test]
fn an_address_that_is_taken_is_named() {
    let installation = Installation::ready(None);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _listener = TcpListener::bind(taken).unwrap();
    for (name, address) in [("TWOFOLD_LISTEN", taken.to_string()), ("TWOFOLD_OPS_LISTEN", taken.to_string())] {
        let sentence = installation.refusal(|serve| {
            serve.env(name, &address);
        });
        assert!(sentence.contains(&format!("cannot listen on {address}: ")), "{sentence}");
        assert!(!sentence.contains(" or "), "{sentence}");
    }
}

#[test]
fn a_setting_that_need_not_be_there_may_be_empty() {
    let installation = Installation::ready(None);
    let optional = [
        "TWOFOLD_DATABASE_MIGRATION_URL",
        "TWOFOLD_DATABASE_MIGRATION_URL_FILE",
        "TWOFOLD_DATABASE_URL_FILE",
        "TWOFOLD_SUPPORT_EMAIL",
        "TWOFOLD_SUPPORT_PHONE",
        "TWOFOLD_SUPPORT_URL",
        "TWOFOLD_PORTAL_ISSUER",
        "TWOFOLD_PORTAL_AUDIENCE",
        "TWOFOLD_PORTAL_JWKS",
        "TWOFOLD_OTLP_ENDPOINT",
    ];
    let shown = installation.command().args(["config", "show"]).envs(optional.map(|name| (name, ""))).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let shown = String::from_utf8(shown.stdout).unwrap();
    for name in ["database_migration_url", "support.email", "portal.issuer", "otlp.endpoint"] {
        assert!(shown.contains(&format!("# {name} is not set\n")), "{shown}");
    }
    let served = installation.serve_with(|serve| {
        serve.envs(optional.map(|name| (name, "")));
    });
    assert!(served.base.starts_with("http://"), "{}", installation.logged());
    // The file is read where the environment says nothing.
    fs::write(installation.path("file.toml"), "[support]\nemail = \"help@example.test\"").unwrap();
    let file = ["--config", &installation.path("file.toml"), "config", "show"].map(str::to_owned);
    let shown = installation.command().args(file).env("TWOFOLD_SUPPORT_EMAIL", "").output().unwrap();
    assert!(String::from_utf8(shown.stdout).unwrap().contains("support.email = \"help@example.test\"  # file"));
    let keys = installation.refusal(|serve| {
        serve.env("TWOFOLD_KEYS", "");
    });
    assert!(keys.contains("keys generate"), "{keys}");
}

#[actix_web::test]
async fn the_key_file_of_another_database_is_refused_before_anybody_is_served() {
    for url in [Some(None), fresh_database().map(Some)].into_iter().flatten() {
        let (installation, other) = (Installation::ready(url), Installation::new(None));
        let theirs = other.path("keys.toml");
        let with_theirs = |installation: &Installation| {
            installation.refusal(|serve| {
                serve.env("TWOFOLD_KEYS", &theirs);
            })
        };
        installation.add_account("alice@example.test");
        let mut served = installation.serve();
        served.set_up("alice@example.test").await;
        assert_eq!(served.terminate(), 0);
        let sentence = with_theirs(&installation);
        assert!(sentence.contains("the database needs the sealing key s-"), "{sentence}");
        // Recovery codes are named where the sealing key alone is right.
        let (mut mixed, right) = (other.keys(), installation.keys());
        mixed["sealing"] = right["sealing"].clone();
        other.write_keys(&mixed);
        let sentence = with_theirs(&installation);
        assert!(sentence.contains("the database needs the hashing key h-"), "{sentence}");
        mixed["hashing"] = right["hashing"].clone();
        other.write_keys(&mixed);
        let served = installation.serve_with(|serve| {
            serve.env("TWOFOLD_KEYS", &theirs);
        });
        assert!(served.base.starts_with("http://"), "{}", installation.logged());
    }
}
