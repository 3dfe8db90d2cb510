//! PgBouncer in transaction mode between the service and a throw-away server, as Debian packages it.
#![allow(clippy::disallowed_methods, reason = "the environment says whether it is asked for")]

use super::postgres::{Server, as_server, give_to_server};
use diesel::{Connection, PgConnection};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Where Debian has it, unless `TWOFOLD_TEST_PGBOUNCER` names another one by its path.
const PROGRAM: &str = "/usr/sbin/pgbouncer";
/// The first that can keep account of prepared statements.
pub const KNOWS_PREPARED: (u32, u32) = (1, 21);

/// A pooler of the test's own; it ends with this process.
pub struct Pooler {
    folder: PathBuf,
    shell: Child,
    settings: String,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Whether every fresh database is to be reached through PgBouncer, without statements that stay prepared.
pub fn is_asked_for() -> bool {
    env::var("TWOFOLD_TEST_POOLER").as_deref() == Ok("pgbouncer")
}

fn program() -> String {
    env::var("TWOFOLD_TEST_PGBOUNCER").ok().filter(|named| named.starts_with('/')).unwrap_or_else(|| PROGRAM.to_owned())
}

/// Its version, such as (1, 18); `None` where it is not installed, unless it is required.
pub fn installed() -> Option<(u32, u32)> {
    let Ok(told) = Command::new(program()).arg("--version").output() else {
        let is_required = env::var("TWOFOLD_TEST_PGBOUNCER").as_deref() == Ok("required");
        assert!(!is_required, "PgBouncer is required and not installed");
        eprintln!("skipped: PgBouncer is not installed");
        return None;
    };
    let text = String::from_utf8(told.stdout).unwrap();
    let mut numbers = text.split_whitespace().nth(1).unwrap().split('.').map(|number| number.parse().unwrap());
    Some((numbers.next().unwrap(), numbers.next().unwrap()))
}

impl Pooler {
    /// One before `server`, with so many connections to each of its databases; `None` where it is not installed.
    pub fn before(server: &Server, connections: usize) -> Option<Self> {
        let version = installed()?;
        let folder = server.folder.with_extension("pooler");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        give_to_server(&folder);
        fs::write(folder.join("users"), "\"postgres\" \"\"\n").unwrap();
        // The shell outlives nothing: when the pipe closes, it stops the pooler and removes its files.
        let script = "\"$0\" -q \"$1/ini\" >>\"$1/log\" 2>&1 & \
                      pid=$!; echo $pid >\"$1/pid\"; cat >/dev/null; kill -TERM $pid 2>/dev/null; wait $pid; rm -rf \"$1\"";
        let prepared = if version >= KNOWS_PREPARED { "max_prepared_statements = 200\n" } else { "" };
        let settings = format!("default_pool_size = {connections}\n{prepared}");
        write_settings(&folder, server, &settings);
        let shell = as_server(Path::new("/bin/sh"), &folder)
            .args(["-c", script, &program()])
            .arg(&folder)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let pooler = Self { folder, shell, settings };
        pooler.until_it_answers();
        Some(pooler)
    }

    /// Where a database is when it is reached through it.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&port=6432&user=postgres", self.folder.display())
    }

    /// Leads to another server from now on; clients keep their connections.
    pub fn turn_to(&self, server: &Server) {
        write_settings(&self.folder, server, &self.settings);
        let pid = fs::read_to_string(self.folder.join("pid")).unwrap();
        kill_process(pid.trim().parse().ok().and_then(Pid::from_raw).unwrap(), Signal::HUP).unwrap();
    }

    fn until_it_answers(&self) {
        let began = Instant::now();
        while PgConnection::establish(&self.url("postgres")).is_err() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(20), "PgBouncer does not start: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn write_settings(folder: &Path, server: &Server, own: &str) {
    let settings = format!(
        "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {here}\n\
         auth_type = trust\nauth_file = {here}/users\npool_mode = transaction\nmax_client_conn = 1000\n\
         server_idle_timeout = 5\n{own}",
        server.folder.display(),
        server.port,
        here = folder.display(),
    );
    fs::write(folder.join("ini"), settings).unwrap();
}
