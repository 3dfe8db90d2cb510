//! What is measured tells nobody's name.

use crate::{
    on_both_engines,
    support::{TestApp, person::LOGIN},
};
use serde_json::json;

on_both_engines!(metrics_count_and_name_nobody);
async fn metrics_count_and_name_nobody(app: &TestApp) {
    let series = async || {
        let all = app.metrics().await;
        all.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    let visit = async |name: &str| {
        // An odd number of requests, so that each replica meets each of them.
        for n in 0..app.replicas() {
            app.person(&format!("{name}{n}")).await.sign_in().await.status().await;
            app.send("OPTIONS", &format!("/{name}"), &[], None).await;
            let guess = json!({"email": format!("{name}@example.test"), "password": "a guess in the dark"});
            app.post(LOGIN, &guess).await;
            app.get("/.well-known/two-factor-policy").await;
        }
    };
    visit("alice").await;
    let before = series().await.len();
    visit("bob").await;
    visit("carol").await;
    let after = series().await;
    assert_eq!(after.len(), before, "more people make no more series");
    for line in after {
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.split('}').next().unwrap());
        for (name, value) in labels.split(',').filter_map(|label| label.split_once('=')) {
            let is_known = ["class", "kind", "le", "method", "result", "route", "status"].contains(&name);
            assert!(is_known && !["alice", "bob", "carol"].iter().any(|who| value.contains(who)), "{line}");
        }
    }
}
