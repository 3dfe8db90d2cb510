//! The schema: bringing it up to date, and telling whether it is.

use super::{
    connection::AnyConnection,
    engine::{Location, OpenError},
    sqlite,
};
use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    backend::Backend,
    connection::SimpleConnection,
    migration::{MigrationSource, MigrationVersion},
    pg::Pg,
    sql_query,
    sql_types::{Bool, Text},
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::fmt::Display;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// Diesel's migrations take no lock. A row to wait at is portable, and a pooler does it no harm.
const LOCK_TABLE: &str = "CREATE TABLE IF NOT EXISTS twofold_migration_lock (id INT4 NOT NULL PRIMARY KEY); \
                          INSERT INTO twofold_migration_lock (id) VALUES (1) ON CONFLICT (id) DO NOTHING";

/// How a database's schema stands to this program.
pub enum Schema {
    /// It is the one this program was made for.
    Current,
    /// Migrations are pending.
    Older,
    /// A later program migrated it, to this version.
    Newer(String),
}

/// Creates the database file when it is missing, and brings the schema up to date; several may run at once.
/// Returns the names of the migrations that were run.
///
/// # Errors
/// When the database is not reachable, a later program migrated it, or a migration fails; a failed run leaves nothing
/// half done.
pub fn migrate(location: &Location) -> Result<Vec<String>, OpenError> {
    if let Location::Sqlite(path) = location {
        sqlite::create(path)?;
    }
    let outcome = match location.connect()? {
        AnyConnection::Sqlite(mut conn) => conn.immediate_transaction(|conn| run_pending(conn, SQLITE)),
        AnyConnection::Postgres(mut conn) => {
            prepare_lock(&mut conn)?;
            conn.transaction(|conn| {
                sql_query("SELECT id FROM twofold_migration_lock WHERE id = 1 FOR UPDATE").execute(conn)?;
                run_pending(conn, POSTGRES)
            })
        }
    };
    outcome.map_err(|failure: Failure| failure.0)
}

/// What is said of a schema that a later program has made.
pub fn newer(version: &str) -> OpenError {
    OpenError(format!("the database schema ({version}) is newer than this program; use the program that migrated it"))
}

/// How the schema stands.
pub fn schema_of(conn: &mut AnyConnection) -> Result<Schema, OpenError> {
    let outcome = match conn {
        AnyConnection::Sqlite(conn) => {
            conn.applied_migrations().and_then(|applied| compare::<Sqlite>(&applied, &SQLITE))
        }
        AnyConnection::Postgres(conn) => applied_on(conn).and_then(|applied| compare::<Pg>(&applied, &POSTGRES)),
    };
    outcome.map_err(|error| OpenError(format!("cannot read the schema version: {error}")))
}

struct Failure(OpenError);

impl Failure {
    fn of(error: impl Display) -> Self {
        Self(OpenError(format!("the migration failed and nothing was changed: {error}")))
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::of(error)
    }
}

fn run_pending<DB: Backend, C: MigrationHarness<DB>>(
    conn: &mut C,
    source: impl MigrationSource<DB>,
) -> Result<Vec<String>, Failure> {
    let applied = conn.applied_migrations().map_err(Failure::of)?;
    if let Schema::Newer(version) = compare(&applied, &source).map_err(Failure::of)? {
        return Err(Failure(newer(&version)));
    }
    let versions = conn.run_pending_migrations(source).map_err(Failure::of)?;
    Ok(versions.iter().map(ToString::to_string).collect())
}

fn compare<DB: Backend>(
    applied: &[MigrationVersion<'_>],
    source: &impl MigrationSource<DB>,
) -> diesel::migration::Result<Schema> {
    let known = source.migrations()?;
    let known: Vec<String> = known.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied: Vec<String> = applied.iter().map(ToString::to_string).collect();
    Ok(match applied.iter().find(|version| !known.contains(version)) {
        Some(version) => Schema::Newer(version.clone()),
        None if applied.len() < known.len() => Schema::Older,
        None => Schema::Current,
    })
}

/// What was run. Diesel would first make its table where it is missing, which the serving role may not even try.
fn applied_on(conn: &mut PgConnection) -> diesel::migration::Result<Vec<MigrationVersion<'static>>> {
    let exists: Exists =
        sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS exists").get_result(conn)?;
    if !exists.exists {
        return Ok(Vec::new());
    }
    let rows: Vec<Applied> = sql_query("SELECT version FROM __diesel_schema_migrations").load(conn)?;
    Ok(rows.into_iter().map(|row| MigrationVersion::from(row.version)).collect())
}

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = Bool)]
    exists: bool,
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Two that create the same table at once collide in PostgreSQL's catalogue; the second try finds it there.
fn prepare_lock(conn: &mut PgConnection) -> Result<(), OpenError> {
    let outcome = conn.batch_execute(LOCK_TABLE).or_else(|_| conn.batch_execute(LOCK_TABLE));
    outcome.map_err(|error| OpenError(format!("cannot prepare the migration: {error}")))
}
