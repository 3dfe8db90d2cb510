//! H16-H18, I03: what a refusal says, and what becomes of what a client says of itself.

use crate::{
    on_both_engines,
    support::{
        TestApp, document,
        installation::Installation,
        person::{DISABLE, EVENTS, LOGIN, Person, STATUS, TOTP_PATH, VERIFY},
        reply::Reply,
        wire,
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a client may say and must not hear again: it may have been typed into the wrong field.
const CANARY: &str = "c4n4ry";
/// Words of our inside, which nobody outside needs.
const INSIDE: [&str; 12] = [
    "SELECT", "INSERT", "UPDATE ", "sqlite", "postgres", "diesel", "panicked", "src/", ".rs", "/tmp", "serde", "actix",
];

/// The words of the catalogue: what every problem of a code says.
async fn catalogue(app: &TestApp) -> BTreeMap<String, Value> {
    let list = app.get("/problems").await.is(200);
    let problems = list.body["problems"].as_array().unwrap().clone();
    problems.into_iter().map(|problem| (problem["code"].as_str().unwrap().to_owned(), problem)).collect()
}

/// A problem consists of the catalogue's words, and of members whose values are ours.
fn is_of_the_catalogue(reply: &Reply, catalogue: &BTreeMap<String, Value>) {
    let body = reply.body.as_object().unwrap_or_else(|| panic!("no problem: {}", reply.body));
    let words = &catalogue[body["code"].as_str().unwrap()];
    for name in ["type", "title", "status"] {
        assert_eq!(body[name], words[name], "{name} of {}", reply.body);
    }
    let others = words["other_details"].as_array().unwrap();
    assert!(body["detail"] == words["detail"] || others.contains(&body["detail"]), "detail of {}", reply.body);
    for (name, value) in body {
        match name.as_str() {
            "type" | "title" | "status" | "detail" | "code" | "request_id" | "errors" => {}
            "attempts_remaining" | "retry_after" | "skew_seconds" => assert!(value.is_i64(), "{}", reply.body),
            "alternatives" => assert!(value.is_array(), "{}", reply.body),
            "server_time" => assert!(value.as_str().unwrap().ends_with('Z'), "{}", reply.body),
            other => panic!("{other} in {}", reply.body),
        }
    }
    let text = reply.body.to_string();
    assert!(!text.contains(CANARY), "it echoes: {text}");
    assert!(!text.contains(env!("CARGO_PKG_VERSION")), "it tells the version: {text}");
    for word in INSIDE {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

on_both_engines!(a_refusal_says_what_the_catalogue_says_and_echoes_nothing, |config| {
    config.limits.reauth_session.free = 1000;
    config.limits.reauth_session.ends_at = 1000;
    config.limits.reauth_account.free = 1000;
});
/// H17, I03: an error that repeats what was typed repeats passwords, and one that quotes the inside maps it.
async fn a_refusal_says_what_the_catalogue_says_and_echoes_nothing(app: &TestApp) {
    let catalogue = catalogue(app).await;
    let alice = app.person("alice").await.with_two_factor().await;
    let bearer = format!("Bearer {}", alice.access.borrow());
    let full = format!(
        "{{\"email\": \"{CANARY}@example.test\", \"password\": \"{CANARY}\", \"current_password\": \"{CANARY}\", \
         \"new_password\": \"{CANARY}\", \"code\": \"{CANARY}\", \"challenge\": \"{CANARY}\", \"label\": \"{CANARY}\", \
         \"refresh_token\": \"{CANARY}\", \"device_token\": \"{CANARY}\"}}"
    );
    let mut bodies =
        vec![full.clone(), full.replace('{', "["), format!("\"{CANARY}\""), format!("{{\"{CANARY}\": 1}}")];
    for name in [
        "email",
        "password",
        "code",
        "recovery_code",
        "challenge",
        "refresh_token",
        "device_token",
        "label",
        "reason",
        "replaces",
    ] {
        bodies.push(json!({name: CANARY, "password": format!("{CANARY} and more")}).to_string());
        bodies.push(json!({name: format!("{CANARY}{}", "x".repeat(100))}).to_string());
        bodies.push(json!({name: [CANARY]}).to_string());
    }
    for (method, path, operation) in document::operations() {
        let target =
            path.replace("{id}", CANARY).replace("{sid}", CANARY).replace("{n}", "1").replace("{code}", CANARY);
        let queried = format!("{target}?{CANARY}={CANARY}&cursor={CANARY}&limit={CANARY}");
        let wrong = format!("Bearer {CANARY}.{CANARY}.{CANARY}");
        let json = ("Content-Type", "application/json");
        let with = |name, value| vec![("Authorization", bearer.as_str()), json, (name, value)];
        let mut tries = vec![
            (target.clone(), vec![("Authorization", wrong.as_str()), json], full.clone()),
            (queried, with("X-Request-Id", "not fit: \"'<>"), full.clone()),
            (target.clone(), with("Accept", "c4n4ry/c4n4ry"), full.clone()),
            (target.clone(), with("If-Match", CANARY), full.clone()),
            (target.clone(), with("Idempotency-Key", "\u{e9}c4n4ry"), full.clone()),
            (format!("{target}/{CANARY}"), with("X", "y"), full.clone()),
            (target.clone(), vec![("Authorization", bearer.as_str()), ("Content-Type", CANARY)], full.clone()),
        ];
        if operation["requestBody"].is_object() && !path.ends_with("logout") {
            let own = path.replace("{id}", &alice.method.borrow()).replace("{sid}", CANARY).replace("{n}", "1");
            tries.extend(bodies.iter().map(|body| (own.clone(), with("X", "y"), body.clone())));
        }
        for (target, headers, body) in tries {
            let reply = app.send_raw(&method, &target, &headers, body.clone().into_bytes()).await;
            if reply.status >= 400 {
                is_of_the_catalogue(&reply, &catalogue);
            } else {
                assert_eq!(method, "GET", "{method} {target} {body}");
            }
        }
    }
    assert_eq!(alice.status().await["enabled"], true);
}

on_both_engines!(a_stale_version_stops_every_change);
/// H18: a change meant for what the page showed a minute ago is not meant for what is there now.
async fn a_stale_version_stops_every_change(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let pending = alice.start_enrolment(json!({})).await;
    let before = alice.get(STATUS).await.is(200);
    let (events, version) = (alice.event_kinds().await, before.header("etag").unwrap().to_owned());
    let current: i64 = version.trim_matches('"').parse().unwrap();
    let password = json!({"password": alice.password});
    let change = json!({"current_password": alice.password, "new_password": "another long password"});
    let method = format!("/account/security/2fa/methods/{}", alice.method.borrow());
    let code = json!({"code": alice.wrong_code()});
    let changes = [
        ("POST", DISABLE.to_owned(), Some(&password)),
        ("POST", TOTP_PATH.to_owned(), Some(&password)),
        ("POST", "/account/security/2fa/recovery-codes".to_owned(), Some(&password)),
        ("POST", "/account/password".to_owned(), Some(&change)),
        ("POST", format!("{method}/remove"), Some(&password)),
        ("POST", format!("{TOTP_PATH}/{pending}/confirm"), Some(&code)),
        ("POST", VERIFY.to_owned(), Some(&code)),
        ("PATCH", method, Some(&code)),
        ("DELETE", format!("{TOTP_PATH}/{pending}"), None),
        ("POST", "/account/security/sessions/end-others".to_owned(), None),
        ("DELETE", format!("/account/security/sessions/{pending}"), None),
        ("POST", "/account/security/devices/forget-all".to_owned(), None),
        ("DELETE", format!("/account/security/devices/{pending}"), None),
    ];
    let label = json!({"label": "New"});
    for (verb, path, body) in changes {
        let body = if verb == "PATCH" { Some(&label) } else { body };
        for tag in
            [format!("\"{}\"", current - 1), format!("\"{}\"", current + 1), format!("W/{version}"), "\"x\"".into()]
        {
            let reply = alice.send(verb, &path, &[("If-Match", &tag)], body).await;
            reply.is(412).refuses("version-mismatch");
        }
        alice.send(verb, &path, &[("If-Match", "nonsense")], body).await.is(400);
    }
    let after = alice.get(STATUS).await.is(200);
    assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body));
    assert_eq!(alice.event_kinds().await, events);
    // Nobody must send one: the front-end that shows nothing has nothing to be stale.
    let several = format!("\"{}\", {version}", current - 1);
    alice.send("POST", DISABLE, &[("If-Match", &several)], Some(&password)).await.is(200);
}

/// Requests whose every header, path and member tries to begin a line of its own.
async fn say_evil_things(base: &str, email: &str) -> usize {
    let evil = [
        "\u{1b}[31mred",
        "a\\r\\nts: 1",
        "\"}\n{\"level\":\"INFO\"",
        "<script>",
        "\u{9b}31m",
        "\u{7f}",
        "\u{2028}x",
        "%0d%0aSet-Cookie:x=y",
    ];
    let mut count = 0;
    for text in evil {
        let plain: String = text.chars().filter(|c| !c.is_ascii_control()).collect();
        let body = json!({"email": format!("{plain}{email}"), "password": text}).to_string();
        for (path, agent, id) in [
            (LOGIN.to_owned(), plain.clone(), plain.clone()),
            (format!("/{}", plain.replace(' ', "")), plain.clone(), "x".repeat(65)),
            (LOGIN.to_owned(), "x".repeat(5000), "x".repeat(5000)),
        ] {
            let bytes = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\nX-Request-Id: {id}\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let exchange = wire::exchange(base, bytes.into_bytes(), true).await;
            let [answer] = exchange.answers.as_slice() else { panic!("{text:?}: {exchange:?}") };
            // What is no head at all gets the framework's bare 400, and no line in the log.
            let Some(given) = answer.header("x-request-id") else {
                assert_eq!((answer.status, answer.body.len()), (400, 0), "{text:?}");
                continue;
            };
            count += 1;
            assert_ne!(given, id);
            assert!(given.len() <= 64 && given.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{given}");
            assert!(answer.header("set-cookie").is_none() && answer.header("ts").is_none());
        }
    }
    count
}

/// H16: a log that a stranger can write lines into proves nothing, and one that a terminal obeys is an attack.
#[actix_web::test]
async fn one_event_is_one_line_of_the_log_whatever_it_holds() {
    for format in ["json", "text"] {
        let installation = Installation::ready(None);
        let mut served = installation.serve_with(|serve| {
            serve.env("TWOFOLD_LOG_FORMAT", format);
        });
        let count = say_evil_things(&served.base, "@example.test").await;
        assert!(count >= 16, "{count} requests were read");
        assert_eq!(served.terminate(), 0);
        let log = installation.logged();
        let requests = log.lines().filter(|line| match format {
            "json" => {
                serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"))["message"] == "request"
            }
            _ => line.contains("INFO  request "),
        });
        assert_eq!(requests.count(), count, "{format}: {log}");
        let controls: Vec<&str> = log.lines().filter(|line| line.chars().any(char::is_control)).collect();
        assert!(controls.is_empty(), "{format}: {controls:?}");
    }
}

on_both_engines!(what_a_client_says_of_itself_is_a_value_in_the_audit);
/// H16, M05: what is stored as it came must come back as a value, and run nowhere.
async fn what_a_client_says_of_itself_is_a_value_in_the_audit(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let rename = format!("/account/security/2fa/methods/{}", alice.method.borrow());
    for text in [
        "'; DROP TABLE audit; --",
        "' OR '1'='1",
        "\", \"hash\": \"",
        "<script>alert(1)</script>",
        "${jndi:ldap://x}",
        "{{7*7}} %s %n",
        "=cmd|' /C calc'!A0",
        "\\u0000 \\n",
        "../../etc/passwd",
    ] {
        let headers = [("User-Agent", text)];
        alice.send("PATCH", &rename, &headers, Some(&json!({"label": text}))).await.is(200);
        assert_eq!(alice.status().await["methods"][0]["label"], text);
        let event = newest(&alice).await;
        assert_eq!((&event["type"], &event["user_agent"]), (&json!("method.renamed"), &json!(text)));
    }
    for text in ["a\u{0}b", "a\nb", "\u{1b}[31m", "\u{202e}desrever"] {
        let reply = alice.send("PATCH", &rename, &[], Some(&json!({"label": text}))).await;
        if reply.status == 200 {
            assert_eq!(alice.status().await["methods"][0]["label"], text);
        } else {
            reply.is(422).refuses("validation-failed");
        }
    }
}

async fn newest(person: &Person<'_>) -> Value {
    person.get(&format!("{EVENTS}?limit=1")).await.is(200).body["events"][0].clone()
}
