//! What holds for every request, whatever it is about.

use crate::{
    on_both_engines,
    support::{
        TestApp, document,
        person::{DISABLE, STATUS},
    },
};
use serde_json::json;

on_both_engines!(checks_come_in_the_order_of_the_contract, |config| config.step_up_max_age = 1);
async fn checks_come_in_the_order_of_the_contract(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let send = async |key: &str, tag: &str, body: &str| {
        let bearer = format!("Bearer {}", alice.access.borrow());
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
            ("If-Match", tag),
            ("Idempotency-Key", key),
        ];
        app.send_raw("POST", DISABLE, &headers, body.into()).await
    };
    let wrong = json!({"password": "wrong password"}).to_string();
    // State before assurance, precondition before state, parse before precondition, token before all.
    send("a", "*", &wrong).await.is(409).refuses("two-factor-not-enabled");
    send("a", "\"77\"", &wrong).await.is(412).refuses("version-mismatch");
    send("a", "\"77\"", "{").await.is(400);
    alice.set_up().await;
    // Assurance before ledger and proofs; a used key before everything but the token.
    send("a", "*", &wrong).await.is(401).refuses("insufficient-user-authentication");
    let right = json!({"password": alice.password, "code": alice.fresh_code()}).to_string();
    send("a", "*", &right).await.is(200);
    alice.refresh().await.is(200);
    send("a", "\"77\"", &right).await.is(200);
    send("a", "\"77\"", "{\"password\": 7, \"x\": 1}").await.is(422).refuses("idempotency-key-reused");
    alice.send("POST", "/auth/logout", &[], None).await.is(204);
    send("a", "\"77\"", "{").await.is(401).refuses("invalid-token");
}

on_both_engines!(no_operation_of_the_owner_runs_without_a_good_token);
async fn no_operation_of_the_owner_runs_without_a_good_token(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let good = alice.access.borrow().clone();
    let guarded = document::operations()
        .into_iter()
        .filter(|(_, _, operation)| operation["security"].as_array().is_some_and(|all| !all.is_empty()))
        // Who asks for a token has none.
        .filter(|(_, _, operation)| operation["security"][0].get("client").is_none());
    let mut count = 0;
    for (method, path, _) in guarded {
        count += 1;
        let path = path.replace("{id}", "x").replace("{sid}", "x").replace("{n}", "1");
        let send = async |headers: &[(&str, &str)]| {
            app.send_raw(&method, &path, headers, vec![]).await.is(401).refuses("invalid-token")
        };
        let reply = send(&[]).await;
        assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        let bearer = format!("Bearer {good}");
        let variants = [
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            "Bearer nonsense",
            "Bearer a.b.c",
            &good,
            &format!("Bearer {}", &good[..good.len() - 4]),
            &format!("Bearer {}", "x".repeat(8000)),
        ]
        .map(str::to_owned);
        for variant in &variants {
            send(&[("Authorization", variant)]).await;
        }
        send(&[("Authorization", &bearer), ("Authorization", &bearer)]).await;
        send(&[("Cookie", &format!("access_token={good}"))]).await;
    }
    assert!(count >= 17, "{count} guarded operations");
    alice.get(&format!("{STATUS}?access_token={good}")).await.is(200);
}

on_both_engines!(unknown_paths_and_methods_are_problems_too);
async fn unknown_paths_and_methods_are_problems_too(app: &TestApp) {
    for path in [
        "/web",
        "/nowhere",
        "/account/security/2fa/",
        "//account/security/2fa",
        "/account/security/2fa/disable/x",
        "/ACCOUNT/security",
    ] {
        app.get(path).await.is(404).refuses("not-found");
    }
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let reply = app.send_raw(method, DISABLE, &[("X-HTTP-Method-Override", "POST")], vec![]).await;
        assert_eq!(reply.is(405).header("allow"), Some("POST"));
    }
    let reply = app.send_raw("PUT", "/account/security/2fa/totp/7", &[], vec![]).await.is(405);
    assert_eq!(reply.header("allow"), Some("DELETE, GET"));
}

on_both_engines!(a_path_has_one_spelling, |config| {
    config.auth_per_minute = 1;
    config.auth_burst = 1;
});
async fn a_path_has_one_spelling(app: &TestApp) {
    for path in ["/%61uth/token/refresh", "/auth/token%2Frefresh", "/%00"] {
        app.send("POST", path, &[], Some(&json!({"refresh_token": "x"}))).await.is(404).refuses("not-found");
    }
}

on_both_engines!(a_held_back_body_holds_no_instant_back);
async fn a_held_back_body_holds_no_instant_back(app: &TestApp) {
    use std::io::{Read, Write};
    let alice = app.person("alice").await.with_two_factor().await;
    let body = json!({"challenge": alice.login().await.text("/challenge"), "code": alice.fresh_code()}).to_string();
    let mut held = std::net::TcpStream::connect(app.base().trim_start_matches("http://")).unwrap();
    held.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let head = format!(
        "POST /auth/login/second-factor HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    held.write_all(format!("{head}{}", &body[..10]).as_bytes()).unwrap();
    // The service has read the head by the time that it has answered this.
    app.get("/.well-known/jwks.json").await.is(200);
    app.pass(150);
    held.write_all(&body.as_bytes()[10..]).unwrap();
    let answer = actix_web::rt::task::spawn_blocking(move || {
        let mut text = String::new();
        held.read_to_string(&mut text).map(|_| text)
    })
    .await
    .unwrap()
    .unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

on_both_engines!(a_body_that_never_ends_is_not_waited_for);
async fn a_body_that_never_ends_is_not_waited_for(app: &TestApp) {
    use std::io::{Read, Write};
    let mut slow = std::net::TcpStream::connect(app.base().trim_start_matches("http://")).unwrap();
    slow.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    slow.write_all(
        b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
    )
    .unwrap();
    let answer = actix_web::rt::task::spawn_blocking(move || {
        let mut start = [0; 12];
        slow.read_exact(&mut start).map(|()| start)
    })
    .await
    .unwrap()
    .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
}

on_both_engines!(answers_are_json_or_not_at_all);
async fn answers_are_json_or_not_at_all(app: &TestApp) {
    for accept in ["text/html", "image/png", "application/json;q=0"] {
        app.send("GET", "/.well-known/jwks.json", &[("Accept", accept)], None).await.is(406).refuses("not-acceptable");
    }
    for accept in ["*/*", "application/*", "text/html, application/json;q=0.1", "application/problem+json"] {
        app.send("GET", "/.well-known/jwks.json", &[("Accept", accept)], None).await.is(200);
    }
}

on_both_engines!(problems_are_explained_in_three_languages);
async fn problems_are_explained_in_three_languages(app: &TestApp) {
    let list = app.get("/problems").await.is(200);
    assert!(list.body["problems"].as_array().unwrap().len() > 20);
    for problem in list.body["problems"].as_array().unwrap() {
        let path = problem["type"].as_str().unwrap();
        assert_eq!(app.get(path).await.is(200).body["code"], problem["code"]);
        let page = app.send("GET", path, &[("Accept", "text/html"), ("Accept-Language", "zh")], None).await.is(200);
        assert_eq!(page.header("content-language"), Some("zh-Hans"));
    }
    app.get("/problems/nonsense").await.is(404);
    app.send("GET", "/problems", &[("Accept", "text/html")], None).await.is(200);
}

on_both_engines!(browsers_of_configured_origins_may_call_and_others_not, |config| {
    config.cors_origins = vec!["https://portal.example".into()];
    config.auth_per_minute = 1;
    config.auth_burst = 2;
});
async fn browsers_of_configured_origins_may_call_and_others_not(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let reply = alice.send("GET", STATUS, &[("Origin", "https://portal.example")], None).await.is(200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://portal.example"));
    assert!(reply.header("access-control-expose-headers").unwrap().to_lowercase().contains("idempotent-replayed"));
    let problem = app.send("GET", STATUS, &[("Origin", "https://portal.example")], None).await.is(401);
    assert_eq!(problem.header("access-control-allow-origin"), Some("https://portal.example"));
    // What the envelope refuses can be read too.
    let from = [("Origin", "https://portal.example")];
    let made_up = json!({"refresh_token": "x"});
    let refresh = || app.send("POST", "/auth/token/refresh", &from, Some(&made_up));
    refresh().await.is(401);
    // Each replica counts for itself.
    for _ in 0..2 * app.replicas() - 2 {
        refresh().await;
    }
    let limited = refresh().await.is(429);
    assert_eq!(limited.header("access-control-allow-origin"), Some("https://portal.example"));
    let other = alice.send("GET", STATUS, &[("Origin", "https://evil.example")], None).await;
    assert_eq!(other.header("access-control-allow-origin"), None);
    let preflight = |origin| {
        [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,content-type,idempotency-key,if-match"),
        ]
    };
    let reply = app.send_unjudged("OPTIONS", DISABLE, &preflight("https://portal.example"), vec![]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://portal.example"));
    assert!(reply.header("x-request-id").is_some());
    let reply = app.send_unjudged("OPTIONS", DISABLE, &preflight("https://evil.example"), vec![]).await;
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

on_both_engines!(the_probes_answer_on_their_own_listener);
async fn the_probes_answer_on_their_own_listener(app: &TestApp) {
    let probe = async |path: &str| reqwest::get(format!("{}{path}", app.operations())).await.unwrap().status();
    assert_eq!(probe("/livez").await, 200);
    assert_eq!(probe("/account/security/2fa").await, 404);
    app.get("/livez").await.is(404);
    // Ready is who tells the same time as the database, give or take half a minute.
    let real = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    app.pass(real - app.now().as_second());
    assert_eq!(probe("/readyz").await, 200);
    app.pass(60);
    // A replica whose clock is wrong decides nothing; one that shares its clock with the database cannot tell.
    let is_alone = app.replicas() == 1;
    assert_eq!(probe("/readyz").await, if is_alone { 200 } else { 503 });
    let alice = json!({"email": "alice@example.test", "password": "a guess in the dark"});
    let answers = [app.post("/auth/login", &alice).await, app.post("/auth/login", &alice).await];
    assert_eq!(answers.iter().filter(|reply| reply.status == 503).count(), if is_alone { 0 } else { 1 });
    app.pass(-60);
    assert_eq!(probe("/readyz").await, 200);
}

on_both_engines!(the_policy_in_force_is_published, |config| {
    config.limits.code.free = 3;
    config.support.phone = Some("+60 3 1234 5678".to_owned());
});
async fn the_policy_in_force_is_published(app: &TestApp) {
    let policy = app.get("/.well-known/two-factor-policy").await.is(200).body;
    assert_eq!(policy["limits"]["code"]["free"], 3);
    assert_eq!(policy["totp"]["period"], 30);
    assert_eq!(policy["step_up_max_age"], 43200);
    // Who is locked out before signing in learns here whom to call.
    assert_eq!(policy["support"], json!({"email": null, "phone": "+60 3 1234 5678", "url": null}));
    let keys = app.get("/.well-known/jwks.json").await.is(200).body;
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
    assert_eq!(keys["keys"][0]["use"], "sig");
    assert!(keys["keys"][0].get("d").is_none());
}

on_both_engines!(guesses_are_counted_by_kind_and_result);
async fn guesses_are_counted_by_kind_and_result(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.disable(json!({"password": "a guess in the dark"})).await.is(403);
    for _ in 0..5 {
        alice.verify(&alice.wrong_code()).await.is(403);
    }
    alice.verify(&alice.fresh_code()).await.is(429);
    let mut counted = std::collections::BTreeMap::<String, u64>::new();
    for line in app.metrics().await.lines().filter_map(|line| line.strip_prefix("twofold_attempts_total")) {
        let (label, count) = line.rsplit_once(' ').unwrap();
        *counted.entry(label.to_owned()).or_default() += count.parse::<u64>().unwrap();
    }
    let of = |kind: &str, result: &str| counted.get(&format!("{{kind=\"{kind}\",result=\"{result}\"}}")).copied();
    assert_eq!(of("confirm", "right"), Some(1), "{counted:?}");
    assert_eq!(of("reauthentication", "wrong"), Some(1), "{counted:?}");
    assert_eq!(of("session-code", "wrong"), Some(5), "{counted:?}");
    assert_eq!(of("session-code", "refused"), Some(1), "{counted:?}");
    assert_eq!(of("session-code", "right"), None, "{counted:?}");
    assert!(!counted.keys().any(|label| label.contains("enrollment-start")), "no guess: {counted:?}");
}

on_both_engines!(the_monitor_reads_how_full_things_are);
async fn the_monitor_reads_how_full_things_are(app: &TestApp) {
    app.person("alice").await.sign_in().await;
    let reply = reqwest::get(format!("{}/metrics", app.operations())).await.unwrap();
    let kind = reply.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    // PostgreSQL's replicas are asked in turn, and it was one of them that looked at the password.
    let texts = app.metrics().await;
    let of_engine = if app.replicas() == 1 {
        ["twofold_writes_waiting 0", "twofold_write_batch_size_count"]
    } else {
        ["twofold_database_connections_busy 0", "twofold_database_wait_seconds_count"]
    };
    let of_gate = [
        "twofold_password_queue_depth{class=\"anonymous\"} 0",
        "twofold_password_wait_seconds_count{class=\"anonymous\"} 1",
        "twofold_password_shed_total{class=\"owner\"} 0",
    ];
    let of_requests = [
        "twofold_http_requests_total{method=\"POST\",route=\"/auth/login\",status=\"200\"} 1",
        "twofold_http_request_duration_seconds_count{method=\"POST\",route=\"/auth/login\"} 1",
        "twofold_attempts_total{kind=\"login\",result=\"right\"} 1",
        "twofold_clock_skew_seconds 0",
    ];
    for line in of_engine.iter().chain(&of_gate).chain(&of_requests) {
        assert!(texts.contains(line), "{line} is not in\n{texts}");
    }
    app.get("/metrics").await.is(404);
}
