//! Somebody who takes SMS as Twilio does.

use data_encoding::BASE64;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "t:o ken";

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    pub authorization: Option<(String, String)>,
    pub members: Vec<(String, String)>,
}

impl Asked {
    pub fn member(&self, name: &str) -> &str {
        let member = self.members.iter().find(|(own, _)| own == name);
        member.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// A receiver that answers everybody alike; it lives as long as the test.
pub struct Exchange {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Exchange {
    /// One that answers so.
    pub fn open(status: u16, answer: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let exchange = Self { url, asked: asked.clone() };
        let answer = answer.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                asked.lock().unwrap().extend(serve(stream, status, &answer));
            }
        });
        exchange
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Reads one request, and answers it.
fn serve(stream: TcpStream, status: u16, answer: &str) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let line = next()?;
    let headers: Vec<String> = std::iter::from_fn(&mut next).take_while(|line| !line.is_empty()).collect();
    let header = |name: &str| {
        let mut values = headers.iter().filter_map(|line| line.split_once(": "));
        values.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let authorization = header("authorization").and_then(|value| {
        let decoded = BASE64.decode(value.strip_prefix("Basic ")?.as_bytes()).ok()?;
        let decoded = String::from_utf8(decoded).ok()?;
        decoded.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    });
    let members = form_urlencoded::parse(&body).into_owned().collect();
    let head = format!("HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {}", answer.len());
    write!(reader.get_mut(), "{head}\r\nConnection: close\r\n\r\n{answer}").ok()?;
    Some(Asked { line, authorization, members })
}
