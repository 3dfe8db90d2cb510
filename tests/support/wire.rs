//! Bytes on a socket: requests that no well-behaved client sends.

use super::TestApp;
use actix_web::rt::task::spawn_blocking;
use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

/// Nobody waits longer than this for a service that should have answered or closed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One answer, as it came over the wire.
#[derive(Clone, Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl RawAnswer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// What became of a connection.
#[derive(Debug)]
pub struct Exchange {
    pub answers: Vec<RawAnswer>,
    /// Whether the service closed it.
    pub is_closed: bool,
    /// How many bytes could be sent.
    pub sent: usize,
    pub took: Duration,
}

impl Exchange {
    /// The statuses of the answers, in order.
    pub fn statuses(&self) -> Vec<u16> {
        self.answers.iter().map(|answer| answer.status).collect()
    }
}

/// Connects to one of those who answer.
pub fn connect(base: &str) -> TcpStream {
    let stream = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes, says that there will be no more, and reads all answers.
pub async fn send(app: &TestApp, bytes: impl Into<Vec<u8>>) -> Exchange {
    exchange(app.base(), bytes.into(), true).await
}

/// Sends bytes, stays on the line, and reads until the service closes.
pub async fn send_and_stay(app: &TestApp, bytes: impl Into<Vec<u8>>) -> Exchange {
    exchange(app.base(), bytes.into(), false).await
}

/// One connection from its beginning to its end.
pub async fn exchange(base: &str, bytes: Vec<u8>, hangs_up: bool) -> Exchange {
    let base = base.to_owned();
    spawn_blocking(move || {
        let began = Instant::now();
        let mut stream = connect(&base);
        let sent = write_what_is_taken(&mut stream, &bytes);
        if hangs_up {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let (text, is_closed) = read_to_end(&mut stream);
        Exchange { answers: answers(&text), is_closed, sent, took: began.elapsed() }
    })
    .await
    .unwrap()
}

/// Writes until all is written or nobody takes it any more; how much that was.
pub fn write_what_is_taken(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(0) | Err(_) => break,
            Ok(count) => sent += count,
        }
    }
    sent
}

/// Everything that comes, and whether the other end closed.
pub fn read_to_end(stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let (mut text, mut part) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut part) {
            Ok(0) => return (text, true),
            Ok(count) => text.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return (text, true),
            Err(_) => return (text, false),
        }
    }
}

/// Takes a stream of answers apart.
pub fn answers(mut text: &[u8]) -> Vec<RawAnswer> {
    let mut found = Vec::new();
    while let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = String::from_utf8(text[..end].to_vec()).unwrap();
        text = &text[end + 4..];
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = RawAnswer { status, head, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        assert!(answer.header("transfer-encoding").is_none(), "our answers have a length: {}", answer.head);
        let length = std::cmp::min(length, text.len());
        answer.body = text[..length].to_vec();
        text = &text[length..];
        found.push(answer);
    }
    assert!(text.is_empty(), "no answer: {}", String::from_utf8_lossy(text));
    found
}

/// A whole request with a JSON body and a token, the last of its connection.
pub fn request(method: &str, path: &str, token: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
