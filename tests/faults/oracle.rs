//! The one judge of every fault run: what customers were told, held against what the service says and what
//! the database holds. A violation names its invariant.

use super::{
    customer::Customer,
    line::{Entry, Wish},
};
use crate::support::{installation::Installation, postgres};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// Wrong passwords that a session allows.
const SESSION_BUDGET: usize = 5;

/// Kinds of event that a success of each wish records, in their order.
fn records(wish: Wish, body: &Value) -> Vec<&'static str> {
    match wish {
        Wish::Login if body["result"] == "second_factor_required" => vec![],
        Wish::Login | Wish::LoginByCode => vec!["login.succeeded"],
        Wish::LoginByRecoveryCode => vec!["recovery_code.used", "login.succeeded"],
        Wish::Start => vec!["enrollment.started"],
        Wish::Confirm => vec!["two_factor.enabled"],
        Wish::Disable => vec!["two_factor.disabled"],
        Wish::Regenerate => vec!["recovery_codes.regenerated"],
        Wish::RecoveryCode => vec!["recovery_code.used"],
        Wish::Code | Wish::Guess | Wish::Read | Wish::Refresh => vec![],
    }
}

/// Judges one customer's account; tells whether the service let the customer look at it.
pub async fn judge(customer: &mut Customer) -> Result<bool, String> {
    let Some((status, events)) = customer.account().await else {
        // Their codes went with lost answers. What the database holds is judged all the same.
        return Ok(false);
    };
    match verdict(&customer.line.log, &status.body, &events) {
        Ok(()) => Ok(true),
        Err(what) => Err(format!("{}: {what}\n{}", customer.email, history(&customer.line.log, &events))),
    }
}

/// What was asked and answered, held against what the service says now.
fn verdict(log: &[Entry], status: &Value, events: &[Value]) -> Result<(), String> {
    let by_request = by_request(events);
    for entry in log {
        let recorded = by_request.get(entry.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        judge_entry(entry, recorded).map_err(|what| format!("{what}: {entry:?} recorded {recorded:?}"))?;
    }
    if let Some(credential) = used_twice(log) {
        return Err(format!("I-ONCE: {credential} was accepted twice"));
    }
    if let Some(session) = over_budget(log) {
        return Err(format!("I-BUDGET: more than {SESSION_BUDGET} guesses in session {session}"));
    }
    judge_repeats(log, &by_request)?;
    judge_state(log, status, events)
}

/// An acknowledged change is recorded whole; one that was refused is not; one whose answer was lost is
/// recorded whole or not at all.
fn judge_entry(entry: &Entry, recorded: &[&str]) -> Result<(), &'static str> {
    let changes: Vec<&str> = recorded.iter().copied().filter(|kind| !is_failure(kind)).collect();
    let mut whole = records(entry.wish, &entry.body);
    // A recovery code beside the password is used up in the same write as the change.
    if matches!(entry.wish, Wish::Disable | Wish::Regenerate) && entry.credential.is_some() {
        whole.insert(0, "recovery_code.used");
    }
    let is_whole = changes == whole;
    match entry.status {
        Some(200..=299) if entry.is_replay => changes.is_empty().then_some(()).ok_or("I-UNKNOWN: a replay took effect"),
        Some(200..=299) => is_whole.then_some(()).ok_or("I-ACK: an acknowledged change is not recorded"),
        None | Some(503) => (is_whole || changes.is_empty()).then_some(()).ok_or("I-ATOM: half of a change"),
        Some(_) => changes.is_empty().then_some(()).ok_or("I-AUDIT: a refused request changed something"),
    }
}

fn is_failure(kind: &str) -> bool {
    ["login.second_factor_failed", "reauthentication.failed", "session.revoked", "enrollment.failed"].contains(&kind)
}

fn by_request(events: &[Value]) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events {
        found.entry(event["request_id"].as_str().unwrap()).or_default().push(event["type"].as_str().unwrap());
    }
    found
}

fn used_twice(log: &[Entry]) -> Option<String> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in log.iter().filter(|entry| entry.wish != Wish::Guess && !entry.is_replay) {
        if let (Some(credential), Some(200..=299)) = (&entry.credential, entry.status) {
            *uses.entry(credential).or_default() += 1;
        }
    }
    uses.into_iter().find(|(_, count)| *count > 1).map(|(credential, _)| credential.to_owned())
}

fn over_budget(log: &[Entry]) -> Option<String> {
    let mut guesses: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in log.iter().filter(|entry| entry.wish == Wish::Guess && entry.status == Some(403)) {
        *guesses.entry(entry.credential.as_deref().unwrap_or_default()).or_default() += 1;
    }
    guesses.into_iter().find(|(_, count)| *count > SESSION_BUDGET).map(|(session, _)| session.to_owned())
}

/// All requests with one idempotency key took effect once at most.
fn judge_repeats(log: &[Entry], by_request: &BTreeMap<&str, Vec<&str>>) -> Result<(), String> {
    let mut effects: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in log {
        let Some(key) = entry.key.as_deref() else { continue };
        let is_done = by_request.get(entry.id.as_str()).is_some_and(|kinds| kinds.contains(&"two_factor.disabled"));
        *effects.entry(key).or_default() += usize::from(is_done);
    }
    match effects.into_iter().find(|(_, count)| *count > 1) {
        Some((key, _)) => Err(format!("I-UNKNOWN: the requests with key {key} took effect more than once")),
        None => Ok(()),
    }
}

/// What the events tell, replayed, is what the status says.
fn judge_state(log: &[Entry], status: &Value, events: &[Value]) -> Result<(), String> {
    let wishes: BTreeMap<&str, Wish> = log.iter().map(|entry| (entry.id.as_str(), entry.wish)).collect();
    let (mut is_on, mut codes) = (false, 0);
    for event in events {
        match event["type"].as_str().unwrap() {
            "two_factor.enabled" => (is_on, codes) = (true, 10),
            "two_factor.disabled" => (is_on, codes) = (false, 0),
            "recovery_codes.regenerated" => codes = 10,
            "recovery_code.used" => codes -= 1,
            "login.succeeded" => {
                let by_password_alone = wishes.get(event["request_id"].as_str().unwrap()) == Some(&Wish::Login);
                if is_on && by_password_alone {
                    return Err("I-CLOSED: a password alone signed in while two-factor authentication was on".into());
                }
            }
            _ => {}
        }
    }
    let says = (status["enabled"] == true, status["recovery_codes"]["remaining"].as_i64().unwrap_or(0));
    if says != (is_on, codes) {
        return Err(format!("I-ATOM: the events tell {:?} and the status {says:?}: {status}", (is_on, codes)));
    }
    Ok(())
}

fn history(log: &[Entry], events: &[Value]) -> String {
    let entries = log.iter().map(|entry| format!("{entry:?}"));
    let events = events.iter().map(|event| format!("{} {} {}", event["request_id"], event["type"], event["details"]));
    entries.chain(events).collect::<Vec<_>>().join("\n")
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// Judges what the database holds: every chain, every anchor, every announcement once, nothing readable.
pub fn judge_database(installation: &Installation, customers: &[Customer]) -> Result<(), String> {
    let verified = installation.run(&["audit", "verify"], "");
    if !verified.status.success() {
        return Err(format!("I-AUDIT: {}", String::from_utf8_lossy(&verified.stderr)));
    }
    let announced = "a.kind NOT IN ('login.succeeded', 'enrollment.started', 'enrollment.cancelled', 'enrollment.failed') \
                     AND (a.kind <> 'session.revoked' OR a.details LIKE '%too-many%' OR a.details LIKE '%reused%')";
    for (what, query) in [
        ("unannounced", format!("SELECT COUNT(*) AS n FROM audit a WHERE {announced} AND NOT EXISTS (SELECT 1 FROM announcement o WHERE o.id = a.id)")),
        ("announced for nothing", format!("SELECT COUNT(*) AS n FROM announcement o WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.id = o.id AND {announced})")),
        ("left out by the feed", "SELECT COALESCE(MAX(position), 0) - COUNT(position) AS n FROM announcement".to_owned()),
        ("on without a method", "SELECT COUNT(*) AS n FROM account c WHERE c.enabled_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM method m WHERE m.account_id = c.id AND m.state = 'active')".to_owned()),
        ("off with a method", "SELECT COUNT(*) AS n FROM account c WHERE c.enabled_at IS NULL AND EXISTS (SELECT 1 FROM method m WHERE m.account_id = c.id AND m.state = 'active')".to_owned()),
    ] {
        let count = count(installation, &query);
        if count != 0 {
            return Err(format!("I-DUP or I-ATOM: {count} rows are {what}"));
        }
    }
    let readable = readable(installation);
    let secrets = customers.iter().flat_map(|customer| &customer.secrets);
    match secrets.into_iter().find(|secret| readable.contains(secret.as_str())) {
        Some(secret) => Err(format!("I-LEAK: {secret} can be read")),
        None => Ok(()),
    }
}

#[derive(QueryableByName)]
struct Request {
    #[diesel(sql_type = diesel::sql_types::Text)]
    request_id: String,
}

/// The requests that have changed something.
pub fn recorded_requests(installation: &Installation) -> BTreeSet<String> {
    let query = sql_query("SELECT request_id FROM audit");
    let url = &installation.database_url;
    let rows: Vec<Request> = match url.strip_prefix("sqlite://") {
        Some(path) => query.load(&mut SqliteConnection::establish(path).unwrap()).unwrap(),
        None => query.load(&mut PgConnection::establish(url).unwrap()).unwrap(),
    };
    rows.into_iter().map(|row| row.request_id).collect()
}

/// A number that the database holds.
pub fn count(installation: &Installation, query: &str) -> i64 {
    let url = &installation.database_url;
    let counted: Count = match url.strip_prefix("sqlite://") {
        Some(path) => sql_query(query).get_result(&mut SqliteConnection::establish(path).unwrap()).unwrap(),
        None => sql_query(query).get_result(&mut PgConnection::establish(url).unwrap()).unwrap(),
    };
    counted.n
}

/// Everything that the service has written: its logs, its files, and a dump of its tables.
fn readable(installation: &Installation) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(installation.folder.path()).unwrap().flatten() {
        if entry.file_name() != "keys.toml" {
            text.push_str(&String::from_utf8_lossy(&fs::read(entry.path()).unwrap_or_default()));
        }
    }
    if installation.database_url.starts_with("postgres") {
        text.push_str(&postgres::dump(&installation.database_url));
    }
    text
}

mod itself {
    use super::*;
    use serde_json::json;

    fn entry(id: &str, wish: Wish, credential: Option<&str>, status: Option<u16>) -> Entry {
        let credential = credential.map(str::to_owned);
        let body = json!({"result": "signed_in"});
        Entry { id: id.into(), wish, credential, key: None, status, body, is_replay: false }
    }

    fn event(id: &str, kind: &str) -> Value {
        json!({"request_id": id, "type": kind, "details": {}})
    }

    fn says(log: &[Entry], status: &Value, events: &[Value]) -> String {
        verdict(log, status, events).err().unwrap_or_default().split(':').next().unwrap().to_owned()
    }

    #[test]
    fn an_oracle_that_finds_nothing_where_something_is_wrong_is_none() {
        let on = json!({"enabled": true, "recovery_codes": {"remaining": 10}});
        let off = json!({"enabled": false, "recovery_codes": null});
        let enabled = [event("a", "two_factor.enabled")];
        let confirm = |status| [entry("a", Wish::Confirm, Some("secret 1"), status)];
        assert_eq!(says(&confirm(Some(200)), &on, &enabled), "", "as it should be");
        assert_eq!(says(&confirm(None), &off, &[]), "", "lost, and not done");
        assert_eq!(says(&confirm(None), &on, &enabled), "", "lost, and done");
        assert_eq!(says(&confirm(Some(200)), &off, &[]), "I-ACK");
        assert_eq!(says(&confirm(Some(403)), &on, &enabled), "I-AUDIT");
        assert_eq!(says(&confirm(Some(200)), &off, &enabled), "I-ATOM");

        let half = [event("b", "recovery_code.used")];
        let login = entry("b", Wish::LoginByRecoveryCode, Some("code"), None);
        assert_eq!(says(&[login], &json!({"enabled": false, "recovery_codes": {"remaining": -1}}), &half), "I-ATOM");
        let twice = ["c", "d"].map(|id| entry(id, Wish::Code, Some("secret 2"), Some(200)));
        assert_eq!(says(&twice, &off, &[]), "I-ONCE");
        let guesses = ["e", "f", "g", "h", "i", "j"].map(|id| entry(id, Wish::Guess, Some("session"), Some(403)));
        assert_eq!(says(&guesses[..5], &off, &[]), "");
        assert_eq!(says(&guesses, &off, &[]), "I-BUDGET");

        let alone = [entry("a", Wish::Confirm, None, Some(200)), entry("k", Wish::Login, None, Some(200))];
        let events = [event("a", "two_factor.enabled"), event("k", "login.succeeded")];
        assert_eq!(says(&alone, &on, &events), "I-CLOSED");

        let mut repeated = ["l", "m"].map(|id| entry(id, Wish::Disable, None, None));
        repeated.iter_mut().for_each(|entry| entry.key = Some("key".into()));
        let events = ["l", "m"].map(|id| event(id, "two_factor.disabled"));
        assert_eq!(says(&repeated, &off, &events[..1]), "");
        assert_eq!(says(&repeated, &off, &events), "I-UNKNOWN");
    }
}
