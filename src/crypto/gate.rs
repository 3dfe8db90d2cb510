//! The gate: dear computations run on threads of their own, as many as there are cores, at low
//! priority, behind bounded queues. So a flood of passwords leaves the status reads alone.
//!
//! Callers who hold a token queue apart and are served first; the ledger keeps them few.

use crate::domain::refusal::Fault;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How much the threads yield to the rest of the service (`nice(2)`).
const NICENESS: i32 = 10;

/// Who wants a computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Somebody who holds a good token.
    Owner,
    /// Anybody.
    Anonymous,
}

/// How full the gate is, by class.
struct Metrics {
    /// Computations that have room: they wait, run, or are about to be handed in.
    depth: Family<Label, Gauge>,
    wait: Family<Label, Histogram, fn() -> Histogram>,
    shed: Family<Label, Counter>,
}

type Label = [(&'static str, &'static str); 1];

impl Class {
    fn label(self) -> Label {
        [("class", if self == Self::Owner { "owner" } else { "anonymous" })]
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]);
        let wait = Family::new_with_constructor(seconds as fn() -> Histogram);
        let metrics = Self { depth: Family::default(), wait, shed: Family::default() };
        // A series that is not there yet looks like one that was lost.
        for label in [Class::Owner, Class::Anonymous].map(Class::label) {
            let _ = metrics.depth.get_or_create(&label);
            let _ = metrics.wait.get_or_create(&label);
            let _ = metrics.shed.get_or_create(&label);
        }
        metrics
    }
}

/// A handle on the threads; clones share them, and they end with the last clone.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
    _stop_with_last: Arc<StopWithLast>,
}

/// Room for one computation in the queue; dropping it unused gives the room back.
#[must_use]
pub struct Ticket {
    shared: Arc<Shared>,
    class: Class,
}

struct Shared {
    state: Mutex<State>,
    work_or_stop: Condvar,
    capacity: usize,
    patience: Duration,
    metrics: Metrics,
}

#[derive(Default)]
struct State {
    queues: [VecDeque<Job>; 2],
    reserved: [usize; 2],
    is_stopping: bool,
}

type Job = Box<dyn FnOnce() + Send>;

struct StopWithLast(Arc<Shared>);

impl Drop for StopWithLast {
    fn drop(&mut self) {
        self.0.lock().is_stopping = true;
        self.0.work_or_stop.notify_all();
    }
}

impl Gate {
    /// Starts `threads` threads with room for `capacity` computations a class, each of which begins
    /// within `patience` or not at all.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(threads: usize, capacity: usize, patience: Duration) -> io::Result<Self> {
        let (state, metrics) = (Mutex::default(), Metrics::default());
        let shared = Arc::new(Shared { state, work_or_stop: Condvar::new(), capacity, patience, metrics });
        for n in 0..threads {
            let shared = shared.clone();
            thread::Builder::new().name(format!("gate-{n}")).spawn(move || shared.work())?;
        }
        Ok(Self { _stop_with_last: Arc::new(StopWithLast(shared.clone())), shared })
    }

    /// Hands out its metrics.
    pub fn register(&self, registry: &mut Registry) {
        let Metrics { depth, wait, shed } = &self.shared.metrics;
        registry.register("password_queue_depth", "Password computations that wait or run", depth.clone());
        let help = "How long password computations waited for a thread";
        registry.register_with_unit("password_wait", help, Unit::Seconds, wait.clone());
        registry.register(
            "password_shed",
            "Password computations that found no room, or waited too long",
            shed.clone(),
        );
    }

    /// Reserves room, or tells at once that there is none.
    ///
    /// # Errors
    /// `overloaded` when the queue of this class is full.
    pub fn reserve(&self, class: Class) -> Result<Ticket, Fault> {
        let mut state = self.shared.lock();
        let reserved = &mut state.reserved[class as usize];
        if *reserved >= self.shared.capacity {
            self.shared.metrics.shed.get_or_create(&class.label()).inc();
            return Err(Fault::Overloaded("password queue full"));
        }
        *reserved += 1;
        self.shared.metrics.depth.get_or_create(&class.label()).inc();
        Ok(Ticket { shared: self.shared.clone(), class })
    }
}

impl Ticket {
    /// Runs `work` on the gate.
    ///
    /// # Errors
    /// `overloaded` when it waited too long and was not begun; `unavailable` when it panicked.
    pub async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        let (shared, patience) = (self.shared.clone(), self.shared.patience);
        let class = self.class;
        let since = Instant::now();
        let run: Job = Box::new(move || {
            // The room is given back when the computation is over, wherever its caller is then.
            let ticket = self;
            if answer.is_closed() {
                return;
            }
            let (waited, metrics) = (since.elapsed(), &ticket.shared.metrics);
            metrics.wait.get_or_create(&class.label()).observe(waited.as_secs_f64());
            let outcome = if waited <= patience {
                Ok(work())
            } else {
                metrics.shed.get_or_create(&class.label()).inc();
                Err(Fault::Overloaded("waited too long for a password check"))
            };
            let _ = answer.send(outcome);
        });
        shared.lock().queues[class as usize].push_back(run);
        shared.work_or_stop.notify_one();
        answered.await.unwrap_or_else(|_| Err(Fault::Unavailable("a computation broke off".to_owned())))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.shared.lock().reserved[self.class as usize] -= 1;
        self.shared.metrics.depth.get_or_create(&self.class.label()).dec();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        // Where priorities are not to be had the gate still bounds how many run at once.
        let _ = rustix::process::nice(NICENESS);
        while let Some(job) = self.next() {
            // A panic must not take the thread with it; its caller sees the answer channel close.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.is_stopping {
                return None;
            }
            if let Some(job) = state.queues.iter_mut().find_map(VecDeque::pop_front) {
                return Some(job);
            }
            state = self.work_or_stop.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_full_queue_says_so_at_once_and_each_class_has_its_own() {
        let gate = Gate::start(1, 2, Duration::from_secs(5)).unwrap();
        let held = [gate.reserve(Class::Anonymous).unwrap(), gate.reserve(Class::Anonymous).unwrap()];
        assert!(matches!(gate.reserve(Class::Anonymous), Err(Fault::Overloaded(_))));
        assert!(gate.reserve(Class::Owner).is_ok());
        drop(held);
        assert!(gate.reserve(Class::Anonymous).is_ok());
    }

    #[test]
    fn a_panic_is_a_fault_and_the_thread_lives_on() {
        let gate = Gate::start(1, 2, Duration::from_secs(5)).unwrap();
        let broken = block_on(gate.reserve(Class::Owner).unwrap().run(|| panic!("on purpose")));
        assert!(matches!(broken, Err::<(), _>(Fault::Unavailable(_))));
        assert_eq!(block_on(gate.reserve(Class::Owner).unwrap().run(|| 7)), Ok(7));
    }

    #[test]
    fn what_waited_too_long_is_not_begun() {
        let gate = Gate::start(1, 2, Duration::ZERO).unwrap();
        let outcome = block_on(gate.reserve(Class::Owner).unwrap().run(|| thread::sleep(Duration::from_millis(1))));
        assert!(matches!(outcome, Err(Fault::Overloaded(_))));
    }
}
