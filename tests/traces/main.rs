//! Traces, as a collector of OpenTelemetry gets them: what they say, what they never say, and that a collector that is
//! down or hangs changes nothing for anybody.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

mod collector;
#[path = "../support/mod.rs"]
mod support;

use collector::{attributes, hex, spans_with, taken};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use serde_json::json;
use std::{
    net::TcpListener,
    time::{Duration, Instant},
};
use support::{
    TestApp,
    installation::Installation,
    log,
    person::{LOGIN, Person, VERIFY},
};

const CALLER: &str = "00f067aa0ba902b7";

/// A trace of one test's own on one engine.
fn trace(app: &TestApp, number: u32) -> String {
    format!("4bf92f3577b34da6{number:08x}{:08x}", app.replicas())
}

/// A request whose sender keeps its own part of the trace.
async fn ask(alice: &Person<'_>, trace: &str, method: &str, path: &str, body: serde_json::Value) -> u16 {
    let line = format!("00-{trace}-{CALLER}-01");
    alice.send(method, path, &[("traceparent", &line)], Some(&body)).await.status
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:?}"))
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

on_both_engines!(a_request_is_a_span_in_its_callers_trace, |config| {
    config.otlp.endpoint = Some(collector::start());
});
async fn a_request_is_a_span_in_its_callers_trace(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (right, wrong) = (trace(app, 1), trace(app, 2));
    assert_eq!(ask(&alice, &right, "POST", VERIFY, json!({"code": alice.fresh_code()})).await, 200);
    let name = format!("POST {VERIFY}");
    let spans = spans_with(&right, &name).await;
    let request = named(&spans, &name);
    assert_eq!((request.kind, hex(&request.parent_span_id)), (SpanKind::Server as i32, CALLER.to_owned()));
    let said = |status| {
        [
            ("http.request.method", "POST"),
            ("http.response.status_code", status),
            ("http.route", VERIFY),
            ("url.scheme", "http"),
        ]
    };
    assert_eq!(attributes(&request.attributes), of(&said("200")));
    for part in ["read admit", "write verify"] {
        let part = named(&spans, part);
        assert_eq!((&part.parent_span_id, part.attributes.len()), (&request.span_id, 0));
        assert!(part.start_time_unix_nano >= request.start_time_unix_nano);
        assert!(part.end_time_unix_nano <= request.end_time_unix_nano);
    }
    let resource = collector::resource(&right);
    assert!(resource.contains(&("service.name".to_owned(), "twofold".to_owned())), "{resource:?}");

    assert_eq!(ask(&alice, &wrong, "POST", VERIFY, json!({"code": alice.wrong_code()})).await, 403);
    let spans = spans_with(&wrong, &name).await;
    let refused = named(&spans, &name);
    let expected = [said("403").as_slice(), &[("twofold.problem", "invalid-credential")]].concat();
    let mut expected = of(&expected);
    expected.sort();
    assert_eq!(attributes(&refused.attributes), expected);
    assert_eq!(refused.status.as_ref().map_or(0, |status| status.code), 0, "a refusal is no error of the server's");
}

on_both_engines!(a_span_names_nobody, |config| config.otlp.endpoint = Some(collector::start()));
async fn a_span_names_nobody(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (renamed, signed_in, nowhere) = (trace(app, 3), trace(app, 4), trace(app, 5));
    let id = alice.method.borrow().clone();
    let path = format!("/account/security/2fa/methods/{id}");
    assert_eq!(ask(&alice, &renamed, "PATCH", &path, json!({"label": "The old phone"})).await, 200);
    let credentials = json!({"email": alice.email, "password": alice.password});
    assert_eq!(ask(&alice, &signed_in, "POST", LOGIN, credentials).await, 200);
    let line = format!("00-{nowhere}-{CALLER}-01");
    app.send_unjudged("GET", "/alice@example.test", &[("traceparent", &line)], Vec::new()).await.is(404);

    let mut spans = spans_with(&renamed, "PATCH /account/security/2fa/methods/{id}").await;
    let login = spans_with(&signed_in, &format!("POST {LOGIN}")).await;
    let request = &named(&login, &format!("POST {LOGIN}")).span_id;
    assert_eq!(&named(&login, "password verify").parent_span_id, request);
    spans.extend(login);
    spans.extend(spans_with(&nowhere, "GET").await);
    let all = format!("{spans:?}{:?}", collector::resource(&renamed));
    let account = alice.get("/account/security/events?limit=1").await.is(200).text("/events/0/session_id");
    for word in ["alice", "example.test", "127.0.0.1", "The old phone", &id, &account] {
        assert!(!all.contains(word), "{word} is in {all}");
    }
}

on_both_engines!(who_keeps_no_trace_gets_none_and_who_has_none_begins_one, |config| {
    config.otlp.endpoint = Some(collector::start());
});
async fn who_keeps_no_trace_gets_none_and_who_has_none_begins_one(app: &TestApp) {
    let (unkept, later) = (trace(app, 6), trace(app, 7));
    for (trace, flags, id) in [(&unkept, "00", "unkept"), (&later, "01", "kept")] {
        let line = format!("00-{trace}-{CALLER}-{flags}");
        app.send("GET", "/problems", &[("traceparent", &line), ("X-Request-Id", id)], None).await.is(200);
    }
    let mine = format!("begun-{}", app.replicas());
    app.send("GET", "/problems", &[("X-Request-Id", &mine)], None).await.is(200);
    let lines = log::lines();
    let line = lines.lines().find(|line| line.contains(&format!("request_id={mine} "))).unwrap();
    let begun = line.split("trace_id=").nth(1).unwrap().split(' ').next().unwrap();
    let spans = spans_with(begun, "GET /problems").await;
    assert_eq!((spans.len(), spans[0].parent_span_id.len()), (1, 0), "the log names the trace that was begun");
    spans_with(&later, "GET /problems").await;
    // It was sent before the one that has come.
    assert_eq!(taken(&unkept), []);
}

#[actix_web::test]
async fn what_was_done_last_is_sent_before_the_program_ends() {
    let installation = Installation::ready(None);
    let endpoint = collector::start();
    let mut served = installation.serve_with(|serve| {
        serve.env("TWOFOLD_OTLP_ENDPOINT", &endpoint).env("TWOFOLD_OTLP_SERVICE_NAME", "portal-2fa");
    });
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = reqwest::Client::new().get(format!("{}/problems", served.base));
    let line = format!("00-{trace}-{CALLER}-01");
    assert_eq!(request.header("traceparent", line).send().await.unwrap().status(), 200);
    let ended = actix_web::rt::task::spawn_blocking(move || served.terminate()).await.unwrap();
    assert_eq!(ended, 0);
    let spans = taken(trace);
    assert_eq!(spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["GET /problems"]);
    assert!(collector::resource(trace).contains(&("service.name".to_owned(), "portal-2fa".to_owned())));
}

#[actix_web::test]
async fn a_collector_that_is_down_or_hangs_changes_nothing() {
    let down = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // It accepts, and answers nothing.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    for (address, is_down) in [(down, true), (hanging.local_addr().unwrap(), false)] {
        let installation = Installation::ready(None);
        installation.add_account("alice@example.test");
        let mut served = installation.serve_with(|serve| {
            serve.env("TWOFOLD_OTLP_ENDPOINT", format!("http://{address}"));
        });
        served.set_up("alice@example.test").await;
        if is_down {
            failed(&served.operations()).await;
        }
        let began = Instant::now();
        assert_eq!(served.login("alice@example.test").await["result"], "second_factor_required");
        assert_eq!(actix_web::rt::task::spawn_blocking(move || served.terminate()).await.unwrap(), 0);
        assert!(began.elapsed() < Duration::from_secs(10), "{address} held it up");
        let logged = installation.logged();
        let (told, sentence) = (|part| logged.matches(part).count(), "are not taken by the collector");
        assert_eq!(told(sentence), usize::from(is_down), "{logged}");
        assert_eq!(told("the last spans"), usize::from(!is_down), "{logged}");
    }
}

/// Waits until spans were counted that nobody took.
async fn failed(operations: &str) {
    let began = Instant::now();
    while !metrics(operations).await.contains("twofold_spans_total{fate=\"failed\"}") {
        assert!(began.elapsed() < Duration::from_secs(20), "no span has failed");
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn metrics(operations: &str) -> String {
    reqwest::get(format!("{operations}/metrics")).await.unwrap().text().await.unwrap()
}
