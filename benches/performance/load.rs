//! Load: as much as some connections take (closed loop), or so much a second whatever happens (open loop).
//!
//! The closed loop is one thread over epoll, about as dear as `wrk -t1`: on a small machine it takes its CPU
//! from the service, so every rate in the tables is one of both together.

use super::{Outcome, tally::Tally, wire::Connection};
use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
};
use std::{
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Answers that are still out when the time is up may take so long.
const DRAIN: Duration = Duration::from_secs(20);
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// A prime above every count of persons, so that its multiples meet every remainder.
pub const STRIDE: u64 = 1_000_003;

/// How often a prepared request may be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Any number of times, at random.
    Random,
    /// Once; the run ends with the last one.
    Once,
}

/// A closed loop: each connection sends its next request as soon as it has the answer to the one before.
pub struct Closed<'a> {
    /// Where to; connections take turns.
    pub targets: &'a [SocketAddr],
    /// How many.
    pub connections: usize,
    /// What is sent.
    pub requests: &'a [Vec<u8>],
    /// How often.
    pub order: Order,
    /// Not counted: caches fill, pools open.
    pub warm: Duration,
    /// Counted.
    pub length: Duration,
}

struct Running<'a> {
    plan: &'a Closed<'a>,
    connections: Vec<(Connection, Instant)>,
    sent: usize,
    dice: u64,
    out: usize,
    tally: Tally,
}

impl Closed<'_> {
    /// Runs it; `cpu` tells what the service has used so far.
    pub fn run(&self, cpu: &dyn Fn() -> Duration) -> Outcome<Tally> {
        let now = Instant::now();
        let open = |n: usize| Ok((Connection::open(self.targets[n % self.targets.len()])?, now));
        let connections = (0..self.connections).map(open).collect::<Outcome<Vec<_>>>()?;
        let dice = 0x9e37_79b9_7f4a_7c15;
        Running { plan: self, connections, sent: 0, dice, out: 0, tally: Tally::default() }.run(cpu)
    }
}

impl Running<'_> {
    fn run(mut self, cpu: &dyn Fn() -> Duration) -> Outcome<Tally> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (n, (connection, _)) in self.connections.iter().enumerate() {
            epoll::add(&epoll, &connection.stream, epoll::EventData::new_u64(n as u64), epoll::EventFlags::IN)?;
        }
        let start = Instant::now();
        (0..self.connections.len()).try_for_each(|n| self.send_next(n))?;
        // Counting begins after the warm-up and ends with the time, or with the last request.
        let (mut begun, mut ended) = (None, None);
        let mut events = Vec::with_capacity(self.connections.len());
        while self.out > 0 {
            epoll::wait(&epoll, spare_capacity(&mut events), Some(&TICK))?;
            let now = Instant::now();
            if begun.is_none() && (now - start >= self.plan.warm || self.is_warm_enough()) {
                begun = Some((now, cpu()));
            }
            let is_over = now - start >= self.plan.warm + self.plan.length;
            if ended.is_none() && (is_over || self.is_used_up()) {
                ended = Some((now, cpu()));
            }
            if is_over && now - start >= self.plan.warm + self.plan.length + DRAIN {
                break;
            }
            for event in events.drain(..) {
                self.receive(event.data.u64() as usize, begun.is_some() && ended.is_none(), ended.is_none())?;
            }
        }
        self.tally.unanswered = self.out as u64;
        let (from, cpu_before) = begun.ok_or("the run ended within its warm-up: too few requests were prepared")?;
        let (until, cpu_after) = ended.unwrap_or_else(|| (Instant::now(), cpu()));
        let mut tally = self.tally.close(from, cpu_after.saturating_sub(cpu_before));
        tally.elapsed = until - from;
        Ok(tally)
    }

    fn receive(&mut self, n: usize, is_counted: bool, goes_on: bool) -> Outcome<()> {
        let (connection, sent_at) = &mut self.connections[n];
        let Some(reply) = connection.receive()? else { return Ok(()) };
        self.tally.answer(reply.status, sent_at.elapsed(), is_counted);
        self.out -= 1;
        if goes_on { self.send_next(n) } else { Ok(()) }
    }

    /// What can be sent only once is not all spent on the warm-up.
    fn is_warm_enough(&self) -> bool {
        self.plan.order == Order::Once && self.sent >= self.plan.requests.len() / 10
    }

    fn is_used_up(&self) -> bool {
        self.plan.order == Order::Once && self.sent >= self.plan.requests.len()
    }

    fn send_next(&mut self, n: usize) -> Outcome<()> {
        if self.is_used_up() {
            return Ok(());
        }
        let at = match self.plan.order {
            Order::Once => scattered(self.sent as u64, self.plan.requests.len() as u64) as usize,
            Order::Random => self.roll(),
        };
        let (connection, sent_at) = &mut self.connections[n];
        *sent_at = Instant::now();
        connection.send(&self.plan.requests[at])?;
        self.sent += 1;
        self.out += 1;
        Ok(())
    }

    /// Marsaglia's xorshift: cheap, and the same in every run.
    fn roll(&mut self) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice % self.plan.requests.len() as u64) as usize
    }
}

/// Goes through all numbers below `count` once, never from one to its neighbour: persons who come one after
/// another do not live next to each other, and their rows not on one page.
pub fn scattered(n: u64, count: u64) -> u64 {
    n % count * STRIDE % count
}

/// An open loop: `connections` that each send at their own fixed moments. A latency counts from the moment
/// at which its request was due, so that a stall is paid by everybody who would have come meanwhile.
pub fn paced(
    target: SocketAddr,
    connections: u32,
    each: Duration,
    length: Duration,
    requests: &[Vec<u8>],
) -> Outcome<Tally> {
    let start = Instant::now() + Duration::from_millis(50);
    let one = |n: u32| {
        let mut connection = Connection::open(target)?;
        let mut tally = Tally::default();
        // The connections take turns, so that requests are spread evenly.
        let mut due = start + each * n / connections;
        for at in (n as usize..).step_by(connections as usize) {
            if due >= start + length {
                break;
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            match connection.exchange(&requests[at % requests.len()]) {
                Ok(reply) => tally.answer(reply.status, due.elapsed(), true),
                Err(_) => {
                    tally.unanswered += 1;
                    connection = Connection::open(target)?;
                }
            }
            due += each;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(tally)
    };
    let tallies = thread::scope(|scope| {
        let one = &one;
        let running: Vec<_> = (0..connections).map(|n| scope.spawn(move || one(n))).collect();
        running.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    let mut all = Tally::default();
    for tally in tallies {
        all.merge(tally.map_err(|_| "a thread of the load panicked")??);
    }
    Ok(all.close(start, Duration::ZERO))
}

/// Runs `meanwhile` while `clients` send requests one after another, each made anew by its number.
pub fn flooded<T>(
    target: SocketAddr,
    clients: usize,
    request: &(dyn Fn(usize) -> Vec<u8> + Sync),
    meanwhile: impl FnOnce() -> Outcome<T>,
) -> Outcome<(T, Tally)> {
    let (is_over, number, all) = (AtomicBool::new(false), AtomicUsize::new(0), Mutex::new(Tally::default()));
    let began = Instant::now();
    let client = || {
        let mut tally = Tally::default();
        let mut connection = Connection::open(target).ok();
        while !is_over.load(Ordering::Relaxed) {
            let sent_at = Instant::now();
            let request = request(number.fetch_add(1, Ordering::Relaxed));
            match connection.as_mut().map(|connection| connection.exchange(&request)) {
                Some(Ok(reply)) => tally.answer(reply.status, sent_at.elapsed(), true),
                _ => {
                    tally.unanswered += 1;
                    connection = Connection::open(target).ok();
                }
            }
        }
        all.lock().unwrap_or_else(PoisonError::into_inner).merge(tally);
    };
    let outcome = thread::scope(|scope| {
        (0..clients).for_each(|_| drop(scope.spawn(client)));
        let outcome = meanwhile();
        is_over.store(true, Ordering::Relaxed);
        outcome
    })?;
    let flood = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((outcome, flood.close(began, Duration::ZERO)))
}
