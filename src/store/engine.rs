//! Opening a database, and the two doors to it.

use super::{
    Db, Tx,
    attempts::Attempts,
    connection::AnyConnection,
    ledger,
    migrations::{self, Schema},
    postgres::Postgres,
    server_url,
    sqlite::{ServeLock, Sqlite},
};
use crate::{
    crypto::keys::Keys,
    domain::refusal::{Fault, Stop},
    spans,
};
use prometheus_client::registry::Registry;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::{Notify, futures::Notified};

/// The database of an installation; clones share it.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    keys: Arc<Keys>,
    attempts: Attempts,
    bell: Arc<Notify>,
    codes_bell: Arc<Notify>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Postgres),
}

/// Where a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file of the embedded engine.
    Sqlite(PathBuf),
    /// A server.
    Postgres(String),
}

/// How connections to a server are used; the embedded engine has its own way.
#[derive(Clone, Copy, Debug)]
pub struct Pooling {
    /// At most so many.
    pub connections: u32,
    /// Whether each keeps its statements prepared. A pooler in transaction mode gives every transaction another
    /// connection of its own, on which they are not known.
    pub keeps_prepared: bool,
}

/// Why a database cannot be used: one sentence, with what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub String);

impl Location {
    /// Reads `sqlite://path/to.db` or `postgres://…`.
    ///
    /// # Errors
    /// When it is neither, or asks for TLS that this program was built without. The URL may hold a password, so it is
    /// not repeated.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        match url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => {
                server_url::check(url)?;
                Ok(Self::Postgres(url.to_owned()))
            }
            _ => Err(OpenError("the database URL must begin with sqlite:// or postgres://".to_owned())),
        }
    }

    /// A connection of one's own, for the work that needs no engine.
    pub(super) fn connect(&self) -> Result<AnyConnection, OpenError> {
        match self {
            Self::Sqlite(path) => super::sqlite::connect(path).map(AnyConnection::Sqlite),
            Self::Postgres(url) => super::postgres::connect(url).map(AnyConnection::Postgres),
        }
    }
}

impl Store {
    /// Opens a database whose schema is exactly the one this program was made for.
    ///
    /// # Errors
    /// When it is missing, not reachable, a standby, or its schema is older or newer.
    pub fn open(location: &Location, pooling: Pooling, keys: Arc<Keys>) -> Result<Self, OpenError> {
        let mut conn = location.connect()?;
        match migrations::schema_of(&mut conn)? {
            Schema::Current => {}
            Schema::Older => {
                return Err(OpenError(
                    "the database schema is older than this program; run `twofold migrate`".to_owned(),
                ));
            }
            Schema::Newer(version) => return Err(migrations::newer(&version)),
        }
        let engine = match location {
            Location::Sqlite(path) => Engine::Sqlite(Arc::new(Sqlite::start(path)?)),
            Location::Postgres(url) => Engine::Postgres(Postgres::start(url, pooling)?),
        };
        Ok(Self { engine, keys, attempts: Attempts::default(), bell: Arc::default(), codes_bell: Arc::default() })
    }

    /// Makes this process the one that serves the database; only the embedded engine minds.
    ///
    /// # Errors
    /// When another process serves it.
    pub fn claim(location: &Location) -> Result<Option<ServeLock>, OpenError> {
        match location {
            Location::Sqlite(path) => ServeLock::take(path).map(Some),
            Location::Postgres(_) => Ok(None),
        }
    }

    /// Runs `work` on a consistent view.
    ///
    /// # Errors
    /// What `work` returns, and `unavailable` when the database does not answer.
    pub async fn read<T, F>(&self, name: &'static str, work: F) -> Result<T, Stop>
    where
        T: Send + 'static,
        F: Fn(&mut Db<'_>) -> Result<T, Stop> + Send + 'static,
    {
        let keys = self.keys.ring();
        let run = move |conn: &mut AnyConnection| work(&mut Db { conn, keys: &keys });
        let reading = async {
            match &self.engine {
                Engine::Sqlite(engine) => engine.read(run),
                Engine::Postgres(engine) => engine.read(run).await,
            }
        };
        spans::within("read", name, reading).await.map_err(|stop| named(name, stop))
    }

    /// Runs `work` in a transaction, which is committed when it succeeds and when it refuses, and rolled
    /// back when it fails. `work` may run several times; the last run counts. The answer comes after the
    /// commit is durable.
    ///
    /// # Errors
    /// What `work` returns; `unavailable` when nothing was changed, `outcome-unknown` when the answer to
    /// the commit was lost, `overloaded` when the queue is full.
    pub async fn write<T, F>(&self, name: &'static str, work: F) -> Result<T, Stop>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, Stop> + Send + 'static,
    {
        let keys = self.keys.ring();
        let run = move |conn: &mut AnyConnection| {
            let mut tx = Tx::new(conn, &keys);
            let outcome = work(&mut tx);
            if let Err(Stop::Failed(fault)) = outcome {
                return Err(fault.into());
            }
            ledger::write(&mut tx)?;
            Ok((tx.settled, (tx.announces, tx.sends), outcome))
        };
        let writing = async {
            match &self.engine {
                Engine::Sqlite(engine) => engine.write(run).await,
                Engine::Postgres(engine) => engine.write(run).await,
            }
        };
        let committed = spans::within("write", name, writing).await;
        let (settled, (announces, sends), outcome) = committed.map_err(|stop| named(name, stop))?;
        self.attempts.count(&settled, &outcome);
        if announces {
            self.bell.notify_one();
        }
        if sends {
            self.codes_bell.notify_waiters();
        }
        outcome
    }

    /// Waits until this process has announced something since the last call. What another process announces is
    /// not heard.
    pub async fn announced(&self) {
        self.bell.notified().await;
    }

    /// Waits until this process has asked for a code to be sent since this was called, by whatever way. What another
    /// process asks for is not heard.
    pub fn codes_asked(&self) -> Notified<'_> {
        self.codes_bell.notified()
    }

    /// Hands out the metrics of the engine, and of what was guessed through it.
    pub fn register(&self, registry: &mut Registry) {
        self.attempts.register(registry);
        match &self.engine {
            Engine::Sqlite(engine) => engine.register(registry),
            Engine::Postgres(engine) => engine.register(registry),
        }
    }

    /// How many milliseconds the database's clock is ahead of `now`; none where it has ours.
    ///
    /// # Errors
    /// `unavailable` when the database does not answer.
    pub async fn clock_skew(&self, now: jiff::Timestamp) -> Result<Option<i64>, Stop> {
        match &self.engine {
            Engine::Sqlite(_) => self.read("probe", probe).await.map(|()| None),
            Engine::Postgres(engine) => {
                engine.read(super::postgres::clock).await.map(|theirs| Some(theirs - now.as_millisecond()))
            }
        }
    }
}

fn probe(db: &mut Db<'_>) -> Result<(), Stop> {
    use diesel::connection::SimpleConnection;
    Ok(db.conn.batch_execute("SELECT id FROM account LIMIT 1")?)
}

/// Says in which transaction a fault was met, for whoever logs it.
fn named(name: &str, stop: Stop) -> Stop {
    match stop {
        Stop::Failed(Fault::Unavailable(what)) => Fault::Unavailable(format!("{name}: {what}")).into(),
        Stop::Failed(Fault::OutcomeUnknown(what)) => Fault::OutcomeUnknown(format!("{name}: {what}")).into(),
        Stop::Failed(Fault::Unreadable(what)) => Fault::Unreadable(format!("{name}: {what}")).into(),
        other => other,
    }
}
