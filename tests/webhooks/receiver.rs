//! A receiver: a socket on this machine that writes down what it is sent, and answers in a manner of its own.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Longer than anybody waits for a receiver.
const EVER: Duration = Duration::from_secs(25);

/// How it answers.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// With this status, and maybe one header line.
    Answers(u16, &'static str),
    /// Not at all.
    Hangs,
    /// A byte now and then.
    Drips,
    /// With 10 GB.
    Floods,
    /// Half a head, and closes.
    Breaks,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Seen {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }
}

/// A receiver that lives as long as the test.
pub struct Receiver {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    poured: Arc<AtomicU64>,
}

impl Receiver {
    /// One that answers the `n`th request, from 0, in the manner that `manner` says.
    pub fn start(manner: impl Fn(usize) -> Manner + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, poured) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<AtomicU64>::default());
        let (log, measure, manner) = (seen.clone(), poured.clone(), Arc::new(manner));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, measure, manner) = (log.clone(), measure.clone(), manner.clone());
                thread::spawn(move || serve(stream.unwrap(), &log, &measure, &*manner));
            }
        });
        Self { port, seen, poured }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hooks", self.port)
    }

    /// What it was sent so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Bytes that it got rid of while it flooded.
    pub fn poured(&self) -> u64 {
        self.poured.load(Ordering::SeqCst)
    }

    /// What it was sent, once that is `count` requests.
    pub async fn expect(&self, count: usize) -> Vec<Seen> {
        let began = Instant::now();
        while self.seen().len() < count {
            assert!(began.elapsed() < Duration::from_secs(20), "{} of {count} requests came", self.seen().len());
            actix_web::rt::time::sleep(Duration::from_millis(10)).await;
        }
        self.seen()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<Seen>>, measure: &AtomicU64, manner: &dyn Fn(usize) -> Manner) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(seen) = read(&mut reader) {
        let count = {
            let mut log = log.lock().unwrap();
            log.push(seen);
            log.len() - 1
        };
        if !answer(&stream, manner(count), measure) {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let (mut line, mut headers) = (String::new(), BTreeMap::new());
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { line: line.trim_end().to_owned(), headers, body: String::from_utf8(body).ok()? })
}

/// Whether the connection may be used again.
fn answer(mut stream: &TcpStream, manner: Manner, measure: &AtomicU64) -> bool {
    let began = Instant::now();
    match manner {
        Manner::Answers(status, header) => {
            let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
            write!(stream, "HTTP/1.1 {status} Some\r\n{header}Content-Length: 2\r\n\r\nok").is_ok()
        }
        Manner::Hangs => {
            thread::sleep(EVER);
            false
        }
        Manner::Drips => {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            while began.elapsed() < EVER && stream.write_all(b".").is_ok() {
                thread::sleep(Duration::from_millis(500));
            }
            false
        }
        Manner::Floods => {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
            while began.elapsed() < EVER && stream.write_all(&[b'x'; 65536]).is_ok() {
                measure.fetch_add(65536, Ordering::SeqCst);
            }
            false
        }
        Manner::Breaks => {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Le");
            false
        }
    }
}
