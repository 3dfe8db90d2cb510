//! SMS by the program as an operator runs it, through a real gateway.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

mod exchange;
mod kannel;
#[path = "../support/mod.rs"]
mod support;

use exchange::{ACCOUNT, Exchange, TOKEN};
use kannel::Kannel;
use serde_json::json;
use std::{
    net::TcpListener,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};
use support::{
    codes::SMS_PATH,
    installation::{Installation, PASSWORD, Served, text},
};

const ALICE: &str = "alice@example.test";
const NUMBER: &str = "+60 12-345 6789";

fn with_sms(command: &mut Command, gateway: &str, url: &str, who: (&str, &str)) {
    command
        .env("TWOFOLD_SMS_GATEWAY", gateway)
        .env("TWOFOLD_SMS_URL", url)
        .env("TWOFOLD_SMS_USER", who.0)
        .env("TWOFOLD_SMS_PASSWORD", who.1)
        .env("TWOFOLD_SMS_FROM", "Example")
        .env("TWOFOLD_SMS_ORIGIN", "portal.example");
}

/// What `sms test` says.
fn tried(gateway: &str, url: &str, who: (&str, &str), to: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twofold"));
    with_sms(command.env_clear(), gateway, url, who);
    command.args(["sms", "test", "--to", to]).output().unwrap()
}

/// The sentence with which it fails; nothing secret is in it.
fn sentence(output: &Output) -> String {
    let sentence = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), sentence.lines().count()), (Some(1), 1), "{sentence}");
    assert!(!sentence.contains("6789") && !sentence.contains("hunter2"), "{sentence}");
    sentence
}

#[test]
fn an_operator_sends_a_test_through_kannel() {
    let Some(kannel) = Kannel::open() else { return };
    let sent = tried("kannel", &kannel.url, (kannel::USER, kannel::SECRET), NUMBER);
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    assert!(String::from_utf8_lossy(&sent.stdout).contains("+60 •••• ••89"));
    let expected = "Example +60123456789 text Customer Portal sent this to see whether SMS arrive. They do.";
    assert_eq!(kannel.wait(1), [expected]);
    let refused = tried("kannel", &kannel.url, (kannel::USER, "hunter2"), NUMBER);
    assert!(sentence(&refused).contains("the gateway answered 403"));
    assert_eq!(kannel.wait(1).len(), 1);
}

#[test]
fn an_operator_sends_a_test_through_whoever_speaks_like_twilio() {
    let exchange = Exchange::open(201, "{\"sid\": \"SM1\", \"status\": \"queued\"}");
    let sent = tried("twilio", &exchange.url, (ACCOUNT, TOKEN), NUMBER);
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let asked = &exchange.asked()[0];
    assert_eq!(asked.line, format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1"));
    assert_eq!(asked.authorization, Some((ACCOUNT.to_owned(), TOKEN.to_owned())));
    assert_eq!((asked.member("To"), asked.member("From")), ("+60123456789", "Example"));
    assert_eq!(asked.member("Body"), "Customer Portal sent this to see whether SMS arrive. They do.");
    for (status, answer, part) in [
        (400, "{\"code\": 21211, \"message\": \"The 'To' number +60123456789 is not valid\"}", "400 (error 21211)"),
        (401, "{\"code\": 20003, \"message\": \"Authenticate hunter2\"}", "401 (error 20003)"),
        (503, "busy with +60123456789", "the gateway answered 503"),
        (302, "", "elsewhere"),
    ] {
        let exchange = Exchange::open(status, answer);
        let refused = tried("twilio", &exchange.url, (ACCOUNT, "hunter2"), NUMBER);
        let sentence = sentence(&refused);
        assert!(sentence.contains(part), "{sentence}");
        assert_eq!(exchange.asked().len(), 1, "who asks again pays twice");
    }
}

/// The code in the line of an SMS that tells one.
fn code_of(line: &str) -> String {
    let text = line.strip_prefix("Example +60123456789 text ").unwrap_or_else(|| panic!("{line}"));
    assert_eq!(&text[8..], " is your code for Customer Portal, good for 10 minutes. We never ask you for it.");
    text[..8].to_owned()
}

#[actix_web::test]
async fn somebody_confirms_a_telephone_by_a_code_that_came_through_kannel() {
    let Some(kannel) = Kannel::open() else { return };
    let installation = Installation::ready(None);
    installation.add_account(ALICE);
    let served =
        installation.serve_with(|command| with_sms(command, "kannel", &kannel.url, (kannel::USER, kannel::SECRET)));
    let token = text(&served.login(ALICE).await["tokens"]["access_token"]);
    let began = Instant::now();
    let body = json!({"password": PASSWORD, "phone": NUMBER});
    let (status, started) = served.post(SMS_PATH, &token, &body).await;
    assert_eq!((status, &started["sent_to"]), (201, &json!("+60 •••• ••89")), "{started}");
    // The centre takes each line for an SMS of its own.
    let lines = kannel.wait(2);
    println!("a code was at the centre {:.3} s after it was asked for", began.elapsed().as_secs_f64());
    let code = code_of(&lines[0]);
    assert_eq!(lines[1], format!("@portal.example #{code}"));
    let confirm = format!("{SMS_PATH}/{}/confirm", text(&started["id"]));
    let (status, confirmed) = served.post(&confirm, &token, &json!({"code": code})).await;
    assert_eq!((status, &confirmed["status"]["methods"][0]["type"]), (200, &json!("sms")), "{confirmed}");
    let log = installation.logged();
    assert!(!log.contains(&code) && !log.contains("3456789"), "{log}");
    assert!(metrics(&served).await.contains("twofold_sms_sent_total{result=\"taken\"} 1"));
}

#[actix_web::test]
async fn a_gateway_that_refuses_is_told_in_log_and_metrics_and_not_asked_again() {
    let answer = "{\"code\": 21610, \"message\": \"+60123456789 wants nothing of us\"}";
    let exchange = Exchange::open(400, answer);
    let installation = Installation::ready(None);
    installation.add_account(ALICE);
    let served = installation.serve_with(|command| with_sms(command, "twilio", &exchange.url, (ACCOUNT, "hunter2")));
    let token = text(&served.login(ALICE).await["tokens"]["access_token"]);
    let body = json!({"password": PASSWORD, "phone": NUMBER});
    assert_eq!(served.post(SMS_PATH, &token, &body).await.0, 201, "nobody knows yet that it cannot be sent");
    let began = Instant::now();
    while !metrics(&served).await.contains("twofold_sms_sent_total{result=\"refused\"} 1") {
        assert!(began.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(50));
    }
    thread::sleep(Duration::from_secs(2));
    let asked = exchange.asked();
    assert_eq!(asked.len(), 1, "who asks again pays twice");
    let life: u32 = asked[0].member("ValidityPeriod").parse().unwrap();
    assert!((590..=600).contains(&life), "{life}");
    let log = installation.logged();
    assert!(log.contains("an SMS is not sent: the gateway answered 400 (error 21610)"), "{log}");
    for secret in [&asked[0].member("Body")[..8], "3456789", "hunter2"] {
        assert!(!log.contains(secret), "{log}");
    }
}

async fn metrics(served: &Served) -> String {
    reqwest::get(format!("{}/metrics", served.operations())).await.unwrap().text().await.unwrap()
}

#[test]
fn an_operator_is_told_what_is_wrong() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = tried("twilio", &format!("http://127.0.0.1:{port}"), (ACCOUNT, "hunter2"), NUMBER);
    assert!(sentence(&refused).contains("cannot be reached"));
    let refused = tried("twilio", "http://127.0.0.1:1", (ACCOUNT, "hunter2"), "+1 900 555 0199");
    assert!(sentence(&refused).contains("not that of a mobile telephone"));
    let installation = Installation::ready(None);
    let refusal = installation.refusal(|command| with_sms(command, "pigeon", "https://sms.example", ("us", "hunter2")));
    assert!(refusal.contains("kannel") && !refusal.contains("hunter2"), "{refusal}");
    let mut command = installation.command();
    with_sms(&mut command, "kannel", "https://sms.example/cgi-bin/sendsms", ("us", "hunter2"));
    let shown = String::from_utf8(command.args(["config", "show"]).output().unwrap().stdout).unwrap();
    assert!(shown.contains("sms.password = \"***\"  # TWOFOLD_SMS_PASSWORD"), "{shown}");
    assert!(!shown.contains("hunter2"));
}
