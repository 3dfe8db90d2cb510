//! The Account Security tab and the security log.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{EVENTS, STATUS},
    },
};
use serde_json::{Value, json};

on_both_engines!(the_tab_shows_what_there_is, |config| config.support.email = Some("help@portal.test".into()));
async fn the_tab_shows_what_there_is(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.elsewhere().sign_in().await;
    let tab = alice.get("/account/security").await.is(200);
    assert_eq!(tab.body["email"], "alice@example.test");
    assert_eq!(tab.body["sessions"], 2);
    assert_eq!(tab.body["two_factor"]["enabled"], true);
    assert_eq!(tab.body["two_factor"]["support"]["email"], "help@portal.test");
    assert_eq!(tab.body["two_factor"], alice.status().await);
}

on_both_engines!(the_version_moves_with_factors_and_with_nothing_else);
async fn the_version_moves_with_factors_and_with_nothing_else(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let version = async || alice.get(STATUS).await.header("etag").unwrap().trim_matches('"').parse::<u32>().unwrap();
    assert_eq!(version().await, 0);
    let id = alice.start_enrolment(json!({})).await;
    assert_eq!(version().await, 1);
    alice.confirm(&id, &alice.wrong_code()).await.is(403);
    assert_eq!(version().await, 1);
    let reply = alice.confirm(&id, &alice.fresh_code()).await.is(200);
    assert_eq!(reply.header("etag"), Some("\"2\""));
    alice.take_tokens(&reply, "/tokens");
    *alice.recovery_codes.borrow_mut() = reply.texts("/recovery_codes");
    alice.verify(&alice.fresh_code()).await.is(200);
    alice.elsewhere().login().await.is(200);
    alice.verify(&alice.wrong_code()).await.is(403);
    assert_eq!(version().await, 2);
    let code = alice.recovery_codes.borrow()[0].clone();
    alice.post("/account/security/2fa/verify", &json!({"recovery_code": code})).await.is(200);
    assert_eq!(version().await, 3);
}

on_both_engines!(the_log_tells_who_did_what_from_where, |config| config.trusted_proxies =
    vec!["127.0.0.1/32".parse().unwrap()]);
async fn the_log_tells_who_did_what_from_where(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let from = [("X-Forwarded-For", "2001:db8::7"), ("User-Agent", "Browser/1"), ("X-Request-Id", "req-42")];
    let reply = alice
        .send(
            "POST",
            "/account/security/2fa/disable",
            &from,
            Some(&json!({"password": alice.password, "reason": "switching_method"})),
        )
        .await
        .is(200);
    assert_eq!(reply.header("x-request-id"), Some("req-42"));
    alice.take_tokens(&reply, "/tokens");
    let event = alice.get(EVENTS).await.is(200).body["events"][0].clone();
    assert_eq!(event["type"], "two_factor.disabled");
    assert_eq!(event["ip"], "2001:db8::7");
    assert_eq!(event["user_agent"], "Browser/1");
    assert_eq!(event["request_id"], "req-42");
    assert_eq!(event["actor"]["kind"], "owner");
    assert_eq!(event["details"]["reason"], "switching_method");
    assert_eq!(event["at"], reply.body["disabled_at"]);
}

on_both_engines!(the_log_is_read_page_by_page);
async fn the_log_is_read_page_by_page(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..5 {
        alice.login().await.is(200);
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await;
        app.pass(60);
    }
    let whole = alice.get(&format!("{EVENTS}?limit=100")).await.is(200).body["events"].as_array().unwrap().clone();
    let (mut paged, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let from = cursor.as_str().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = alice.get(&format!("{EVENTS}?limit=3{from}")).await.is(200);
        paged.extend(page.body["events"].as_array().unwrap().clone());
        // What is recorded meanwhile moves nothing.
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await;
        cursor = page.body["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(paged, whole);
    for query in ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "page=2", "limit=1&limit=2"] {
        alice.get(&format!("{EVENTS}?{query}")).await.is(400).refuses("malformed-request");
    }
}

on_both_engines!(what_a_client_says_of_itself_stays_a_value);
async fn what_a_client_says_of_itself_stays_a_value(app: &TestApp) {
    let alice = app.person("alice").await;
    let agent = format!("Evil\u{1b}[31m \"}} {}", "x".repeat(400));
    let headers = [("User-Agent", agent.replace('\u{1b}', "\t")), ("X-Request-Id", "bad id!".into())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = app
        .send("POST", "/auth/login", &headers, Some(&json!({"email": alice.email, "password": alice.password})))
        .await
        .is(200);
    assert_ne!(reply.header("x-request-id"), Some("bad id!"));
    alice.take_tokens(&reply, "/tokens");
    let event = alice.get(EVENTS).await.body["events"][0].clone();
    assert!(event["user_agent"].as_str().unwrap().chars().count() <= 256);
    assert!(!event["user_agent"].as_str().unwrap().contains('\t'));
}
