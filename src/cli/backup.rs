//! `backup`, `restore` and `after-restore`: copies of the database, and what a restored one needs before it serves.

use super::{Failure, converse, key_path, out, system_clock};
use crate::{
    actions::{
        Cx, keys,
        restored::{self, Restored},
    },
    config::Config,
    crypto::keyfile::KeyFile,
    store::{self, Location, Store, backup},
};
use std::{path::PathBuf, time::Instant};

/// Where to.
#[derive(clap::Args)]
pub struct Backup {
    /// The file to make; an existing one is never overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Where from.
#[derive(clap::Args)]
pub struct Restore {
    /// A file made by `backup`.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    after: After,
}

/// What a restored database needs.
#[derive(clap::Args)]
pub struct After {
    /// Void every unused recovery code, too: one that was used since the copy was made looks unused in it.
    #[arg(long)]
    void_recovery_codes: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Copies the database while it serves.
pub fn backup(config: &Config, args: &Backup) -> Result<(), Failure> {
    let Location::Sqlite(path) = config.location()? else {
        return Err(Failure::configuration(&format!(
            "PostgreSQL is copied by its own program: run \
             `pg_dump --format=custom --file {} URL`, with the URL of the role that owns the schema",
            args.out.display()
        )));
    };
    let began = Instant::now();
    let bytes = backup::copy(&path, &args.out).map_err(|error| Failure::new(error.0))?;
    let (seconds, file) = (began.elapsed().as_secs_f64(), args.out.display());
    if args.json {
        out::done(serde_json::json!({ "file": file.to_string(), "bytes": bytes, "seconds": seconds }));
    } else {
        out::done(format_args!(
            "{bytes} bytes are in {file} after {seconds:.1} s; the keys are not in it, keep them elsewhere"
        ));
    }
    Ok(())
}

/// Puts a copy in the database's place, made fit to be served.
pub fn restore(config: &Config, args: &Restore) -> Result<(), Failure> {
    let Location::Sqlite(path) = config.location()? else {
        return Err(Failure::configuration(
            "PostgreSQL is restored by its own program: stop every replica, run `pg_restore --clean --if-exists \
             --no-owner --dbname \"$TWOFOLD_DATABASE_URL\" FILE`, then `twofold migrate` and `twofold after-restore`",
        ));
    };
    KeyFile::read(key_path(config)?)?;
    let _lock = Store::claim(&config.location()?)?;
    let taken = backup::take(&args.from, &path).map_err(|error| Failure::new(error.0))?;
    let copy = Config { database_url: format!("sqlite://{}", taken.path.display()), ..config.clone() };
    store::migrate(&copy.location()?)?;
    // All of it happens to the copy: nobody ever finds a database in place that is not fit.
    let restored = converse(&copy, async |cx: &Cx| {
        if let Some(missing) = keys::missing(cx).await?.first() {
            return Err(Failure::new(format!("the copy is not restored: {missing}")));
        }
        Ok(restored::after_restore(cx, args.after.void_recovery_codes).await?)
    })?;
    let kept = backup::put(&taken, &path, &format!(".before-{}", system_clock()().as_second()));
    let kept = kept.map_err(|error| Failure::new(error.0))?;
    tell(&restored, kept, args.after.json);
    Ok(())
}

/// Makes a database that was restored by other means fit to be served.
pub fn after_restore(config: &Config, args: &After) -> Result<(), Failure> {
    let _lock = Store::claim(&config.location()?)?;
    let restored = converse(config, async |cx: &Cx| {
        let serving = restored::served_by(cx).await?;
        if !serving.is_empty() {
            return Err(Failure::new(format!(
                "replicas serve from this database, or did so a moment before the copy was made: {}; stop them, and \
                 try again in a minute and a half",
                serving.join(", ")
            )));
        }
        Ok(restored::after_restore(cx, args.void_recovery_codes).await?)
    })?;
    tell(&restored, None, args.json);
    Ok(())
}

fn tell(restored: &Restored, kept: Option<PathBuf>, as_json: bool) {
    let Restored { accounts, sessions, enrollments, recovery_codes, anchor } = restored;
    if as_json {
        let done = serde_json::json!({
            "accounts": accounts, "sessions": sessions, "enrollments": enrollments, "recovery_codes": recovery_codes,
            "anchor": anchor, "kept": kept,
        });
        out::done(done);
        return;
    }
    out::done(format_args!(
        "{accounts} accounts: {sessions} sessions ended, every code up to now is used, {enrollments} enrolments and \
         {recovery_codes} recovery codes are void; the last anchor of the copy is {anchor}"
    ));
    if let Some(kept) = kept {
        out::done(format_args!(
            "the database that was there is in {}; delete it when nobody misses it",
            kept.display()
        ));
    }
}
