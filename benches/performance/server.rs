//! A server under load: the house's own, or the bare one that it is measured against. Each is a process, so
//! that its CPU and its memory are its own.

use super::{Outcome, house::House, process, wire::Connection};
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// A running server; it is killed when it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    // The pipe stays open: a server whose standard output is gone may fail at its next line.
    _stdout: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts `serve`.
    pub fn of(house: &House) -> Outcome<Self> {
        Self::start(&mut house.serve()?)
    }

    /// Starts one, and waits for the line in which it says where.
    pub fn start(command: &mut Command) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let address = line.split_whitespace().find_map(|word| word.strip_prefix("http://")?.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("a server did not start; it said {line:?}").into());
        };
        Ok(Self { child, address, _stdout: stdout })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU that it has used.
    pub fn cpu(&self) -> Duration {
        process::cpu(self.pid())
    }

    /// Its resident memory, in MB.
    pub fn megabytes(&self) -> f64 {
        process::memory(self.pid()) as f64 / 1e6
    }
}

/// How long it takes from the start of the process to the first 200.
pub fn time_to_first_answer(house: &House, request: &[u8]) -> Outcome<Duration> {
    let began = Instant::now();
    let server = Server::of(house)?;
    let reply = Connection::open(server.address)?.exchange(request)?;
    let took = began.elapsed();
    if reply.status == 200 { Ok(took) } else { Err(format!("the first answer was {}", reply.status).into()) }
}
