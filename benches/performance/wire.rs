//! HTTP/1.1 as the load needs it: requests made ready beforehand, and answers of which only the status and
//! the end matter. Nothing is allocated for an answer, since load and service share the cores.

use super::Outcome;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Nobody waits for an answer for longer: whoever gets none by then is counted as unanswered.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than any answer of the service.
const ROOM: usize = 64 * 1024;

/// A connection that is kept alive.
pub struct Connection {
    /// The socket, for those who wait on many.
    pub stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// What an answer said.
#[derive(Clone, Copy)]
pub struct Reply {
    /// The status.
    pub status: u16,
    start: usize,
    end: usize,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; ROOM], filled: 0 })
    }

    /// Sends a request; the answer to the one before has been read.
    pub fn send(&mut self, request: &[u8]) -> Outcome<()> {
        self.filled = 0;
        Ok(self.stream.write_all(request)?)
    }

    /// Reads what is there; tells the answer once it is complete.
    pub fn receive(&mut self) -> Outcome<Option<Reply>> {
        let read = self.stream.read(&mut self.buffer[self.filled..])?;
        if read == 0 {
            return Err("the service closed a connection".into());
        }
        self.filled += read;
        Ok(complete(&self.buffer[..self.filled]))
    }

    /// Sends a request and waits for its answer.
    pub fn exchange(&mut self, request: &[u8]) -> Outcome<Reply> {
        self.send(request)?;
        loop {
            if let Some(reply) = self.receive()? {
                return Ok(reply);
            }
        }
    }

    /// The body of an answer.
    pub fn body(&self, reply: Reply) -> &[u8] {
        &self.buffer[reply.start..reply.end]
    }
}

/// Looks for a head and for as much body as it announces.
fn complete(bytes: &[u8]) -> Option<Reply> {
    let head_ends = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = &bytes[..head_ends];
    let status = std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()?;
    let length = head.split(|byte| *byte == b'\n').find_map(content_length).unwrap_or(0);
    let (start, end) = (head_ends + 4, head_ends + 4 + length);
    (bytes.len() >= end).then_some(Reply { status, start, end })
}

fn content_length(line: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    if !name.eq_ignore_ascii_case(NAME) {
        return None;
    }
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

/// A request without a body.
pub fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench.test\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// A request with a JSON body, and a token where one is given.
pub fn post(path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench.test\r\n{authorization}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
