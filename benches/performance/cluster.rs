//! A throw-away PostgreSQL, from whatever server is installed, as durable as it is by default: `fsync` is on.

use super::{Outcome, folder::Folder, machine::told, process, sql::Sql};
use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// More than four replicas and the largest pgbench take together.
const SETTINGS: &str = "-c listen_addresses= -c max_connections=200";
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    // It ends when this process does: the shell waits for the other end of its pipe to close.
    shell: Child,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

impl Cluster {
    /// Makes a cluster and starts it; none where no server is installed.
    pub fn start(folder: &Folder) -> Outcome<Option<Self>> {
        let Some(programs) = installed() else { return Ok(None) };
        let folder = folder.path.join("postgres");
        fs::create_dir_all(&folder)?;
        if let Some((user, group)) = unprivileged() {
            chown(&folder, Some(user), Some(group))?;
        }
        let made = as_server(&programs.join("initdb"), &folder)
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "-D", "data"])
            .output()?;
        if !made.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let script = format!(
            "\"$0\" -D \"$1/data\" -k \"$1\" {SETTINGS} >\"$1/log\" 2>&1 & \
             pid=$!; cat >/dev/null; kill -INT $pid 2>/dev/null; wait $pid; rm -rf \"$1/data\""
        );
        let shell = as_server(Path::new("/bin/sh"), &folder)
            .args(["-c", &script])
            .arg(programs.join("postgres"))
            .arg(&folder)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let cluster = Self { folder, programs, shell };
        cluster.wait()?;
        Ok(Some(cluster))
    }

    fn wait(&self) -> Outcome<()> {
        let began = Instant::now();
        while let Err(error) = Sql::open(&self.url("postgres")) {
            if began.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("PostgreSQL does not start: {error}; {log}").into());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// A fresh database.
    pub fn database(&self, name: &str) -> Outcome<String> {
        Sql::open(&self.url("postgres"))?.run(&format!("CREATE DATABASE {name}"))?;
        Ok(self.url(name))
    }

    /// Where a database of it is.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user=postgres", self.folder.display())
    }

    /// Its version.
    pub fn version(&self) -> String {
        told(&self.programs.join("postgres").display().to_string(), &["--version"])
    }

    /// CPU of all its processes.
    pub fn cpu(&self) -> Duration {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        let first = file.lines().next().and_then(|line| line.parse().ok());
        first.map_or(Duration::ZERO, process::cpu_of_family)
    }

    /// What one of its programs prints, run in its folder.
    pub fn output_of(&self, program: &str, arguments: &[&str]) -> Outcome<String> {
        let ended = as_server(&self.programs.join(program), &self.folder).args(arguments).output()?;
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        if ended.status.success() {
            return Ok(said);
        }
        Err(format!("{program}: {said}{}", String::from_utf8_lossy(&ended.stderr)).into())
    }

    /// Writes a file that its programs can read.
    pub fn write(&self, name: &str, text: &str) -> Outcome<()> {
        Ok(fs::write(self.folder.join(name), text)?)
    }
}

fn installed() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut packaged: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    packaged.sort();
    let is_complete = |bin: &PathBuf| ["initdb", "postgres", "pgbench"].iter().all(|name| bin.join(name).is_file());
    packaged.into_iter().rfind(is_complete)
}

/// A program, run as the server's user.
fn as_server(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = unprivileged() {
        command.uid(user).gid(group);
    }
    command.current_dir(folder).env("HOME", folder);
    command
}

/// PostgreSQL does not run as root; then it runs as its own user.
fn unprivileged() -> Option<(u32, u32)> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let fields: Vec<&str> = line.split(':').collect();
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)).filter(|_| is_root)
}
