//! The machine, named, since a figure without its machine says nothing.

use super::{Outcome, figure::median, folder::Folder};
use std::{
    fs::{self, File},
    io::{Seek, Write},
    process::Command,
    time::{Duration, Instant},
};

const SYNCS: u32 = 300;

/// One line about each thing that the figures depend on.
pub fn describe(folder: &Folder, postgres: Option<&str>) -> Outcome<String> {
    let cores = std::thread::available_parallelism()?;
    let cpu = field("/proc/cpuinfo", "model name");
    let memory: f64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let sqlite = twofold_sqlite()?;
    let lines = [
        format!("Date: {}", super::house::now().strftime("%Y-%m-%d %H:%M UTC")),
        format!("Commit: {}{}", told("git", &["rev-parse", "--short", "HEAD"]), dirty()),
        format!("Machine: {cores} cores, {cpu}, {:.0} GB", memory / 1e6),
        format!("Kernel: {}", kernel.trim()),
        format!("Disk: {:.0} µs to overwrite and fdatasync 4 KiB", sync_time(folder)?.as_secs_f64() * 1e6),
        format!("Load before the run: {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim()),
        format!("Compiler: {}", told("rustc", &["--version"])),
        format!("SQLite {sqlite}; {}", postgres.unwrap_or("no PostgreSQL")),
    ];
    Ok(lines.iter().map(|line| format!("- {line}\n")).collect())
}

fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// What a program says in its first line.
pub fn told(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("unknown").to_owned()
}

fn dirty() -> &'static str {
    let is_clean = Command::new("git").args(["diff", "--quiet", "HEAD"]).status().is_ok_and(|status| status.success());
    if is_clean { "" } else { ", with changes" }
}

fn twofold_sqlite() -> Outcome<String> {
    use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let mut conn = SqliteConnection::establish(":memory:")?;
    let version: Version = sql_query("SELECT sqlite_version() AS version").get_result(&mut conn)?;
    Ok(version.version)
}

/// What a durable commit takes at the least: the median of overwriting one block and waiting for the disk.
fn sync_time(folder: &Folder) -> Outcome<Duration> {
    let mut file = File::create(folder.path.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        file.rewind()?;
        file.write_all(&[7; 4096])?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(began.elapsed());
    }
    Ok(median(times))
}
