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

    /// A UUIDv7 of the moment `at` (RFC 9562 §5.7). `order` ranks ids of one millisecond.
    ///
    /// # Errors
    /// As [`Random::bytes`].
    pub fn ordered_id<T: From<Uuid>>(self, at: Timestamp, order: u8) -> Result<T, Fault> {
        let mut bytes: [u8; 10] = self.bytes()?;
        // The four bits after the version nibble of the first byte, then the second: `rand_a`.
        (bytes[0], bytes[1]) = (order >> 4, (order << 4) | (bytes[1] & 0x0f));
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        Ok(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().into())
    }

    /// A UUIDv7 of the moment `at`.
    ///
    /// # Errors
    /// As [`Random::bytes`].
    pub fn id<T: From<Uuid>>(self, at: Timestamp) -> Result<T, Fault> {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        Ok(Builder::from_unix_timestamp_millis(millis, &self.bytes()?).into_uuid().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_keep_the_order_asked_for() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let ids: Vec<Uuid> = (0..=255).map(|order| Random.ordered_id(at, order).unwrap()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].get_version_num(), 7);
    }
}
