//! The folder of one run. It goes when the run ends, however it ends.

use super::Outcome;
use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A folder on the disk of the build, since a temporary folder may be in memory and know no fsync.
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Where the services' log lines go, if anywhere.
    pub log: Option<PathBuf>,
    warden: Child,
}

impl Folder {
    /// Makes one.
    pub fn make(log: Option<PathBuf>) -> Outcome<Self> {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        // A killed process drops nothing; the shell sees the pipe close and tidies up.
        let warden = Command::new("/bin/sh")
            .args(["-c", "cat >/dev/null; rm -rf \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()?;
        Ok(Self { path, log, warden })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.warden.stdin.take());
        let _ = self.warden.wait();
    }
}
