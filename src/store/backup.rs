//! Copies of the embedded engine's database: making one while it serves, checking one, and putting one in its place.

use super::{
    engine::OpenError,
    migrations::{self, Schema},
    sqlite,
};
use crate::store::connection::AnyConnection;
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query,
    sql_types::Text,
};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// A copy that was taken out of a backup and checked, in a file of its own beside the database. The file goes with it,
/// unless it was put in the database's place.
pub struct Taken {
    /// The file.
    pub path: PathBuf,
}

impl Drop for Taken {
    fn drop(&mut self) {
        // What cannot be removed now is removed when the next copy is taken.
        remove(&self.path);
    }
}

/// Copies the database as it is at one moment, whatever is written meanwhile, and returns the copy's size in bytes.
/// The file `to` appears whole or not at all, and is readable by its owner alone.
///
/// # Errors
/// When `to` exists, the disk is full, or the database cannot be read.
pub fn copy(database: &Path, to: &Path) -> Result<u64, OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError(format!("cannot copy to {}: {error}", to.display()));
    if to.exists() {
        return Err(failed(&"it exists, and is not overwritten"));
    }
    let part = beside(to, ".part");
    let _left_by_a_crash = fs::remove_file(&part);
    let written = write_copy(database, &part).and_then(|()| {
        // A link, not a renaming: what has appeared under that name meanwhile stays.
        fs::hard_link(&part, to).and_then(|()| settle(to)).map_err(|error| failed(&error))
    });
    let _ = fs::remove_file(&part);
    written?;
    fs::metadata(to).map(|file| file.len()).map_err(|error| failed(&error))
}

fn write_copy(database: &Path, part: &Path) -> Result<(), OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError(format!("cannot copy the database: {error}"));
    let mut conn = sqlite::connect(database)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part);
    let file = file.map_err(|error| failed(&error))?;
    // One read transaction; an empty file is a place that it accepts.
    let into = sql_query("VACUUM INTO $1").bind::<Text, _>(part.to_string_lossy().into_owned());
    into.execute(&mut conn).map_err(|error| failed(&error))?;
    file.sync_all().map_err(|error| failed(&error))
}

/// Takes a copy out of `from` and checks it: that it is sound, ours, and of a schema that this program can bring up to
/// date.
///
/// # Errors
/// When it is not such a copy.
pub fn take(from: &Path, database: &Path) -> Result<Taken, OpenError> {
    let refused = |what: &dyn std::fmt::Display| OpenError(format!("{} is not restored: {what}", from.display()));
    if beside(from, "-wal").exists() {
        return Err(refused(&"a log lies beside it, so it is a database and no copy made by `twofold backup`"));
    }
    let taken = Taken { path: beside(database, ".restoring") };
    remove(&taken.path);
    let copied = File::open(from).and_then(|mut from| {
        let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&taken.path)?;
        io::copy(&mut from, &mut to)?;
        to.sync_all()
    });
    copied.map_err(|error| refused(&error))?;
    let mut conn = SqliteConnection::establish(&taken.path.to_string_lossy()).map_err(|error| refused(&error))?;
    let told: Vec<Told> = sql_query("PRAGMA integrity_check").load(&mut conn).map_err(|error| refused(&error))?;
    match told.first() {
        Some(told) if told.integrity_check == "ok" => {}
        told => return Err(refused(&told.map_or("it cannot be checked", |told| told.integrity_check.as_str()))),
    }
    conn.batch_execute("SELECT id FROM account LIMIT 1").map_err(|_| refused(&"it is no database of Twofold's"))?;
    if let Schema::Newer(version) = migrations::schema_of(&mut AnyConnection::Sqlite(conn))? {
        return Err(refused(&format!("its schema ({version}) is newer than this program")));
    }
    Ok(taken)
}

/// Puts a copy in the database's place; what was there is kept, under a name that ends in
/// `suffix`. Broken off, there is the old database, none, or the new one, never a mixture.
///
/// # Errors
/// When the folder cannot be written.
pub fn put(taken: &Taken, database: &Path, suffix: &str) -> Result<Option<PathBuf>, OpenError> {
    fold(&taken.path)?;
    let failed = |error: io::Error| OpenError(format!("cannot put {} in place: {error}", database.display()));
    let kept = beside(database, suffix);
    let had = database.exists();
    if had {
        // The database first: what is left of it is not one, and a log alone is applied to nothing.
        fs::rename(database, &kept).map_err(failed)?;
    }
    for end in ["-wal", "-shm"] {
        let log = beside(database, end);
        if log.exists() {
            fs::rename(log, beside(&kept, end)).map_err(failed)?;
        }
    }
    fs::rename(&taken.path, database).and_then(|()| settle(database)).map_err(failed)?;
    Ok(had.then_some(kept))
}

/// Brings what is in a copy's log into the file, and leaves no log.
fn fold(taken: &Path) -> Result<(), OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError(format!("cannot close {}: {error}", taken.display()));
    let mut conn = SqliteConnection::establish(&taken.to_string_lossy()).map_err(|error| failed(&error))?;
    conn.batch_execute("PRAGMA journal_mode = DELETE").map_err(|error| failed(&error))?;
    drop(conn);
    if beside(taken, "-wal").exists() {
        return Err(failed(&"somebody else has it open"));
    }
    File::open(taken).and_then(|file| file.sync_all()).map_err(|error| failed(&error))
}

/// Makes the name of a file durable.
fn settle(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn remove(database: &Path) {
    for file in [database.to_owned(), beside(database, "-wal"), beside(database, "-shm")] {
        let _there_may_be_none = fs::remove_file(file);
    }
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(end);
    PathBuf::from(name)
}
