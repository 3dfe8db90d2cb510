//! The service is killed while it tells others: what was announced is told, each event under one id.

use super::times;
use crate::support::{
    behind,
    dice::{self, Dice},
    fresh_database,
    installation::{Installation, PASSWORD, Served, text},
    person::DISABLE,
};
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

type Told = Arc<Mutex<Vec<(String, String)>>>;

/// A receiver that writes down under which id it was told what, and then takes some time to say so: the moment in
/// which a kill leaves it in doubt.
fn receiver() -> (String, Told) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let told = Told::default();
    let log = told.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let log = log.clone();
            thread::spawn(move || while take(stream.as_ref().unwrap(), &log).is_some() {});
        }
    });
    (url, told)
}

fn take(mut stream: &TcpStream, log: &Told) -> Option<()> {
    let (mut reader, mut headers) = (BufReader::new(stream), BTreeMap::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end() {
            "" => break,
            line => line.split_once(": ").map(|(name, value)| headers.insert(name.to_owned(), value.to_owned())),
        };
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    log.lock().unwrap().push((headers.get("webhook-id")?.clone(), String::from_utf8(body).ok()?));
    thread::sleep(Duration::from_millis(20));
    write!(stream, "HTTP/1.1 204 None\r\n\r\n").ok()
}

/// Adds a webhook of a client that sees every account.
async fn subscribe(installation: &Installation, served: &Served, url: &str) {
    let add = ["client", "add", "--name", "Acme", "--scope", "webhooks:manage", "--all-accounts", "--json"];
    let client: Value = serde_json::from_str(&installation.succeeds(&add)).unwrap();
    let basic = BASE64.encode(format!("{}:{}", text(&client["id"]), text(&client["secret"])).as_bytes());
    let request = reqwest::Client::new()
        .post(format!("{}/oauth/token", served.base))
        .header("Authorization", format!("Basic {basic}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    let token: Value = request.send().await.unwrap().json().await.unwrap();
    let (status, added) = served.post("/partner/webhooks", &text(&token["access_token"]), &json!({ "url": url })).await;
    assert_eq!(status, 201, "{added}");
}

fn private(command: &mut Command) {
    command.env("TWOFOLD_WEBHOOKS_PRIVATE", "true");
}

/// Somebody switches two-factor authentication on and off until the service is gone.
async fn live(served: &Served, email: &str) {
    let (token, _) = served.set_up(email).await;
    let _ = served.post(DISABLE, &token, &json!({"password": PASSWORD})).await;
}

async fn kill_while_it_tells(database_url: Option<String>, cycles: u32) {
    let (installation, (url, told)) = (Installation::ready(database_url), receiver());
    let mut dice = Dice::new(dice::seed());
    let mut served = installation.serve_with(private);
    subscribe(&installation, &served, &url).await;
    for cycle in 0..cycles {
        let emails: Vec<String> = (0..4).map(|n| format!("customer{cycle}-{n}@example.test")).collect();
        emails.iter().for_each(|email| drop(installation.add_account(email)));
        for email in &emails {
            live(&served, email).await;
        }
        actix_web::rt::time::sleep(Duration::from_millis(dice.below(120))).await;
        served.child.kill().unwrap();
        served.child.wait().unwrap();
        served = installation.serve_with(private);
    }
    // What was in hand when a process died is due when its lease ends; nobody waits for that here.
    let url = &installation.database_url;
    let began = Instant::now();
    while behind::count_in(url, "announcement WHERE position IS NULL") > 0
        || behind::count_in(url, "delivery WHERE state <> 'delivered'") > 0
    {
        assert!(began.elapsed() < Duration::from_secs(60), "something is not told");
        behind::tamper_with(url, "UPDATE delivery SET due_at = created_at WHERE state = 'waiting' AND attempts > 0");
        actix_web::rt::time::sleep(Duration::from_millis(2000)).await;
    }
    judge(&told.lock().unwrap(), url, i64::from(cycles) * 8);
}

/// Every event was told at least once, under one id each, and nothing else was.
fn judge(told: &[(String, String)], url: &str, events: i64) {
    let ids: BTreeSet<&str> = told.iter().map(|(id, _)| id.as_str()).collect();
    let bodies: BTreeSet<&str> = told.iter().map(|(_, body)| body.as_str()).collect();
    assert_eq!(ids.len() as i64, events, "events that were told, by their ids");
    assert_eq!(bodies.len() as i64, events, "and by what they say: no event has two ids");
    for id in &ids {
        assert_eq!(behind::count_in(url, &format!("announcement WHERE id = '{id}' AND position IS NOT NULL")), 1);
    }
    println!("{events} events, {} deliveries, {} of them again", told.len(), told.len() - ids.len());
}

#[actix_web::test]
async fn what_is_announced_is_told_at_least_once_and_under_one_id_on_sqlite() {
    kill_while_it_tells(None, times(4, 300)).await;
}

#[actix_web::test]
async fn what_is_announced_is_told_at_least_once_and_under_one_id_on_postgres() {
    let Some(database_url) = fresh_database() else { return };
    kill_while_it_tells(Some(database_url), times(4, 300)).await;
}
