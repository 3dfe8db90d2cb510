//! The engine for more than one machine. A closure is one transaction on a blocking thread, at READ
//! COMMITTED: what must be right is right by compare and set. Conflicts are tried again; a commit whose
//! answer was lost is never tried again blindly.

use super::{
    connection::AnyConnection,
    engine::{OpenError, Pooling},
    server_url,
};
use crate::{
    crypto::random::Random,
    domain::refusal::{Fault, Stop},
};
use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::{CacheSize, SimpleConnection},
    result::{DatabaseErrorKind, Error},
    sql_query,
    sql_types::{BigInt, Bool},
};
use prometheus_client::{
    metrics::{gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use r2d2::{ManageConnection, Pool, PooledConnection};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinError,
};

const TRIES: u32 = 8;
/// Transactions that may wait for each connection; more are turned away at once.
const QUEUE_A_CONNECTION: usize = 16;
/// How long a caller waits for a free connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a caller waits in all. A server that has gone silent holds its connections, never a caller.
const DEADLINE: Duration = Duration::from_secs(8);
/// `SET LOCAL` is undone with its transaction, so a pooler between us and the server does no harm. A standby refuses
/// `READ WRITE`: behind a pooler, a connection may come to lead to one.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE; SET LOCAL statement_timeout = '5s'";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ WRITE; SET TRANSACTION READ ONLY; \
                          SET LOCAL statement_timeout = '5s'";

/// The engine of one server; clones share its pool.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool<Manager>,
    /// Of all that run or wait.
    room: Arc<Semaphore>,
    /// Of those that run: who waits for a connection takes no thread.
    turns: Arc<Semaphore>,
    metrics: Metrics,
}

/// How busy the connections are.
#[derive(Clone)]
struct Metrics {
    busy: Gauge,
    wait: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { busy: Gauge::default(), wait: Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]) }
    }
}

struct Manager {
    url: String,
    keeps_prepared: bool,
}

struct Pooled {
    conn: AnyConnection,
    is_broken: bool,
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = diesel::ConnectionError;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        // After a failover a host of the URL may have become a standby.
        let mut conn = connect(&self.url).map_err(|error| diesel::ConnectionError::BadConnection(error.0))?;
        if self.keeps_prepared {
            conn.set_prepared_statement_cache_size(CacheSize::Unbounded);
        }
        Ok(Pooled { conn: AnyConnection::Postgres(conn), is_broken: false })
    }

    fn is_valid(&self, _: &mut Pooled) -> Result<(), Self::Error> {
        // A dead connection shows at BEGIN, where nothing has happened yet and another one is taken.
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.is_broken
    }
}

#[derive(QueryableByName)]
struct Standby {
    #[diesel(sql_type = Bool)]
    is_standby: bool,
}

#[derive(QueryableByName)]
struct Clock {
    #[diesel(sql_type = BigInt)]
    millis: i64,
}

/// Connects to a server that takes writes. The connection keeps no statement prepared, so that a pooler may be between.
pub fn connect(url: &str) -> Result<PgConnection, OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError(format!("cannot reach the database: {error}"));
    let mut conn = PgConnection::establish(&server_url::for_libpq(url)).map_err(|error| failed(&error))?;
    conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    let standby: Standby =
        sql_query("SELECT pg_is_in_recovery() AS is_standby").get_result(&mut conn).map_err(|error| failed(&error))?;
    if standby.is_standby {
        return Err(OpenError(
            "the database is a standby, whose answers may be old; name the primary, or add target_session_attrs=read-write"
                .to_owned(),
        ));
    }
    Ok(conn)
}

/// The server's clock, in milliseconds since 1970.
pub fn clock(conn: &mut AnyConnection) -> Result<i64, Stop> {
    let clock: Clock =
        sql_query("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS millis").get_result(conn)?;
    Ok(clock.millis)
}

impl Postgres {
    /// Makes a pool; its connections are opened when they are needed.
    pub fn start(url: &str, pooling: Pooling) -> Result<Self, OpenError> {
        let Pooling { connections: size, keeps_prepared } = pooling;
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(PATIENCE)
            .test_on_check_out(false)
            .build_unchecked(Manager { url: url.to_owned(), keeps_prepared });
        let size = size as usize;
        let [room, turns] = [size * QUEUE_A_CONNECTION, size].map(|permits| Arc::new(Semaphore::new(permits)));
        Ok(Self { pool, room, turns, metrics: Metrics::default() })
    }

    /// Hands out its metrics.
    pub fn register(&self, registry: &mut Registry) {
        let Metrics { busy, wait } = self.metrics.clone();
        registry.register("database_connections_busy", "Connections on which a transaction runs", busy);
        let help = "How long transactions that found no free connection waited for one";
        registry.register_with_unit("database_wait", help, Unit::Seconds, wait);
    }

    /// Runs `work` in a read-only transaction.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Stop>
    where
        T: Send + 'static,
        F: Fn(&mut AnyConnection) -> Result<T, Stop> + Send + 'static,
    {
        self.on_blocking_thread(BEGIN_READ, work, Fault::Unavailable).await
    }

    /// Runs `work` in a transaction.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Stop>
    where
        T: Send + 'static,
        F: Fn(&mut AnyConnection) -> Result<T, Stop> + Send + 'static,
    {
        self.on_blocking_thread(BEGIN, work, Fault::OutcomeUnknown).await
    }

    async fn wait_for_turn(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let since = Instant::now();
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        self.metrics.wait.observe(since.elapsed().as_secs_f64());
        let nothing = || Fault::Unavailable("no database connection became free".to_owned());
        turn.map_err(|_| nothing())?.map_err(|_| nothing())
    }

    /// Runs a transaction; `lost` is the fault that it is when its end is not heard of.
    async fn on_blocking_thread<T, F>(&self, begin: &'static str, work: F, lost: fn(String) -> Fault) -> Result<T, Stop>
    where
        T: Send + 'static,
        F: Fn(&mut AnyConnection) -> Result<T, Stop> + Send + 'static,
    {
        let place = self.room.clone().try_acquire_owned().map_err(|_| Fault::Overloaded("database queue full"))?;
        let (pool, busy) = (self.pool.clone(), self.metrics.busy.clone());
        let run = move |turn: OwnedSemaphorePermit| {
            tokio::task::spawn_blocking(move || {
                let _held = (place, turn);
                busy.inc();
                let outcome = with_retry(|| transaction(&pool, begin, &work, lost));
                busy.dec();
                outcome
            })
        };
        let task = match self.turns.clone().try_acquire_owned() {
            Ok(turn) => run(turn),
            // A task of its own: a caller who goes meanwhile takes nothing back.
            Err(_) => {
                let engine = self.clone();
                tokio::spawn(async move { run(engine.wait_for_turn().await?).await.unwrap_or_else(broken_off) })
            }
        };
        match tokio::time::timeout(DEADLINE, task).await {
            Ok(ended) => ended.unwrap_or_else(broken_off),
            Err(_) => Err(lost("the database has gone silent".to_owned()).into()),
        }
    }
}

fn broken_off<T>(_: JoinError) -> Result<T, Stop> {
    Err(Fault::Unavailable("a database task broke off".to_owned()).into())
}

/// Tries again, after a pause that grows and differs, while others were faster.
fn with_retry<T>(attempt: impl Fn() -> Result<T, Stop>) -> Result<T, Stop> {
    for n in 0..TRIES {
        match attempt() {
            Err(Stop::Failed(Fault::Contended(_))) => {
                let jitter = u64::from(Random.bytes::<1>()?[0]) % 4;
                thread::sleep(Duration::from_millis((1 << n) + jitter));
            }
            outcome => return outcome,
        }
    }
    Err(Fault::Unavailable("too many others changed the same account".to_owned()).into())
}

fn transaction<T>(
    pool: &Pool<Manager>,
    begin: &str,
    work: &dyn Fn(&mut AnyConnection) -> Result<T, Stop>,
    lost: fn(String) -> Fault,
) -> Result<T, Stop> {
    let mut pooled = begun(pool, begin)?;
    // Whatever goes wrong from here on, a connection in an unclear state does not return to the pool.
    pooled.is_broken = true;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut pooled.conn)))
        .unwrap_or_else(|_| Err(Fault::Unavailable("a transaction panicked".to_owned()).into()));
    if let Err(Stop::Failed(_)) = outcome {
        pooled.is_broken = pooled.conn.batch_execute("ROLLBACK").is_err();
        return outcome;
    }
    match pooled.conn.batch_execute("COMMIT") {
        Ok(()) => {
            pooled.is_broken = false;
            outcome
        }
        Err(error @ Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => Err(error.into()),
        Err(error) => Err(lost(error.to_string()).into()),
    }
}

/// A connection with a transaction begun; connections that died in the pool are left behind.
fn begun(pool: &Pool<Manager>, begin: &str) -> Result<PooledConnection<Manager>, Fault> {
    for _ in 0..=pool.max_size() {
        let mut pooled = pool.get().map_err(|error| Fault::Unavailable(format!("no database connection: {error}")))?;
        pooled.is_broken = pooled.conn.batch_execute(begin).is_err();
        if !pooled.is_broken {
            return Ok(pooled);
        }
    }
    Err(Fault::Unavailable("the database takes no transaction".to_owned()))
}
