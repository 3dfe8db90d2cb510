//! Mail by the program as an operator runs it, through a real mail server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

mod codes;
mod notices;
mod post;
#[path = "../support/mod.rs"]
mod support;

use post::{Post, certify, header, python};
use serde_json::{Value, json};
use std::{
    net::TcpListener,
    process::Command,
    thread,
    time::{Duration, Instant},
};
use support::{
    installation::{Installation, PASSWORD, Served, code_in},
    person::DISABLE,
};

const ALICE: &str = "alice@example.test";

/// An installation with certificates and Alice; none where there is no mail server to send to.
fn installation() -> Option<Installation> {
    python()?;
    let installation = Installation::ready(None);
    certify(&installation);
    installation.add_account(ALICE);
    Some(installation)
}

fn with_mail(installation: &Installation, command: &mut Command, url: &str) {
    command
        .env("TWOFOLD_MAIL_URL", url)
        .env("TWOFOLD_MAIL_FROM", "Example Hosting <security@example.test>")
        .env("TWOFOLD_MAIL_CA", installation.path("ca.pem"))
        .env("TWOFOLD_PUBLIC_URL", "https://security.example.test");
}

fn serve(installation: &Installation, url: &str) -> Served {
    installation.serve_with(|command| with_mail(installation, command, url))
}

/// Waits until a log has a line with `part`.
fn logged(installation: &Installation, part: &str) -> String {
    let began = Instant::now();
    loop {
        let log = installation.logged();
        if log.contains(part) {
            return log;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no {part} in {log}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[actix_web::test]
async fn an_owner_who_did_not_switch_it_off_is_told_at_once_and_undoes_it() {
    let Some(installation) = installation() else { return };
    let post = Post::open(&installation, 0, "starttls", "take", "ca");
    let served = serve(&installation, &format!("smtp://localhost:{}", post.port));
    let (token, secret) = served.set_up(ALICE).await;
    post.wait("message", 1);
    let began = Instant::now();
    let (status, disabled) = served.post(DISABLE, &token, &json!({"password": PASSWORD})).await;
    assert_eq!(status, 200, "{disabled}");
    let message = post.wait("message", 2)[1].clone();
    println!("a change was in the mailbox {:.3} s after it was asked for", began.elapsed().as_secs_f64());
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!((&message["tls"], &message["to"]), (&json!(true), &json!([ALICE])));
    assert_eq!(header(&message, "subject"), "Two-factor authentication was switched off");
    assert_eq!(header(&message, "from"), "Example Hosting <security@example.test>");
    assert_eq!(header(&message, "auto-submitted"), "auto-generated");
    assert!(header(&message, "message-id").ends_with("@example.test>") && !header(&message, "date").is_empty());
    assert!(header(&message, "list-unsubscribe").is_empty(), "nobody unsubscribes from this");
    let text = message["text"].as_str().unwrap();
    let (_, link) = text.split_once("https://security.example.test/undo#").unwrap();
    let link = link.split_whitespace().next().unwrap();
    assert!(message["html"].as_str().unwrap().contains(&format!("/undo#{link}\"")));
    assert!(text.contains("127.0.0.0/24") && !text.contains("127.0.0.1"), "{text}");

    let undo = json!({"token": link, "new_password": "quite another password"});
    let (status, undone) = served.post("/account/security/2fa/undo", "", &undo).await;
    assert_eq!(status, 200, "{undone}");
    let login = json!({"email": ALICE, "password": "quite another password"});
    let (_, challenged) = served.post("/auth/login", "", &login).await;
    let answer = json!({"challenge": challenged["challenge"], "code": code_in(&secret, 1)});
    assert_eq!(served.post("/auth/login/second-factor", "", &answer).await.0, 200);
    let restored = post.wait("message", 3);
    assert_eq!(header(&restored[2], "subject"), "Two-factor authentication is on again");
    assert!(!installation.logged().contains(link), "a link is a secret");
}

/// What is sent where TLS cannot be had as demanded: nothing, not even to whom.
async fn tells_nothing(line: &str, scheme: &str, authority: &str, part: &str) {
    let Some(installation) = installation() else { return };
    let post = Post::open(&installation, 0, line, "take", authority);
    let served = serve(&installation, &format!("{scheme}://us:hunter2@localhost:{}", post.port));
    served.set_up(ALICE).await;
    let log = logged(&installation, "not delivered");
    assert!(log.contains(part), "{log}");
    assert!(!log.contains("hunter2") && !log.contains(ALICE), "{log}");
    assert_eq!((post.told("MAIL"), post.told("message")), (Vec::<Value>::new(), Vec::new()));
}

#[actix_web::test]
async fn a_server_with_a_strangers_certificate_is_told_nothing() {
    tells_nothing("starttls", "smtp", "other", "STARTTLS").await;
    tells_nothing("smtps", "smtps", "other", "connection").await;
}

#[actix_web::test]
async fn a_server_that_offers_no_tls_is_told_nothing() {
    tells_nothing("clear", "smtp", "ca", "STARTTLS is not supported").await;
}

#[actix_web::test]
async fn a_mail_server_that_is_down_holds_nobody_up_and_gets_the_mail_later_once() {
    let Some(installation) = installation() else { return };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let served = serve(&installation, &format!("smtps://localhost:{port}"));
    served.set_up(ALICE).await;
    logged(&installation, "not delivered");
    let post = Post::open(&installation, port, "smtps", "take", "ca");
    post.wait("message", 1);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(post.told("message").len(), 1);
}

#[actix_web::test]
async fn a_mail_that_may_have_arrived_comes_once_more_at_most_and_under_the_same_id() {
    let Some(installation) = installation() else { return };
    let post = Post::open(&installation, 0, "smtps", "drop", "ca");
    let served = serve(&installation, &format!("smtps://localhost:{}", post.port));
    served.set_up(ALICE).await;
    let messages = post.wait("message", 2);
    assert_eq!(header(&messages[0], "message-id"), header(&messages[1], "message-id"));
    thread::sleep(Duration::from_secs(2));
    assert_eq!(post.told("message").len(), 2);
}

#[actix_web::test]
async fn who_is_asked_to_come_later_does_and_a_mailbox_that_is_not_there_is_asked_once() {
    let Some(installation) = installation() else { return };
    let post = Post::open(&installation, 0, "smtps", "later", "ca");
    let served = serve(&installation, &format!("smtps://localhost:{}", post.port));
    let (token, _) = served.set_up(ALICE).await;
    post.wait("later", 1);
    post.wait("message", 1);
    drop(served);
    let post = Post::open(&installation, 0, "smtps", "nobody", "ca");
    let served = serve(&installation, &format!("smtps://localhost:{}", post.port));
    assert_eq!(served.post(DISABLE, &token, &json!({"password": PASSWORD})).await.0, 200);
    post.wait("nobody", 1);
    thread::sleep(Duration::from_secs(8));
    assert_eq!(post.told("nobody").len(), 1);
    assert!(!installation.logged().contains(ALICE));
}

#[actix_web::test]
async fn a_mailbox_that_is_full_is_asked_again() {
    let Some(installation) = installation() else { return };
    let post = Post::open(&installation, 0, "smtps", "full", "ca");
    let served = serve(&installation, &format!("smtps://localhost:{}", post.port));
    served.set_up(ALICE).await;
    post.wait("full", 1);
    post.wait("message", 1);
}

#[test]
fn an_operator_sends_a_test_and_is_told_what_is_wrong() {
    let Some(installation) = installation() else { return };
    let post = Post::open(&installation, 0, "starttls", "login", "ca");
    let test = |user: &str| {
        let mut command = installation.command();
        with_mail(&installation, &mut command, &format!("smtp://{user}@localhost:{}", post.port));
        command.args(["mail", "test", "--to", "bob@example.test"]).output().unwrap()
    };
    let sent = test("us%40here:p%3Aw%2Fd");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let message = &post.told("message")[0];
    assert_eq!(
        (header(message, "subject").as_str(), &message["to"]),
        ("A test of our mail", &json!(["bob@example.test"]))
    );
    assert_eq!(post.told("MAIL")[0]["user"], json!(true));
    let refused = test("us%40here:hunter2");
    let sentence = String::from_utf8_lossy(&refused.stderr);
    assert!(sentence.contains("AUTH was answered 535") && !sentence.contains("hunter2"), "{sentence}");
    for (url, part) in [
        ("smtp://mail.example.test?tls=none", "another machine"),
        ("smtp://localhost?tls=opportunistic", "on the way"),
        ("https://localhost", "smtps://"),
        ("nonsense", "no URL"),
    ] {
        let sentence = installation.refusal(|command| with_mail(&installation, command, url));
        assert!(sentence.contains(part), "{url}: {sentence}");
    }
}
