//! G: what belongs to somebody is there for nobody else.

use crate::{
    e_login::is_timed,
    on_both_engines,
    support::{
        TestApp, document,
        person::{EVENTS, LOGIN, Person, SESSIONS, STATUS, TOTP_PATH},
        reply::Reply,
    },
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const UNKNOWN: &str = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
/// What two answers to the same question may differ by, at their medians.
const TELLING: Duration = Duration::from_millis(5);

/// A problem without what differs from request to request.
fn told(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    json!([reply.status, body, reply.header("etag"), reply.header("location")])
}

/// A body that the operation would carry out, if it were about an object of one's own.
fn body_of(operation: &Value, person: &Person<'_>) -> Option<Value> {
    let schema = operation.pointer("/requestBody/content/application~1json/schema/$ref")?.as_str().unwrap();
    let schema = document::DOCUMENT.pointer(&schema[1..]).unwrap();
    let is_sent = schema["properties"]["code"].to_string().contains("SentCode");
    let value = |name: &str| match name {
        "password" => json!(person.password),
        "code" if is_sent => json!("12345678"),
        "code" => json!(person.fresh_code()),
        "label" => json!("Mine now"),
        "credential" => json!({}),
        other => panic!("no value for {other}"),
    };
    let names = schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    Some(names.map(|name| (name.to_owned(), value(name))).collect::<serde_json::Map<_, _>>().into())
}

async fn session_of(person: &Person<'_>) -> String {
    let page = person.get(SESSIONS).await.is(200);
    let sessions = page.body["sessions"].as_array().unwrap();
    sessions.iter().find(|session| session["current"] == true).unwrap()["id"].as_str().unwrap().to_owned()
}

on_both_engines!(an_id_of_somebody_elses_is_an_id_of_nothing);
/// G01: an id is no secret, so it opens nothing and does not even tell that there is such an object.
async fn an_id_of_somebody_elses_is_an_id_of_nothing(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let laptop = alice.elsewhere();
    laptop.sign_in().await;
    let pending = alice.start_enrolment(json!({"label": "Pending"})).await;
    let session = session_of(&laptop).await;
    let method = alice.method.borrow().clone();
    let bob = app.person("bob").await.with_two_factor().await;
    let before = alice.status().await;
    let mut tried = 0;
    for (verb, path, operation) in document::operations() {
        // What belongs to others is the very business of support and of partners; who may is claimed in g_support and
        // g_partner.
        let is_of_others = path.starts_with("/support") || path.starts_with("/partner/");
        if is_of_others || !(path.contains("{id}") || path.contains("{sid}")) {
            continue;
        }
        for foreign in [&method, &pending, &session] {
            tried += 1;
            let send = async |id: &str| {
                let path = path.replace("{id}", id).replace("{sid}", id).replace("{n}", "1");
                let body = body_of(operation, &bob);
                bob.send(&verb, &path, &[], body.as_ref()).await
            };
            let (theirs, nobodys) = (send(foreign).await.is(404), send(UNKNOWN).await.is(404));
            assert_eq!(told(&theirs), told(&nobodys), "{verb} {path}");
        }
    }
    assert_eq!(tried, 60, "twenty operations are about an object");
    // An id of another kind is no id of this kind for its owner either.
    alice.get(&format!("{TOTP_PATH}/{session}")).await.is(404);
    alice.send("DELETE", &format!("{SESSIONS}/{method}"), &[], None).await.is(404);
    assert_eq!(alice.status().await, before);
    laptop.status().await;
    let more = json!({"replaces": method});
    let replaces = bob.try_enrolment(more).await;
    assert_eq!(told(&replaces), told(&bob.try_enrolment(json!({"replaces": UNKNOWN})).await));
    assert!(replaces.status == 404 || replaces.status == 422, "{}", replaces.body);
}

on_both_engines!(lists_hold_ones_own_alone_whatever_cursor_is_sent);
/// G01: a cursor is a place in a list, and must not become a place in somebody else's.
async fn lists_hold_ones_own_alone_whatever_cursor_is_sent(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let ids = async |person: &Person<'_>, query: &str| -> Vec<Value> {
        let page = person.get(&format!("{EVENTS}{query}")).await.is(200);
        page.body["events"].as_array().unwrap().iter().map(|event| event["id"].clone()).collect()
    };
    let (hers, his) = (ids(&alice, "?limit=100").await, ids(&bob, "?limit=100").await);
    assert!(!hers.is_empty() && !his.is_empty());
    assert!(his.iter().all(|id| !hers.contains(id)));
    let cursor = alice.get(&format!("{EVENTS}?limit=1")).await.text("/next_cursor");
    let page = ids(&bob, &format!("?limit=100&cursor={cursor}")).await;
    assert!(page.iter().all(|id| his.contains(id)), "{page:?}");
    let sessions = bob.get(SESSIONS).await.is(200);
    assert_eq!(sessions.body["sessions"].as_array().unwrap().len(), 1);
}

on_both_engines!(an_id_of_somebody_elses_takes_as_long_as_an_id_of_nothing);
/// G01: two answers that look alike tell them apart after all if one takes longer.
async fn an_id_of_somebody_elses_takes_as_long_as_an_id_of_nothing(app: &TestApp) {
    if !is_timed() {
        return;
    }
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let pending = alice.start_enrolment(json!({})).await;
    let session = session_of(&alice).await;
    let bob = app.person("bob").await;
    bob.sign_in().await;
    for (verb, foreign, path) in
        [("GET", &pending, TOTP_PATH), ("DELETE", &pending, TOTP_PATH), ("DELETE", &session, SESSIONS)]
    {
        let mut taken = [Vec::new(), Vec::new()];
        // In turn, so that whatever else the machine does slows both.
        for n in 0..80 {
            let id = if n / 2 % 2 == 0 { foreign.as_str() } else { UNKNOWN };
            let began = Instant::now();
            bob.send(verb, &format!("{path}/{id}"), &[], None).await.is(404);
            taken[n / 2 % 2].push(began.elapsed());
        }
        let [theirs, nobodys] = taken.map(|mut times| {
            times.sort();
            times[times.len() / 2]
        });
        assert!(theirs.abs_diff(nobodys) < TELLING, "{verb} {path}: {theirs:?} and {nobodys:?}");
    }
}

const SIMPLE: [&str; 4] = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain;application/json",
];

on_both_engines!(a_page_of_another_origin_can_make_nobody_do_anything, |config| config.cors_origins =
    vec!["https://portal.example".into()]);
/// G09: any page can make a visitor's browser send what needs no preflight, cookies and all.
async fn a_page_of_another_origin_can_make_nobody_do_anything(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let before = alice.status().await;
    let cookie = format!("access_token={0}; token={0}; session={0}", alice.access.borrow());
    let login = json!({"email": alice.email, "password": alice.password}).to_string();
    for (verb, path, operation) in document::operations() {
        if verb == "GET" {
            continue;
        }
        let target = path.replace("{id}", &alice.method.borrow()).replace("{sid}", UNKNOWN).replace("{n}", "1");
        let is_guarded = document::takes_token(operation);
        // A form can be sent from anywhere, and without what only its sender knows it does nothing.
        let takes_form = operation.pointer("/requestBody/content/application~1x-www-form-urlencoded").is_some();
        for (origin, kind) in ["https://evil.example", "null", "https://portal.example.evil.example"]
            .iter()
            .flat_map(|o| SIMPLE.map(|k| (o, k)))
        {
            let headers = [("Origin", *origin), ("Content-Type", kind), ("Cookie", cookie.as_str())];
            let body = if target == LOGIN { login.clone() } else { json!({"password": alice.password}).to_string() };
            let reply = app.send_raw(&verb, &target, &headers, body.into_bytes()).await;
            let is_refused = match (is_guarded, takes_form) {
                (true, _) => reply.status == 401,
                (false, true) => [400, 401, 415].contains(&reply.status),
                (false, false) => reply.status == 415,
            };
            assert!(is_refused, "{verb} {path} {kind}: {}", reply.status);
            assert_eq!(reply.header("access-control-allow-origin"), None);
            assert_eq!(reply.header("access-control-allow-credentials"), None);
        }
    }
    assert_eq!(alice.status().await, before);
}

on_both_engines!(a_preflight_promises_other_origins_nothing, |config| config.cors_origins =
    vec!["https://portal.example".into()]);
/// G09: what a preflight allows is all that keeps other pages from reading and changing an account.
async fn a_preflight_promises_other_origins_nothing(app: &TestApp) {
    for (_, path, _) in document::operations() {
        for origin in [
            "https://evil.example",
            "null",
            "http://portal.example",
            "https://portal.example:8443",
            "https://portal.example.evil.example",
            "https://PORTAL.example.",
            "*",
        ] {
            let asked = [
                ("Origin", origin),
                ("Access-Control-Request-Method", "POST"),
                ("Access-Control-Request-Headers", "authorization,content-type"),
            ];
            let reply = app.send_unjudged("OPTIONS", &path, &asked, vec![]).await;
            for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
                assert_eq!(reply.header(name), None, "{path} {origin}");
            }
        }
        // Even the portal's own pages send no cookies and get no wildcard.
        let asked = [("Origin", "https://portal.example"), ("Access-Control-Request-Method", "GET")];
        let reply = app.send_unjudged("OPTIONS", &path, &asked, vec![]).await;
        assert_eq!(reply.header("access-control-allow-origin"), Some("https://portal.example"));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
    let simple = app.send("GET", STATUS, &[("Origin", "https://portal.example")], None).await.is(401);
    assert!(simple.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")));
}
