//! The secret of a partner's client: 256 random bits, of which a keyed hash is kept.
//!
//! Its text begins with a word, so that whoever looks for lost secrets finds it. Unlike an opaque token it has no check
//! tag: a tag would hold on to its key for as long as the secret lives, and so would an old key never be dropped.

use super::{
    keyring::{Hashed, Keyring, Purpose},
    random::Random,
};
use crate::domain::{id::ClientId, refusal::Fault, secret::Secret};
use data_encoding::BASE64URL_NOPAD;

const PREFIX: &str = "twofold_secret_";
const BYTES: usize = 32;

/// A client's secret, or what somebody presents as one.
#[derive(Clone, Debug)]
pub struct ClientSecret(Secret<String>);

impl ClientSecret {
    /// Draws a new one.
    ///
    /// # Errors
    /// `unavailable` when the random source fails.
    pub fn draw(random: Random) -> Result<Self, Fault> {
        let bytes = Secret::new(random.bytes::<BYTES>()?);
        Ok(Self(Secret::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(bytes.expose())))))
    }

    /// What somebody presents.
    pub fn presented(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// The text, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        self.0.expose()
    }

    /// What the client's row keeps.
    ///
    /// # Errors
    /// `unavailable` when the key ring is empty.
    pub fn hashed(&self, keys: &Keyring, client: ClientId) -> Result<Hashed, Fault> {
        keys.hash(Purpose::ClientSecret, &[client.0.as_bytes(), self.0.expose().as_bytes()])
    }

    /// Whether a row's hash is this secret's.
    ///
    /// # Errors
    /// `unreadable` when the key of that hash is missing.
    pub fn is(&self, keys: &Keyring, client: ClientId, stored: &Hashed) -> Result<bool, Fault> {
        keys.is_hash_of(stored, Purpose::ClientSecret, &[client.0.as_bytes(), self.0.expose().as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyfile::{KeyFile, SigningAlgorithm};
    use uuid::Uuid;

    #[test]
    fn a_secret_is_one_clients_and_long() {
        let keys = Keyring::new(&KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap()).unwrap();
        let (one, other) = (ClientId(Uuid::from_u128(1)), ClientId(Uuid::from_u128(2)));
        let secret = ClientSecret::draw(Random).unwrap();
        let stored = secret.hashed(&keys, one).unwrap();
        assert_eq!(secret.reveal().len(), PREFIX.len() + 43);
        let again = ClientSecret::presented(secret.reveal().to_owned());
        assert_eq!(again.is(&keys, one, &stored), Ok(true));
        assert_eq!(again.is(&keys, other, &stored), Ok(false));
        for text in ["", PREFIX, &secret.reveal()[1..], &format!("{} ", secret.reveal())] {
            assert_eq!(ClientSecret::presented(text.to_owned()).is(&keys, one, &stored), Ok(false), "{text:?}");
        }
        assert!(!format!("{secret:?} {stored}").contains(&secret.reveal()[PREFIX.len()..]));
    }
}
