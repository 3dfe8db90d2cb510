//! A throw-away PostgreSQL server of this test process, from whatever server is installed.
#![allow(clippy::disallowed_methods, reason = "the environment says where to look and whether it is required")]

use super::pooler::{self, Pooler};
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    env, fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use twofold::store::{self, Location};

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static POOLER: OnceLock<Option<Pooler>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);
/// The template takes one copy at a time.
static COPYING: Mutex<()> = Mutex::new(());
static WAY: OnceLock<&str> = OnceLock::new();

/// A server of the test's own: its files, and what keeps it.
pub struct Server {
    pub folder: PathBuf,
    pub port: u16,
    // It ends when this process does: each shell waits for the other end of its pipe to close.
    shells: Mutex<Vec<Child>>,
}

#[derive(diesel::QueryableByName)]
struct Answer {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    holds: bool,
}

/// The URL of a fresh, migrated database; `None` where no server is installed, unless one is required.
pub fn fresh_database() -> Option<String> {
    let server = SERVER.get_or_init(start).as_ref();
    let Some(server) = server else {
        assert!(
            env::var("TWOFOLD_TEST_POSTGRES").as_deref() != Ok("required"),
            "PostgreSQL is required and not installed"
        );
        eprintln!("skipped: no PostgreSQL server is installed (looked on PATH and in /usr/lib/postgresql/*/bin)");
        return None;
    };
    let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let _one_at_a_time = COPYING.lock().unwrap();
    // Copied as files where the server has the choice, which takes half as long.
    let has_choice = || server.holds("current_setting('server_version_num')::int >= 150000");
    let way = WAY.get_or_init(|| if has_choice() { "STRATEGY FILE_COPY" } else { "" });
    server.execute(&format!("CREATE DATABASE {name} TEMPLATE migrated {way}"));
    match POOLER.get_or_init(|| pooler::is_asked_for().then(|| Pooler::before(server, 4).unwrap())) {
        Some(pooler) => Some(pooler.url(&name)),
        None => Some(server.url(&name)),
    }
}

fn start() -> Option<Server> {
    let server = Server::new("shared")?;
    server.initialise();
    server.start(&["fsync=off"]);
    server.execute("CREATE DATABASE migrated");
    store::migrate(&Location::parse(&server.url("migrated")).unwrap()).unwrap();
    Some(server)
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its folder is gone before another one takes its name.
        for shell in self.shells.get_mut().unwrap() {
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
    }
}

impl Server {
    /// One with a folder, and nothing in it; `None` where no server is installed.
    pub fn new(name: &str) -> Option<Self> {
        Self::at(name, 5432)
    }

    /// One with a port of its own, by which its socket is named too.
    pub fn at(name: &str, port: u16) -> Option<Self> {
        installed()?;
        let folder = PathBuf::from(format!("/tmp/twofold-test-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        give_to_server(&folder);
        Some(Self { folder, port, shells: Mutex::default() })
    }

    /// Makes an empty cluster.
    pub fn initialise(&self) {
        self.succeeds("initdb", &["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "-D", "data"]);
    }

    /// Starts it, and waits until it answers.
    pub fn start(&self, settings: &[&str]) {
        let fixed = ["listen_addresses=", "max_connections=300", "shared_buffers=64MB", "deadlock_timeout=200ms"];
        let port = format!("port={}", self.port);
        let settings = fixed
            .iter()
            .chain([&port.as_str()])
            .chain(settings)
            .map(|setting| format!("-c {setting}"))
            .collect::<Vec<_>>()
            .join(" ");
        // The shell outlives nothing: when the pipe closes, it stops the server and removes its files.
        let script = format!(
            "\"$0\" -D \"$1/data\" -k \"$1\" {settings} >>\"$1/log\" 2>&1 & \
             pid=$!; cat >/dev/null; kill -INT $pid 2>/dev/null; wait $pid; rm -rf \"$1\""
        );
        let shell = as_server(Path::new("/bin/sh"), &self.folder)
            .args(["-c", &script])
            .arg(installed().unwrap().join("postgres"))
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        self.shells.lock().unwrap().push(shell);
        self.wait_until_it_answers();
    }

    /// A standby that has everything before this one says that it is committed.
    pub fn standby(&self, name: &str) -> Self {
        let standby = Self::new(name).unwrap();
        let source = format!("host={} user=postgres", self.folder.display());
        standby.succeeds("pg_basebackup", &["-D", "data", "-R", "-X", "stream", "--checkpoint=fast", "-d", &source]);
        standby.start(&["hot_standby=on"]);
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.execute("SELECT pg_reload_conf()");
        let began = Instant::now();
        while !self.holds("EXISTS (SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync')") {
            assert!(began.elapsed() < Duration::from_secs(30), "the standby does not follow");
            thread::sleep(Duration::from_millis(50));
        }
        standby
    }

    /// Crashes it, and waits until its last process is gone: until then it may go on answering.
    pub fn crash(&self) {
        let began = Instant::now();
        self.signal(Signal::QUIT);
        // Its first process goes last, and takes this file with it.
        while self.folder.join("data/postmaster.pid").exists() {
            assert!(began.elapsed() < Duration::from_secs(30), "PostgreSQL does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends its first process a signal.
    pub fn signal(&self, signal: Signal) {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let pid = file.lines().next().unwrap().parse().ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Runs one of its programs in its folder.
    pub fn succeeds(&self, program: &str, arguments: &[&str]) {
        let ended = self.runs(program, arguments);
        assert!(ended.status.success(), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
    }

    /// Runs one of its programs in its folder, and says how it ended.
    pub fn runs(&self, program: &str, arguments: &[&str]) -> Output {
        as_server(&installed().unwrap().join(program), &self.folder).args(arguments).output().unwrap()
    }

    /// Where a database of it is.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&port={}&user=postgres", self.folder.display(), self.port)
    }

    /// Runs a statement as its superuser.
    pub fn execute(&self, statement: &str) {
        let mut conn = PgConnection::establish(&self.url("postgres")).unwrap();
        sql_query(statement).execute(&mut conn).unwrap();
    }

    /// Whether a condition of SQL holds.
    pub fn holds(&self, condition: &str) -> bool {
        let mut conn = PgConnection::establish(&self.url("postgres")).unwrap();
        let answer: Answer = sql_query(format!("SELECT {condition} AS holds")).get_result(&mut conn).unwrap();
        answer.holds
    }

    /// Waits until it takes connections.
    pub fn wait_until_it_answers(&self) {
        let began = Instant::now();
        while PgConnection::establish(&self.url("postgres")).is_err() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(60), "PostgreSQL does not start: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Where the programs of the server are.
pub fn installed() -> Option<PathBuf> {
    let on_path = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut packaged: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    packaged.sort();
    let is_complete = |bin: &PathBuf| bin.join("initdb").is_file() && bin.join("postgres").is_file();
    packaged.into_iter().rev().chain(on_path).find(is_complete)
}

/// Lets the server write in a folder.
pub fn give_to_server(folder: &Path) {
    if let Some((uid, gid)) = unprivileged() {
        chown(folder, Some(uid), Some(gid)).unwrap();
    }
}

/// A program, run as the server's user.
pub fn as_server(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = unprivileged() {
        command.uid(uid).gid(gid);
    }
    command.current_dir(folder).env("HOME", folder);
    command
}

/// Everything in a database, as text.
pub fn dump(url: &str) -> String {
    let dumped = Command::new(installed().unwrap().join("pg_dump")).args(["--data-only", url]).output().unwrap();
    assert!(dumped.status.success(), "pg_dump: {}", String::from_utf8_lossy(&dumped.stderr));
    String::from_utf8(dumped.stdout).unwrap()
}

/// PostgreSQL does not run as root; then it runs as its own user, or as nobody.
fn unprivileged() -> Option<(u32, u32)> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let fields: Vec<&str> = line.split(':').collect();
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    is_root.then(|| entry("postgres").or_else(|| entry("nobody")).unwrap_or((65534, 65534)))
}
