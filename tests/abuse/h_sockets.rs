//! H01-H03, H05, H15: sockets that send too much, too slowly, or nothing at all.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{DISABLE, STATUS},
        wire,
    },
};
use actix_web::rt::task::spawn_blocking;
use rustix::process::{Resource, getrlimit};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

const KIB: usize = 1024;
/// A head that takes longer than five seconds is not waited for; the rest is the machine's.
const CLOSED_WITHIN: Duration = Duration::from_secs(8);

fn head(method: &str, path: &str, token: &str, lines: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\n{lines}\r\n\r\n"
    )
}

fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

on_both_engines!(a_body_that_is_too_long_is_not_read);
/// H01: whoever reads whatever is sent can be filled up by anybody.
async fn a_body_that_is_too_long_is_not_read(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let token = alice.access.borrow().clone();
    // It would be the right password, if anybody read on.
    let right = json!({"password": alice.password}).to_string();
    let long = format!("{right}{}", " ".repeat(17 * KIB - right.len()));
    let length = |length: usize| head("POST", DISABLE, &token, &format!("Content-Length: {length}"));
    let coded = head("POST", DISABLE, &token, "Transfer-Encoding: chunked");
    let cases = [
        (length(long.len()) + &long, 413, "with its length"),
        (coded.clone() + &chunked(&long), 413, "in chunks"),
        (length(17 * KIB), 413, "announced and not sent"),
        (length(100_000_000) + &right, 413, "announced far too long"),
        (length(right.len() - 1) + &right, 400, "longer than it says"),
        (length(right.len() + 1) + &right, 400, "shorter than it says, and no more comes"),
    ];
    for (bytes, status, what) in cases {
        let exchange = wire::send(app, bytes).await;
        let first = &exchange.answers[0];
        assert_eq!(first.status, status, "{what}");
        assert!(exchange.answers[1..].iter().all(|answer| answer.status == 400), "{what}: {exchange:?}");
        assert!(exchange.is_closed && exchange.took < Duration::from_secs(4), "{what}: {exchange:?}");
        assert_eq!(alice.status().await["enabled"], true, "{what}");
    }
    // Of a hundred megabytes in chunks, the answer waits for no more than the limit. The framework reads what
    // comes after that and throws it away; the sender, who has its answer, breaks off.
    let begun = coded + &format!("{:x}\r\n", 100_000_000) + &"x".repeat(64 * KIB);
    let mut stream = wire::connect(app.base());
    let (start, took) = spawn_blocking(move || {
        let (began, mut start) = (Instant::now(), [0; 12]);
        stream.write_all(begun.as_bytes()).unwrap();
        stream.read_exact(&mut start).unwrap();
        (start, began.elapsed())
    })
    .await
    .unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(alice.status().await["enabled"], true);
}

on_both_engines!(a_body_made_to_tire_a_parser_is_refused);
/// H02: a few kilobytes that cost a parser its stack or a second of work are the cheapest attack there is.
async fn a_body_made_to_tire_a_parser_is_refused(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let nested = |open: &str, depth: usize| format!("{{\"password\": {}", open.repeat(depth));
    let cases = [
        (nested("[", 100_000), 413),
        (nested("[", 16_000), 400),
        (nested("{\"a\":", 3_000), 400),
        (format!("{{\"password\": [{}0]}}", "0,".repeat(1_000_000)), 413),
        (format!("{{\"password\": [{}0]}}", "0,".repeat(8_000)), 400),
        (format!("{{\"password\": {}}}", "9".repeat(1_000_000)), 413),
        (format!("{{\"password\": {}}}", "9".repeat(16_000)), 400),
        (format!("{{\"password\": 1e{}}}", "9".repeat(16_000)), 400),
        (format!("{{\"password\": 0.{}e-999999}}", "1".repeat(16_000)), 400),
        ("{\"pass\\u0000word\": \"x\"}".into(), 400),
        ("{\"\\u0000\": \"x\", \"password\": \"x\"}".into(), 400),
        (format!("{{{}\"password\": \"x\"}}", "\"a\": 1, ".repeat(1_900)), 400),
        (format!("{{\"password\": \"{}\"", "\\u0041".repeat(2_700)), 400),
    ];
    for (body, status) in cases {
        let request = wire::request("POST", DISABLE, &alice.access.borrow(), &body);
        assert_eq!(wire::send(app, request).await.statuses(), [status], "{:.60}", body);
    }
    let wrong = alice.post(DISABLE, &json!({"password": "wrong password"})).await.is(403);
    assert_eq!(wrong.body["attempts_remaining"], 4, "nothing was paid");
}

on_both_engines!(a_head_out_of_all_proportion_is_refused);
/// H05: a head is read before anybody is asked for a token.
async fn a_head_out_of_all_proportion_is_refused(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let token = alice.access.borrow().clone();
    let line = |length: usize| format!("X-Long: {}", "x".repeat(length));
    let many = |count: usize| (0..count).map(|n| format!("X-{n}: y")).collect::<Vec<_>>().join("\r\n");
    let body = json!({"password": alice.password}).to_string();
    let cases: [(String, &[u16]); 7] = [
        (head("POST", DISABLE, &token, &line(1_000_000)), &[431]),
        (head("POST", DISABLE, &token, &many(1_000)), &[431]),
        (head("POST", DISABLE, &token, &many(95)), &[431]),
        (head("POST", &format!("{DISABLE}/{}", "x".repeat(64 * KIB)), &token, "X: y"), &[400]),
        (head("POST", &format!("/{}", "x".repeat(1_000_000)), &token, "X: y"), &[431]),
        (head("POST", &format!("{DISABLE}?{}", "x".repeat(64 * KIB)), &token, "X: y"), &[400]),
        (head(&"X".repeat(200_000), DISABLE, &token, "X: y"), &[431]),
    ];
    for (head, statuses) in cases {
        let exchange = wire::send(app, head.clone() + &body).await;
        assert_eq!(exchange.statuses(), statuses, "{head:.60} {}", head.len());
        assert!(exchange.is_closed, "{head:.60}");
        assert_eq!(alice.status().await["enabled"], true, "{head:.60}");
    }
}

/// Dials and then sends a byte of the head a second, or nothing, until it is cut off; how long that took.
fn dawdle(mut stream: TcpStream, head: &[u8]) -> Duration {
    let began = Instant::now();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut bytes = head.iter();
    let mut buffer = [0; 1024];
    while began.elapsed() < Duration::from_secs(30) {
        match stream.read(&mut buffer) {
            Ok(0) => return began.elapsed(),
            Ok(_) => continue,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return began.elapsed(),
        }
        if let Some(byte) = bytes.next() {
            let _ = stream.write_all(&[*byte]);
        }
    }
    began.elapsed()
}

on_both_engines!(who_sends_a_head_by_the_byte_or_not_at_all_is_cut_off);
/// H03: fifty sockets that hold on cost an attacker nothing; they must cost the service little, and not for long.
async fn who_sends_a_head_by_the_byte_or_not_at_all_is_cut_off(app: &TestApp) {
    let kinds: [(&[u8], &[u8]); 3] =
        [(b"", b""), (b"", b"GET / HTTP/1.1\r\nHost: x\r\nX: y"), (b"GET / HTTP/1.1\r\n", b"X: yyyyyyyyyyyy")];
    let holding: Vec<_> = (0..51)
        .map(|n| {
            let (at_once, slowly) = kinds[n % kinds.len()];
            let mut stream = wire::connect(app.base());
            stream.write_all(at_once).unwrap();
            spawn_blocking(move || (n, dawdle(stream, slowly)))
        })
        .collect();
    let waiting = AtomicUsize::new(holding.len());
    let probing = async {
        while waiting.load(Ordering::SeqCst) > 0 {
            let began = Instant::now();
            let alive = reqwest::get(format!("{}/livez", app.operations())).await.unwrap().status();
            assert_eq!(alive, 200);
            assert!(began.elapsed() < Duration::from_secs(2), "alive after {:?}", began.elapsed());
            app.get(STATUS).await.is(401);
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ended = async {
        for one in holding {
            let (n, took) = one.await.unwrap();
            assert!(took < CLOSED_WITHIN, "socket {n} was held for {took:?}");
            waiting.fetch_sub(1, Ordering::SeqCst);
        }
    };
    futures_util::future::join(probing, ended).await;
}

on_both_engines!(two_thousand_idle_connections_keep_nobody_out);
/// H15: browsers keep their connections open, and so do attackers.
async fn two_thousand_idle_connections_keep_nobody_out(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    // Both ends of each are ours.
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let idle: Vec<TcpStream> = (0..2_000.min(files.saturating_sub(500) / 2))
        .map(|_| {
            let mut stream = wire::connect(app.base());
            stream.write_all(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let replies = futures_util::future::join_all((0..200).map(|_| alice.get(STATUS))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    for mut stream in idle {
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
    }
}
