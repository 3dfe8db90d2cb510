//! Forged tokens: ten thousand of them, and whatever else passes for a token.

use crate::{
    forger::{Forger, Forgery},
    on_both_engines,
    support::{
        TestApp,
        dice::{self, Dice},
        document,
        installation::{Installation, text},
        person::{REFRESH, STATUS},
        reply::Reply,
    },
};
use futures_util::future::join_all;
use serde_json::json;
use std::{collections::BTreeSet, net::TcpListener};

/// Forged tokens that are tried in all.
const FORGERIES: usize = 10_000;
/// Requests in flight at once.
const STREAMS: usize = 16;
/// What a URL in a token names: nobody may come and fetch.
const CANARY: &str = "http://127.0.0.1";

/// Every operation that takes a bearer token: method and path.
pub fn operations() -> Vec<(String, String)> {
    let guarded = document::operations().into_iter().filter(|(.., operation)| document::takes_token(operation));
    let id = "0190a000-0000-7000-8000-000000000000";
    guarded
        .map(|(method, path, _)| (method, path.replace("{id}", id).replace("{sid}", id).replace("{n}", "1")))
        .collect()
}

async fn show(app: &TestApp, method: &str, path: &str, token: &str) -> Option<Reply> {
    let bearer = format!("Bearer {token}");
    let bearer = reqwest::header::HeaderValue::from_bytes(bearer.as_bytes()).ok()?;
    let headers = [("Authorization", bearer.to_str().unwrap_or_default()), ("Content-Type", "application/json")];
    (!headers[0].1.is_empty()).then_some(())?;
    Some(app.send_unjudged(method, path, &headers, b"{}".to_vec()).await)
}

/// Shows a forgery to one operation; it must be refused for what it is.
async fn is_refused(app: &TestApp, (method, path): &(String, String), forgery: &Forgery) {
    let Some(reply) = show(app, method, path, &forgery.token).await else { return };
    let is_refused = match reply.status {
        401 => reply.body["code"] == "invalid-token" && reply.header("www-authenticate").is_some(),
        // A head that is too long is refused unread.
        400 | 431 => reply.body.is_null() && forgery.token.len() > 4096,
        _ => false,
    };
    assert!(
        is_refused,
        "{method} {path} answered {} to {}: {} {}",
        reply.status, forgery.what, forgery.token, reply.body
    );
}

on_both_engines!(of_ten_thousand_forged_tokens_none_is_taken);
/// F01–F11, F14: whatever is wrong with a token, it opens nothing.
async fn of_ten_thousand_forged_tokens_none_is_taken(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await;
    bob.sign_in().await;
    let ended = alice.elsewhere();
    ended.sign_in().await;
    let forger = Forger::new(app, alice.access.borrow().clone());
    let claim = |token: &str, name: &str| Forger::new(app, token.to_owned()).claim(name);
    let theirs = bob.access.borrow().clone();
    let others = [
        ("sub", claim(&theirs, "sub")),
        ("sid", claim(&theirs, "sid")),
        ("sid", claim(&ended.access.borrow(), "sid")),
        ("sid", json!("0190a000-0000-7000-8000-000000000000")),
        ("epoch", json!(forger.claim("epoch").as_i64().unwrap() - 1)),
        ("epoch", json!(forger.claim("epoch").as_i64().unwrap() + 1)),
    ];
    ended.post("/auth/logout", &json!({})).await.is(204);

    let mut forgeries = forger.headers(CANARY);
    forgeries.extend(forger.claims(&others));
    forgeries.extend(forger.signatures());
    forgeries.extend(forger.forms(&theirs));
    let systematic = forgeries.len();
    let mut known: BTreeSet<String> = forgeries.iter().map(|forgery| forgery.token.clone()).collect();
    let mut dice = Dice::new(dice::seed());
    while forgeries.len() < FORGERIES {
        let forgery = forger.mutation(&mut dice);
        if forgery.token != forger.good && known.insert(forgery.token.clone()) {
            forgeries.push(forgery);
        }
    }
    println!("{systematic} forged on purpose, {} by chance", forgeries.len() - systematic);
    assert!(systematic > 250);

    show(app, "GET", STATUS, &forger.control()).await.unwrap().is(200);
    let operations = operations();
    let status = ("GET".to_owned(), STATUS.to_owned());
    let streams = forgeries.chunks(forgeries.len().div_ceil(STREAMS)).map(|stream| async {
        for (n, forgery) in stream.iter().enumerate() {
            is_refused(app, if n % 4 == 0 { &operations[n / 4 % operations.len()] } else { &status }, forgery).await;
        }
    });
    join_all(streams).await;
    show(app, "GET", STATUS, &forger.good).await.unwrap().is(200);
}

on_both_engines!(a_key_that_a_token_points_to_is_not_fetched);
/// F03: a token that says where its key is makes nobody go there.
async fn a_key_that_a_token_points_to_is_not_fetched(app: &TestApp) {
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    canary.set_nonblocking(true).unwrap();
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let forger = Forger::new(app, alice.access.borrow().clone());
    let url = format!("http://{}", canary.local_addr().unwrap());
    for forgery in forger.headers(&url) {
        is_refused(app, &("GET".into(), STATUS.into()), &forgery).await;
    }
    assert_eq!(canary.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody came");
}

/// F16: a key that is new signs, one that is old still opens, one that is gone opens nothing; no session ends.
#[actix_web::test]
async fn token_keys_are_rotated_without_ending_sessions() {
    let installation = Installation::ready(None);
    installation.add_account("alice@example.test");
    let old = installation.keys();
    let served = installation.serve();
    let login = served.login("alice@example.test").await;
    let (first, refresh) = (text(&login["tokens"]["access_token"]), login["tokens"]["refresh_token"].clone());
    drop(served);
    let mut both = old.clone();
    let added = Installation::new(None).keys()["signing"].as_array().unwrap().clone();
    both["signing"].as_array_mut().unwrap().splice(0..0, added.clone());
    installation.write_keys(&both);
    let served = installation.serve();
    assert_eq!(served.get(STATUS, &first).await.0, 200, "the old key still opens");
    let (status, renewed) = served.post(REFRESH, "", &json!({"refresh_token": refresh})).await;
    assert_eq!(status, 200, "{renewed}");
    let second = text(&renewed["access_token"]);
    let kid = |token: &str| Forger::header_of(token)["kid"].clone();
    assert_ne!(kid(&first), kid(&second), "the new key signs");
    drop(served);
    let mut new = old;
    new["signing"] = added.into();
    installation.write_keys(&new);
    let served = installation.serve();
    assert_eq!((served.get(STATUS, &first).await.0, served.get(STATUS, &second).await.0), (401, 200));
}
