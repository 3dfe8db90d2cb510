//! The portal's identity provider when it fails: the keys that came last stay, and nothing else is fetched.

use actix_web::rt;
use jiff::Timestamp;
use serde_json::json;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use twofold::{
    crypto::{
        issuer::{Issuer, Trust},
        keyfile::{KeyFile, SigningAlgorithm},
        keyring::Keyring,
    },
    worker::issuer::{Source, follow},
};

/// A provider that answers every request with the same bytes.
struct Provider {
    address: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    fn start(answer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (answer, asked) = (Arc::new(Mutex::new(answer)), Arc::new(AtomicUsize::new(0)));
        let (given, counted) = (answer.clone(), asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = given.lock().unwrap().clone();
                reply(stream.unwrap(), &answer);
            }
        });
        Self { address, answer, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn reply(mut stream: TcpStream, answer: &[u8]) {
    let _ = stream.read(&mut [0; 4096]);
    // Whoever stops to listen has heard enough.
    let _ = stream.write_all(answer);
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

struct Keys(Keyring);

impl Keys {
    fn new() -> Self {
        Self(Keyring::new(&KeyFile::generate(SigningAlgorithm::Es256, false).unwrap()).unwrap())
    }

    fn token(&self) -> String {
        use data_encoding::BASE64URL_NOPAD;
        let key = &self.0.signer.keys[0];
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.id}).to_string();
        let claims =
            json!({"iss": "https://login.test", "aud": "us", "sub": "alice", "iat": 1000, "exp": 2000}).to_string();
        let message = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes())).join(".");
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key.private, key.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

fn issuer() -> Arc<Issuer> {
    let (name, audience) = ("https://login.test".into(), "us".into());
    let (algorithm, token_type) = ("ES256".into(), "at+jwt".into());
    Arc::new(Issuer::new(Trust { issuer: name, audience, algorithm, token_type, aal2: Vec::new() }).unwrap())
}

async fn takes(issuer: &Issuer, token: &str) -> bool {
    matches!(issuer.check(token, Timestamp::from_second(1500).unwrap()).await, Ok(Some(_)))
}

/// Follows a provider that was well once; then it fails, and a token of a key that is not known makes it be asked.
async fn survives(what: &str, fault: impl FnOnce(&Keys) -> Vec<u8>) {
    let (good, later) = (Keys::new(), Keys::new());
    let provider = Provider::start(http("200 OK", "", &good.0.signer.jwks));
    let issuer = issuer();
    let source = Source::parse(&format!("http://{}/keys", provider.address));
    let following = rt::spawn(follow(issuer.clone(), source));
    assert!(takes(&issuer, &good.token()).await, "{what}: the first request waits for the keys");
    *provider.answer.lock().unwrap() = fault(&later);
    assert!(!takes(&issuer, &later.token()).await, "{what}: the new key");
    assert_eq!(provider.asked(), 2, "{what}: asked once for the new key");
    assert!(takes(&issuer, &good.token()).await, "{what}: the key that came last");
    following.abort();
}

#[actix_web::test]
async fn the_last_good_keys_stay_while_the_provider_fails() {
    survives("an error with keys in it", |later| http("500 Oops", "", &later.0.signer.jwks)).await;
    survives("no keys", |_| http("200 OK", "", "<html>maintenance</html>")).await;
    survives("half an answer", |later| {
        let mut answer = http("200 OK", "", &later.0.signer.jwks);
        answer.truncate(answer.len() - 1);
        answer
    })
    .await;
    survives("nothing", |_| Vec::new()).await;
    survives("too much", |later| http("200 OK", "", &format!("{}{}", " ".repeat(65 * 1024), later.0.signer.jwks)))
        .await;
    survives("too many", |later| {
        let mut set: serde_json::Value = serde_json::from_str(&later.0.signer.jwks).unwrap();
        let key = set["keys"][0].clone();
        set["keys"] = vec![key; 51].into();
        http("200 OK", "", &set.to_string())
    })
    .await;
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Arc::new(Mutex::new(None));
    let kept = elsewhere.clone();
    survives("a redirect to keys", move |later| {
        let other = Provider::start(http("200 OK", "", &later.0.signer.jwks));
        let to = format!("Location: http://{}/keys\r\n", other.address);
        *kept.lock().unwrap() = Some(other);
        http("302 Found", &to, "")
    })
    .await;
    assert_eq!(elsewhere.lock().unwrap().as_ref().unwrap().asked(), 0);
}

#[actix_web::test]
async fn a_provider_that_keeps_silent_costs_five_seconds_and_no_more() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = issuer();
    let source = Source::parse(&format!("http://{}/keys", silent.local_addr().unwrap()));
    let following = rt::spawn(follow(issuer.clone(), source));
    let token = Keys::new().token();
    let check = issuer.check(&token, Timestamp::from_second(1500).unwrap());
    let answer = tokio::time::timeout(Duration::from_secs(8), check).await.unwrap();
    assert!(answer.is_err(), "whoever cannot know says so");
    following.abort();
}
