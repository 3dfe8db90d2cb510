//! The one judge of every fault run: what customers were told, held against what the service says and what
//! the database holds. A violation names its invariant.

use super::customer::{Customer, Entry, Wish};
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
    let told = |what: String| Err(format!("{}: {what}\n{}", customer.email, history(customer, &events)));
    let by_request = by_request(&events);
    for entry in &customer.log {
        let recorded = by_request.get(entry.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        if let Err(what) = judge_entry(entry, recorded) {
            return told(format!("{what}: {entry:?} recorded {recorded:?}"));
        }
    }
    if let Some(credential) = used_twice(&customer.log) {
        return told(format!("I-ONCE: {credential} was accepted twice"));
    }
    if let Some(session) = over_budget(&customer.log) {
        return told(format!("I-BUDGET: more than {SESSION_BUDGET} guesses in session {session}"));
    }
    if let Err(what) = judge_repeats(&customer.log, &by_request) {
        return told(what);
    }
    judge_state(customer, &status.body, &events).map(|()| true).or_else(told)
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
    // While two-factor authentication is on, whether a disable needed its code depends on the session.
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
fn judge_state(customer: &Customer, status: &Value, events: &[Value]) -> Result<(), String> {
    let wishes: BTreeMap<&str, Wish> = customer.log.iter().map(|entry| (entry.id.as_str(), entry.wish)).collect();
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

fn history(customer: &Customer, events: &[Value]) -> String {
    let entries = customer.log.iter().map(|entry| format!("{entry:?}"));
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
    let announced = "a.stream = 'state' OR a.kind = 'password.changed'";
    for (what, query) in [
        ("unannounced", format!("SELECT COUNT(*) AS n FROM audit a WHERE ({announced}) AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.event_id = a.id)")),
        ("announced for nothing", "SELECT COUNT(*) AS n FROM outbox o WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.id = o.event_id)".to_owned()),
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
