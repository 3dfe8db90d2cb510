//! A network between the service and PostgreSQL that can be slow, silent, or cut around COMMIT.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Everything passes.
    Fair,
    /// Every message of the service is late.
    Slow(Duration),
    /// Every n-th COMMIT gets lost with its connection.
    CommitLost(u32),
    /// Every n-th COMMIT arrives, and its answer gets lost with the connection.
    AnswerLost(u32),
    /// The COMMIT of a transaction that named this arrives, and its answer gets lost with the connection.
    AnswerLostOf(&'static str),
    /// Nothing passes, and nobody is told.
    Silent,
}

/// The network, reached at a port on loopback.
pub struct Proxy {
    pub port: u16,
    network: Arc<Network>,
}

struct Network {
    server: PathBuf,
    weather: Mutex<Weather>,
    commits: AtomicU32,
    cuts: AtomicU32,
}

impl Proxy {
    /// A network before the server whose socket is in `folder`.
    pub fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Arc::new(Network {
            server: folder.join(".s.PGSQL.5432"),
            weather: Mutex::new(Weather::Fair),
            commits: AtomicU32::new(0),
            cuts: AtomicU32::new(0),
        });
        let carrier = network.clone();
        thread::spawn(move || {
            for service in listener.incoming().flatten() {
                let network = carrier.clone();
                thread::spawn(move || network.carry(&service));
            }
        });
        Self { port, network }
    }

    /// Where a database is when it is reached over this network.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Changes the weather, for open connections too.
    pub fn turn(&self, weather: Weather) {
        *self.network.weather.lock().unwrap() = weather;
    }

    /// How many commits were cut.
    pub fn cuts(&self) -> u32 {
        self.network.cuts.load(Ordering::SeqCst)
    }
}

impl Network {
    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap()
    }

    /// Waits while nothing passes.
    fn wait(&self) {
        while self.weather() == Weather::Silent {
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn carry(&self, service: &TcpStream) -> Option<()> {
        self.wait();
        service.set_nodelay(true).ok()?;
        let server = UnixStream::connect(&self.server).ok()?;
        let is_cut = Arc::new(AtomicBool::new(false));
        let (mut from, mut to) = (server.try_clone().ok()?, service.try_clone().ok()?);
        let cut = is_cut.clone();
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut bytes = [0; 16 * 1024];
                while let Ok(length @ 1..) = from.read(&mut bytes) {
                    self.wait();
                    if cut.load(Ordering::SeqCst) || to.write_all(&bytes[..length]).is_err() {
                        break;
                    }
                }
                let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
            });
            let _ = self.forward(service, &server, &is_cut);
            let _ = (service.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        });
        Some(())
    }

    /// Passes the service's messages on, one by one, until one of them is where the network breaks.
    fn forward(&self, mut service: &TcpStream, mut server: &UnixStream, is_cut: &AtomicBool) -> std::io::Result<()> {
        // The first message has no type (PostgreSQL protocol 3.0, "Message Formats").
        let (mut has_type, mut is_named) = (false, false);
        loop {
            let message = read_message(service, has_type)?;
            has_type = true;
            self.wait();
            if let Weather::Slow(pause) = self.weather() {
                thread::sleep(pause);
            }
            let is_commit = message.ends_with(b"COMMIT\0");
            let is_nth = |n: u32| self.commits.fetch_add(1, Ordering::SeqCst) % n == n - 1;
            if let Weather::AnswerLostOf(word) = self.weather() {
                is_named |= message.windows(word.len()).any(|part| part == word.as_bytes());
            }
            match self.weather() {
                Weather::AnswerLostOf(_) if is_commit && is_named => {
                    is_cut.store(true, Ordering::SeqCst);
                    server.write_all(&message)?;
                    return service.read_exact(&mut [0]);
                }
                Weather::CommitLost(n) if is_commit && is_nth(n) => {
                    self.cuts.fetch_add(1, Ordering::SeqCst);
                    return Ok(());
                }
                Weather::AnswerLost(n) if is_commit && is_nth(n) => {
                    self.cuts.fetch_add(1, Ordering::SeqCst);
                    is_cut.store(true, Ordering::SeqCst);
                    server.write_all(&message)?;
                    // The other direction breaks the connection once the answer has come.
                    return service.read_exact(&mut [0]);
                }
                _ => server.write_all(&message)?,
            }
        }
    }
}

fn read_message(mut from: &TcpStream, has_type: bool) -> std::io::Result<Vec<u8>> {
    let head = if has_type { 5 } else { 4 };
    let mut message = vec![0; head];
    from.read_exact(&mut message)?;
    let length = u32::from_be_bytes(message[head - 4..].try_into().unwrap()) as usize;
    message.resize(head - 4 + length, 0);
    from.read_exact(&mut message[head..])?;
    Ok(message)
}
