//! Standard output. Whoever reads it may have read enough (`| head -1`): then a command ends without a word, as one
//! does that a closed pipe ends by a signal, which is ignored in Rust.

use super::Failure;
use crate::domain::refusal::Fault;
use std::{
    cell::RefCell,
    fmt::Display,
    io::{self, Write, stdout},
};

/// What a shell shows of a program that SIGPIPE (13) has ended.
pub const CLOSED: u8 = 128 + 13;

/// Prints a line that a command is run for.
///
/// # Errors
/// When it cannot be written.
pub fn say(line: impl Display) -> io::Result<()> {
    print(format_args!("{line}\n"))
}

/// Prints a text as it is.
///
/// # Errors
/// When it cannot be written.
pub fn print(text: impl Display) -> io::Result<()> {
    let mut out = stdout().lock();
    write!(out, "{text}")?;
    out.flush()
}

/// Prints a line about what is done: that stays done, whether or not anybody reads of it.
pub fn done(line: impl Display) {
    let _ = say(line);
}

/// Why a line could not be written, where lines are written by rooms below that know faults alone.
#[derive(Default)]
pub struct Broken(RefCell<Option<io::Error>>);

impl Broken {
    /// Keeps the error, and stands it for a fault meanwhile.
    pub fn keep(&self, error: io::Error) -> Fault {
        let fault = Fault::Unavailable(format!("cannot print: {error}"));
        self.0.replace(Some(error));
        fault
    }

    /// The error that was kept, or else how it came out.
    ///
    /// # Errors
    /// Either.
    pub fn or<T>(&self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        match self.0.take() {
            Some(error) => Err(error.into()),
            None => outcome,
        }
    }
}
