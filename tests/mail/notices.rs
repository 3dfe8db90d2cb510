//! What a partner's contact is told.

use crate::{
    ALICE, installation, logged,
    post::{Post, header},
    serve,
    support::installation::{Served, text},
    with_mail,
};
use reqwest::Client;
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

/// Where a receiver is that is there no more, and says so.
fn gone() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    url
}

/// A partner's token.
async fn token(served: &Served, client: &Value) -> String {
    let form = Client::new()
        .post(format!("{}/oauth/token", served.base))
        .basic_auth(text(&client["id"]), Some(text(&client["secret"])))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    let token: Value = form.send().await.unwrap().json().await.unwrap();
    text(&token["access_token"])
}

#[actix_web::test]
async fn a_partner_whose_webhook_was_disabled_is_told_though_the_service_died_meanwhile() {
    let Some(installation) = installation() else { return };
    let add = ["client", "add", "--name", "Acme", "--scope", "webhooks:manage", "--all-accounts", "--json"];
    let client = installation.succeeds(&[&add[..], &["--contact", "ops@acme.example"]].concat());
    let client: Value = serde_json::from_str(&client).unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let served = installation.serve_with(|command| {
        with_mail(&installation, command, &format!("smtps://localhost:{}", nobody.port()));
        command.env("TWOFOLD_WEBHOOKS_PRIVATE", "true");
    });
    let token = token(&served, &client).await;
    let (status, added) = served.post("/partner/webhooks", &token, &json!({"url": gone()})).await;
    assert_eq!(status, 201, "{added}");
    let id = text(&added["webhook"]["id"]);
    served.set_up(ALICE).await;
    logged(&installation, "its client was not told");
    drop(served);

    let post = Post::open(&installation, 0, "smtps", "take", "ca");
    let _served = serve(&installation, &format!("smtps://localhost:{}", post.port));
    let began = Instant::now();
    let to_partner = || {
        let all = post.told("message");
        all.into_iter().filter(|message| message["to"] == json!(["ops@acme.example"])).collect::<Vec<_>>()
    };
    while to_partner().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(100), "{:?}", post.told("message"));
        thread::sleep(Duration::from_millis(100));
    }
    let message = &to_partner()[0];
    assert_eq!(header(message, "subject"), "A webhook of yours was disabled");
    let said = message["text"].as_str().unwrap();
    assert!(said.contains(&id) && said.contains("410 Gone") && !said.contains("127.0.0.1"), "{said}");
    assert!(said.contains("https://security.example.test/problems/webhook-disabled"), "{said}");
    assert!(!said.contains("your account"), "it is no owner who reads it: {said}");
    thread::sleep(Duration::from_secs(6));
    assert_eq!(to_partner().len(), 1);
}
