//! Watching the key file, so that a service takes other keys into use without a restart.
//!
//! It is looked at, not signalled: what delivers secrets to a container exchanges files and sends no signals, and a
//! signal that reached all processes but one would not show.

use super::keyfile::{KeyFile, Unfit};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// A key file, and what it looked like when it was last read.
pub struct Watch {
    path: PathBuf,
    seen: Option<Look>,
}

/// What tells one state of a file from another: device, inode, size, and the time of its last change, of its mode too.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look(u64, u64, u64, i64, i64);

impl Watch {
    /// Watches a file that was not looked at yet.
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: None }
    }

    /// The file, if it is not the one that was read last. One that is missing for a moment has not changed.
    pub fn changed(&mut self) -> Option<Result<KeyFile, Unfit>> {
        let look = fs::metadata(&self.path)
            .map(|file| Look(file.dev(), file.ino(), file.size(), file.ctime(), file.ctime_nsec()))
            .ok()?;
        if self.seen == Some(look) {
            return None;
        }
        self.seen = Some(look);
        Some(KeyFile::read(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyfile::SigningAlgorithm;

    #[test]
    fn a_file_is_read_once_and_again_when_it_was_exchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let mut watch = Watch::of(&path);
        assert!(watch.changed().is_none(), "there is none");
        let mut keys = KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap();
        keys.write(&path).unwrap();
        assert!(watch.changed().unwrap().is_ok());
        assert!(watch.changed().is_none());
        keys.sealing.extend(KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap().sealing);
        keys.replace(&path).unwrap();
        assert_eq!(watch.changed().unwrap().unwrap().sealing.len(), 2);
        fs::write(&path, "half a fi").unwrap();
        assert!(watch.changed().unwrap().is_err());
        assert!(watch.changed().is_none(), "it is told once");
    }
}
