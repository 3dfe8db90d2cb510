//! The embedded engine. Reads run inline on a connection of the calling thread's own. Writes go to one
//! writer thread that runs what is waiting in one transaction and answers after the one commit for all: group
//! commit.
//!
//! WAL with `synchronous=FULL`: a commit that was answered survives a power cut, so a used code stays used.

use super::{connection::AnyConnection, engine::OpenError};
use crate::domain::refusal::{Fault, Stop};
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query};
use prometheus_client::{
    metrics::{gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{
    cell::RefCell,
    fs::{self, File, OpenOptions, TryLockError},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

const QUEUE: usize = 4096;
const BATCH: usize = 64;
/// A write that waited longer was given up by its caller, or will be.
const PATIENCE: Duration = Duration::from_secs(5);
/// A file that is locked is tried again this often, five seconds in all.
const SETTLE_TRIES: u32 = 200;
const SETTLE_PAUSE: Duration = Duration::from_millis(25);
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                       PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON; \
                       PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 4000;";

static NEXT_ENGINE: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// This thread's read connections, one an engine.
    static READERS: RefCell<Vec<(u64, AnyConnection)>> = const { RefCell::new(Vec::new()) };
}

/// The engine of one database file.
pub struct Sqlite {
    number: u64,
    place: Place,
    queue: Option<SyncSender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
    metrics: Metrics,
}

/// How busy the writer is.
#[derive(Clone)]
struct Metrics {
    waiting: Gauge,
    batch: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { waiting: Gauge::default(), batch: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]) }
    }
}

/// One caller's write, waiting for its batch.
trait Job: Send {
    /// Runs it, as often as that takes; tells whether what it wrote is to stay, if it wrote anything.
    fn run(&mut self, conn: &mut AnyConnection) -> bool;
    /// Answers its caller, once the batch is committed or lost.
    fn answer(self: Box<Self>, batch: Result<(), Fault>);
}

struct Write<T, F> {
    since: Instant,
    work: F,
    outcome: Option<Result<T, Stop>>,
    caller: oneshot::Sender<Result<T, Stop>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send + 'static,
    F: Fn(&mut AnyConnection) -> Result<T, Stop> + Send + 'static,
{
    fn run(&mut self, conn: &mut AnyConnection) -> bool {
        if self.since.elapsed() > PATIENCE {
            self.outcome = Some(Err(Fault::Overloaded("waited too long to write").into()));
            return true;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(conn)))
            .unwrap_or_else(|_| Err(Fault::Unavailable("a write panicked".to_owned()).into()));
        let stays = !matches!(outcome, Err(Stop::Failed(_)));
        self.outcome = Some(outcome);
        stays
    }

    fn answer(self: Box<Self>, batch: Result<(), Fault>) {
        let outcome = match (self.outcome, batch) {
            (Some(Err(Stop::Failed(fault))), _) | (_, Err(fault)) => Err(fault.into()),
            (Some(outcome), Ok(())) => outcome,
            (None, Ok(())) => Err(Fault::Unavailable("a write was not run".to_owned()).into()),
        };
        // A caller who has gone changes nothing: the write stands.
        let _ = self.caller.send(outcome);
    }
}

impl Sqlite {
    /// Starts the writer thread.
    pub fn start(path: &Path) -> Result<Self, OpenError> {
        let conn = AnyConnection::Sqlite(connect(path)?);
        let place = Place::of(path).map_err(OpenError)?;
        let written = place.clone();
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let metrics = Metrics::default();
        let (writer, seen) = (thread::Builder::new().name("writer".to_owned()), metrics.clone());
        let writer = writer.spawn(move || write_batches(conn, &written, &jobs, &seen));
        let writer = writer.map_err(|error| OpenError(format!("cannot start the writer thread: {error}")))?;
        let number = NEXT_ENGINE.fetch_add(1, Ordering::Relaxed);
        Ok(Self { number, place, queue: Some(queue), writer: Some(writer), metrics })
    }

    /// Hands out its metrics.
    pub fn register(&self, registry: &mut Registry) {
        let Metrics { waiting, batch } = self.metrics.clone();
        registry.register("writes_waiting", "Writes that wait for the writer or for their commit", waiting);
        registry.register("write_batch_size", "Writes that one commit made durable", batch);
    }

    /// Runs `work` in a read transaction, on this thread.
    pub fn read<T>(&self, work: impl Fn(&mut AnyConnection) -> Result<T, Stop>) -> Result<T, Stop> {
        self.place.check()?;
        let mut conn = match take_reader(self.number) {
            Some(conn) => conn,
            None => self.open_reader().map_err(|error| Fault::Unavailable(error.0))?,
        };
        conn.run("BEGIN")?;
        let outcome = work(&mut conn);
        // A connection that cannot end its transaction is dropped, not kept.
        conn.run("COMMIT")?;
        READERS.with_borrow_mut(|readers| readers.push((self.number, conn)));
        outcome
    }

    /// Queues `work` for the writer and waits for its commit.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Stop>
    where
        T: Send + 'static,
        F: Fn(&mut AnyConnection) -> Result<T, Stop> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let job = Box::new(Write { since: Instant::now(), work, outcome: None, caller });
        let queue = self.queue.as_ref().ok_or(Fault::Unavailable("the writer has ended".to_owned()))?;
        self.metrics.waiting.inc();
        if queue.try_send(job).is_err() {
            self.metrics.waiting.dec();
            return Err(Fault::Overloaded("write queue full").into());
        }
        answer.await.unwrap_or_else(|_| Err(Fault::Unavailable("the writer has ended".to_owned()).into()))
    }

    fn open_reader(&self) -> Result<AnyConnection, OpenError> {
        let mut conn = connect(&self.place.path)?;
        conn.batch_execute("PRAGMA query_only = ON").map_err(|error| OpenError(error.to_string()))?;
        Ok(AnyConnection::Sqlite(conn))
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take()
            // The last write may be the last to hold the store; a thread that waits for itself panics.
            && writer.thread().id() != thread::current().id()
        {
            // The thread catches its panics, so there is nothing to hear from it.
            let _ = writer.join();
        }
        drop(take_reader(self.number));
    }
}

/// A file, and which one it was when it was opened.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Place {
    fn of(path: &Path) -> Result<Self, String> {
        let file = fs::metadata(path).map_err(|error| format!("cannot see the database file: {error}"))?;
        Ok(Self { path: path.to_owned(), device: file.dev(), inode: file.ino() })
    }

    /// A file that was removed or replaced takes writes for as long as it is open, and they are gone with the
    /// process: nothing is read from it or acknowledged.
    fn check(&self) -> Result<(), Fault> {
        let found = Self::of(&self.path).map_err(Fault::Unavailable)?;
        if (found.device, found.inode) == (self.device, self.inode) {
            return Ok(());
        }
        Err(Fault::Unavailable("the database file was replaced by another; restart to serve that one".to_owned()))
    }
}

fn take_reader(number: u64) -> Option<AnyConnection> {
    READERS.with_borrow_mut(|readers| {
        let at = readers.iter().position(|(engine, _)| *engine == number)?;
        Some(readers.swap_remove(at).1)
    })
}

fn write_batches(mut conn: AnyConnection, place: &Place, jobs: &Receiver<Box<dyn Job>>, metrics: &Metrics) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        let outcome = place.check().and_then(|()| run_batch(&mut conn, &mut batch));
        metrics.batch.observe(batch.len() as f64);
        metrics.waiting.dec_by(batch.len() as i64);
        for job in batch {
            job.answer(outcome.clone());
        }
    }
}

/// Jobs seldom fail, so they are run bare at first. When one does, all of the batch is undone, and run once more
/// with a savepoint each, so that the others stand.
fn run_batch(conn: &mut AnyConnection, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    conn.run("BEGIN IMMEDIATE")?;
    if batch.iter_mut().all(|job| job.run(conn)) {
        return settle(conn, Ok(()));
    }
    let _ = conn.run("ROLLBACK");
    conn.run("BEGIN IMMEDIATE")?;
    let outcome = run_apart(conn, batch);
    settle(conn, outcome)
}

fn settle(conn: &mut AnyConnection, outcome: Result<(), Fault>) -> Result<(), Fault> {
    let outcome = outcome.and_then(|()| commit(conn));
    if outcome.is_err() {
        // After a failed COMMIT, SQLite may have rolled back already; then there is nothing to do.
        let _ = conn.run("ROLLBACK");
    }
    outcome
}

/// What an interrupted commit has left in the log may count or not when the log is read again.
fn commit(conn: &mut AnyConnection) -> Result<(), Fault> {
    conn.run("COMMIT").map_err(|error| Fault::OutcomeUnknown(error.to_string()))
}

fn run_apart(conn: &mut AnyConnection, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    for job in batch {
        conn.run("SAVEPOINT job")?;
        if !job.run(conn) {
            conn.run("ROLLBACK TO job")?;
        }
        conn.run("RELEASE job")?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct InForce {
    #[diesel(sql_type = diesel::sql_types::Text)]
    journal_mode: String,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    synchronous: i32,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    foreign_keys: i32,
}

/// Opens an existing file, and checks that the settings that durability rests on took hold.
pub fn connect(path: &Path) -> Result<SqliteConnection, OpenError> {
    let shown = path.display();
    if !path.is_file() {
        return Err(OpenError(format!("there is no database at {shown}; run `twofold migrate` to create it")));
    }
    let failed = |error: &dyn std::fmt::Display| OpenError(format!("cannot open the database {shown}: {error}"));
    let mut conn = SqliteConnection::establish(&uri(path)).map_err(|error| failed(&error))?;
    settle_in(&mut conn).map_err(|error| failed(&error))?;
    let in_force: InForce = sql_query(
        "SELECT j.journal_mode, s.synchronous, f.foreign_keys \
         FROM pragma_journal_mode j, pragma_synchronous s, pragma_foreign_keys f",
    )
    .get_result(&mut conn)
    .map_err(|error| failed(&error))?;
    if (in_force.journal_mode.as_str(), in_force.synchronous, in_force.foreign_keys) != ("wal", 2, 1) {
        return Err(failed(&"WAL with full synchronisation is not to be had there; use a local disk"));
    }
    Ok(conn)
}

/// Two that switch a fresh file to WAL at once are told "locked" whatever the time-out; the second try finds
/// it switched.
fn settle_in(conn: &mut SqliteConnection) -> diesel::QueryResult<()> {
    let mut outcome = conn.batch_execute(PRAGMAS);
    for _ in 0..SETTLE_TRIES {
        match &outcome {
            Err(error) if error.to_string().contains("locked") => thread::sleep(SETTLE_PAUSE),
            _ => break,
        }
        outcome = conn.batch_execute(PRAGMAS);
    }
    outcome
}

/// Creates an empty file that its owner alone can read, unless there is a file already.
pub fn create(path: &Path) -> Result<(), OpenError> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    file.map(|_| ()).map_err(|error| OpenError(format!("cannot create the database {}: {error}", path.display())))
}

/// `mode=rw`: a missing file must never become an empty database in which nobody has 2FA.
fn uri(path: &Path) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?mode=rw")
}

/// Held while this process serves a database file; the operating system lets go of it with the process.
#[derive(Debug)]
pub struct ServeLock(#[expect(dead_code, reason = "held for its lock")] File);

impl ServeLock {
    /// Takes the lock beside the database file.
    pub fn take(path: &Path) -> Result<Self, OpenError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let shown = Path::new(&name).display().to_string();
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&name);
        let file = file.map_err(|error| OpenError(format!("cannot create {shown}: {error}")))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError(format!(
                "another `twofold serve` holds {shown}; a SQLite file has one server, use PostgreSQL for more"
            ))),
            Err(TryLockError::Error(error)) => Err(OpenError(format!("cannot lock {shown}: {error}"))),
        }
    }
}
