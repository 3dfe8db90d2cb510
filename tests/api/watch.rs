//! What operators look at: the dashboard and the alerts speak of what the service shows, and the runbook of every alert.

use crate::{on_both_engines, support::TestApp};
use serde_json::json;
use std::{collections::BTreeSet, fs};

const ALERTS: &str = "deploy/prometheus/alerts.yaml";
const DASHBOARD: &str = "deploy/grafana/twofold.json";

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("twofold_")).map(str::to_owned).collect()
}

/// Whether the other engine alone shows it.
fn is_of_other_engine(app: &TestApp, name: &str) -> bool {
    let theirs =
        if app.replicas() == 1 { ["twofold_database_"].as_slice() } else { &["twofold_writes_", "twofold_write_"] };
    theirs.iter().any(|start| name.starts_with(start))
}

on_both_engines!(every_metric_of_dashboard_and_alerts_is_shown);
async fn every_metric_of_dashboard_and_alerts_is_shown(app: &TestApp) {
    app.person("alice").await.sign_in().await;
    app.post("/auth/login", &json!({"email": "nobody@example.test", "password": "a guess in the dark"})).await.is(403);
    let text = app.metrics().await;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let shown: BTreeSet<String> = samples.filter_map(|line| line.split(['{', ' ']).next().map(str::to_owned)).collect();
    assert!(shown.len() > 12, "{shown:?}");
    for file in [ALERTS, DASHBOARD] {
        let named = names(&fs::read_to_string(file).unwrap());
        assert!(named.len() > 5, "{file} names {named:?}");
        for name in named.iter().filter(|name| !is_of_other_engine(app, name)) {
            assert!(shown.contains(name), "{file} names {name}, which is not among {shown:?}");
        }
    }
}

#[test]
fn every_alert_has_a_paragraph_that_says_what_to_do() {
    let alerts = fs::read_to_string(ALERTS).unwrap();
    let operations = fs::read_to_string("docs/operations.md").unwrap();
    let runbook = operations.split("\n## ").find(|section| section.starts_with("Runbook\n")).unwrap();
    let paragraphs: Vec<(&str, &str)> =
        runbook.split("\n### ").skip(1).map(|paragraph| paragraph.split_once('\n').unwrap()).collect();
    let mut alerted = BTreeSet::new();
    for alert in alerts.split("- alert: ").skip(1) {
        let name = alert.lines().next().unwrap();
        let link = format!("runbook_url: https://twofold.example/docs/operations.md#{}\n", name.to_lowercase());
        assert!(alert.contains(&link), "{name} links elsewhere");
        assert!(alert.contains("severity: critical") || alert.contains("severity: warning"), "{name}");
        let (_, text) = paragraphs.iter().find(|(heading, _)| *heading == name).unwrap_or_else(|| panic!("{name}"));
        for part in ["**Means.** ", "**Look.** ", "**Do.** "] {
            assert!(text.contains(part), "{name} has no {part}");
        }
        alerted.insert(name);
    }
    assert!(alerted.len() > 9, "{alerted:?}");
    for (heading, _) in paragraphs.iter().filter(|(heading, _)| heading.starts_with("Twofold")) {
        assert!(alerted.contains(heading), "{heading} is no alert");
    }
}
