//! An installation of the bench's own: keys, a database, and the house's rooms over both.

use super::{Outcome, folder::Folder};
use jiff::Timestamp;
use std::{
    fs::OpenOptions,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
};
use twofold::{
    actions::{Cx, Rooms},
    cli,
    config::Config,
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        keyring::Keyring,
        token::Realm,
    },
    domain::event::Origin,
    store,
};

/// The two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// The one for more than one machine.
    Postgres,
}

impl Engine {
    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Seconds that tokens and challenges live: as long as the longest run.
const LONG: u32 = 86_400;

/// An installation.
pub struct House {
    /// Which engine it is on.
    pub engine: Engine,
    /// Where its database is.
    pub database_url: String,
    /// Its folder.
    pub folder: PathBuf,
    log: Option<PathBuf>,
}

impl House {
    /// Makes keys and a migrated database: a SQLite file, or what the URL names.
    pub fn build(run: &Folder, name: &str, postgres: Option<String>) -> Outcome<Self> {
        let folder = run.path.join(name);
        std::fs::create_dir_all(&folder)?;
        let engine = if postgres.is_some() { Engine::Postgres } else { Engine::Sqlite };
        let on_sqlite = Self::at(folder);
        let database_url = postgres.unwrap_or(on_sqlite.database_url);
        let house = Self { engine, database_url, log: run.log.clone(), ..on_sqlite };
        KeyFile::generate(SigningAlgorithm::default(), false)?.write(&house.keys())?;
        store::migrate(&house.config()?.location()?)?;
        Ok(house)
    }

    /// One on SQLite that another process has built in this folder.
    pub fn at(folder: PathBuf) -> Self {
        let database_url = format!("sqlite://{}", folder.join("twofold.db").display());
        Self { engine: Engine::Sqlite, database_url, folder, log: None }
    }

    /// What its tokens are signed with, and what they say of it; for those who have no need of a store.
    pub fn signing(&self) -> Outcome<(Keyring, Realm)> {
        let Config { issuer, audience, access_token_ttl: ttl, .. } = self.config()?;
        let keys = Keyring::new(&KeyFile::read(&self.keys())?)?;
        Ok((keys, Realm { issuer, audience, ttl }))
    }

    /// Its key file.
    fn keys(&self) -> PathBuf {
        self.folder.join("keys.toml")
    }

    /// The SQLite file.
    pub fn file(&self) -> PathBuf {
        self.folder.join("twofold.db")
    }

    fn config(&self) -> Outcome<Config> {
        Ok(Config {
            database_url: self.database_url.clone(),
            access_token_ttl: LONG,
            challenge_ttl: LONG,
            ..Config::defaults()?
        })
    }

    /// The rooms, in this process: for seeding, and to see what an action says to the database.
    pub fn rooms(&self) -> Outcome<Arc<Rooms>> {
        let rooms = cli::rooms(&self.config()?, &KeyFile::read(&self.keys())?, Arc::new(now));
        Ok(Arc::new(rooms.map_err(|failure| format!("{failure:?}"))?))
    }

    /// `serve`, as an operator runs it, but for lives that outlast the run and the limit of one network.
    pub fn serve(&self) -> Outcome<Command> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_twofold"));
        command
            .arg("serve")
            .env_clear()
            .env("TWOFOLD_DATABASE_URL", &self.database_url)
            .env("TWOFOLD_KEYS", self.keys())
            .env("TWOFOLD_LISTEN", "127.0.0.1:0")
            .env("TWOFOLD_OPS_LISTEN", "127.0.0.1:0")
            .env("TWOFOLD_ACCESS_TOKEN_TTL", LONG.to_string())
            .env("TWOFOLD_CHALLENGE_TTL", LONG.to_string())
            .env("TWOFOLD_AUTH_PER_MINUTE", "0")
            // Every request is logged, as in service.
            .stderr(match &self.log {
                Some(file) => OpenOptions::new().append(true).create(true).open(file)?.into(),
                None => Stdio::null(),
            });
        Ok(command)
    }
}

/// The time of the machine.
#[expect(clippy::disallowed_methods, reason = "a benchmark lives in real time")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A request of this process, from the address that the load comes from.
pub fn request(rooms: &Arc<Rooms>) -> Outcome<Cx> {
    let origin = Origin {
        request_id: "0123456789abcdef0123456789abcdef".to_owned(),
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: String::new(),
    };
    Ok(Cx::new(rooms.clone(), origin).map_err(|fault| format!("{fault:?}"))?)
}
