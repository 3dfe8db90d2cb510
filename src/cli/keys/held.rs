//! A key file that nobody else changes meanwhile.

use crate::{
    cli::{Failure, key_path},
    config::Config,
    crypto::keyfile::KeyFile,
};
use std::{
    fs::{self, File, TryLockError},
    path::PathBuf,
};

/// The key file that the configuration names, held until this is dropped.
pub struct Held {
    /// Its keys.
    pub keys: KeyFile,
    /// Where it is.
    pub path: PathBuf,
    // The folder: the file itself is exchanged.
    _lock: File,
}

impl Held {
    /// Takes the file.
    pub fn take(config: &Config) -> Result<Self, Failure> {
        let named = key_path(config)?;
        // Read first: it says what is wrong with a file that is not there.
        KeyFile::read(named)?;
        let path = fs::canonicalize(named)?;
        let lock = File::open(path.parent().unwrap_or(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { keys: KeyFile::read(&path)?, path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(format!("somebody else is changing {}; wait for them", path.display())))
            }
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Changes the keys, on the disk as well.
    pub fn change(&mut self, edit: impl FnOnce(&mut KeyFile)) -> Result<(), Failure> {
        edit(&mut self.keys);
        Ok(self.keys.replace(&self.path)?)
    }
}
