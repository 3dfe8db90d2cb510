//! Which pages and apps may use the passkeys of an installation, as other systems ask for it.

use crate::{
    on_both_engines,
    support::{TestApp, passkeys::passkeys},
};
use serde_json::json;

const PATHS: [&str; 3] =
    ["/.well-known/webauthn", "/.well-known/assetlinks.json", "/.well-known/apple-app-site-association"];

on_both_engines!(a_browser_and_two_systems_are_told_who_may_use_passkeys, passkeys);
async fn a_browser_and_two_systems_are_told_who_may_use_passkeys(app: &TestApp) {
    for path in PATHS {
        let reply = app.get(path).await.is(200);
        assert_eq!(reply.header("content-type"), Some("application/json"), "{path}");
        assert!(reply.header("cache-control").unwrap().starts_with("public"), "{path}");
    }
    assert_eq!(app.get(PATHS[0]).await.body, json!({"origins": ["https://portal.example.com"]}));
    let links = app.get(PATHS[1]).await.body;
    assert_eq!(links.as_array().unwrap().len(), 2, "{links}");
    assert_eq!(links[0]["target"]["package_name"], "com.example.portal");
    let certificates = ["AB", "CD"].map(|byte| [byte; 32].join(":"));
    assert_eq!(links[0]["target"]["sha256_cert_fingerprints"], json!(certificates));
    assert_eq!(links[1]["target"]["package_name"], "com.example.desk");
    let association = app.get(PATHS[2]).await.body;
    assert_eq!(association, json!({"webcredentials": {"apps": ["ABCDE12345.com.example.portal"]}}));
}

on_both_engines!(an_installation_without_passkeys_says_nothing);
async fn an_installation_without_passkeys_says_nothing(app: &TestApp) {
    for path in PATHS {
        app.get(path).await.is(404).refuses("not-found");
    }
}

on_both_engines!(an_installation_without_apps_names_no_apps, |config| {
    passkeys(config);
    config.webauthn.android.clear();
    config.webauthn.apple.clear();
});
async fn an_installation_without_apps_names_no_apps(app: &TestApp) {
    app.get(PATHS[0]).await.is(200);
    app.get(PATHS[1]).await.is(404).refuses("not-found");
    app.get(PATHS[2]).await.is(404).refuses("not-found");
}
