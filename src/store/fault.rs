//! Database errors, as the faults they are. None of them is ever an absence.

use crate::domain::refusal::{Fault, Stop};
use diesel::result::{DatabaseErrorKind, Error};

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            // Two writers made the same row, or PostgreSQL asks for another try. Diesel knows 40001; a
            // deadlock (40P01) comes without its code.
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::UniqueViolation, _) => {
                Self::Contended(text)
            }
            _ if text.contains("deadlock detected") => Self::Contended(text),
            _ => Self::Unavailable(text),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}
