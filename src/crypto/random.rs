//! The random source: the operating system's, through AWS-LC.

use crate::domain::refusal::Fault;
use jiff::Timestamp;
use uuid::{Builder, Uuid};

/// Randomness as a value that is passed in, so that nothing draws it behind a caller's back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Random {
    /// `N` random bytes.
    ///
    /// # Errors
    /// `unavailable` when the operating system gives none: no secret is ever weak instead.
    pub fn bytes<const N: usize>(self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Fault::Unavailable("no randomness".to_owned()))?;
        Ok(bytes)
    }

    /// A random integer.
    ///
    /// # Errors
    /// As [`Random::bytes`].
    pub fn integer(self) -> Result<i64, Fault> {
        self.bytes().map(i64::from_le_bytes)
    }

    /// A UUIDv7 of the moment `at` (RFC 9562 §5.7).
    ///
    /// # Errors
    /// As [`Random::bytes`].
    pub fn id<T: From<Uuid>>(self, at: Timestamp) -> Result<T, Fault> {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        Ok(Builder::from_unix_timestamp_millis(millis, &self.bytes()?).into_uuid().into())
    }
}
