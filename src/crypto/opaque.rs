//! Opaque tokens: refresh tokens, sign-in challenges, and what a remembered device holds. The text is base64url of
//! `row id ‖ 256 random bits ‖ check tag`; the row keeps a keyed hash of the random bits.
//!
//! The check tag tells a token that we once made from one that somebody made up. So a replayed old
//! refresh token can end its session, and a made-up one cannot, though its session's id is no secret.

use super::{
    keyring::{Hashed, Keyring, Purpose},
    random::Random,
};
use crate::domain::{refusal::Fault, secret::Secret};
use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

const ID_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// What an opaque token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpaqueKind {
    /// A refresh token (RFC 6749 §1.5).
    Refresh,
    /// A sign-in that waits for its second factor.
    Challenge,
    /// A device that is remembered.
    Device,
}

/// A token of ours: its check tag was right when it was read.
#[derive(Clone, Debug)]
pub struct Opaque {
    kind: OpaqueKind,
    /// The id of its row.
    pub id: Uuid,
    secret: Secret<[u8; SECRET_BYTES]>,
}

impl OpaqueKind {
    fn purposes(self) -> (Purpose, Purpose) {
        match self {
            Self::Refresh => (Purpose::RefreshToken, Purpose::RefreshTokenTag),
            Self::Challenge => (Purpose::Challenge, Purpose::ChallengeTag),
            Self::Device => (Purpose::DeviceToken, Purpose::DeviceTokenTag),
        }
    }
}

impl Opaque {
    /// Draws a new token for the row `id`.
    ///
    /// # Errors
    /// `unavailable` when the random source fails.
    pub fn draw(random: Random, kind: OpaqueKind, id: Uuid) -> Result<Self, Fault> {
        Ok(Self { kind, id, secret: Secret::new(random.bytes()?) })
    }

    /// Reads a token's text; `None` when we never made it.
    pub fn read(keys: &Keyring, kind: OpaqueKind, text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (id, rest) = bytes.split_first_chunk::<ID_BYTES>()?;
        let (secret, tag) = rest.split_first_chunk::<SECRET_BYTES>()?;
        let is_ours = keys.is_truncated_hash_of(tag, TAG_BYTES, kind.purposes().1, &[id, secret]);
        is_ours.then(|| Self { kind, id: Uuid::from_bytes(*id), secret: Secret::new(*secret) })
    }

    /// The text, for the one answer that shows it.
    ///
    /// # Errors
    /// `unavailable` when the key ring is empty.
    pub fn reveal(&self, keys: &Keyring) -> Result<String, Fault> {
        let tag = keys.hash(self.kind.purposes().1, &[self.id.as_bytes(), self.secret.expose()])?.tag;
        let bytes = [self.id.as_bytes(), &self.secret.expose()[..], &tag[..TAG_BYTES]].concat();
        Ok(BASE64URL_NOPAD.encode(&bytes))
    }

    /// What the row keeps.
    ///
    /// # Errors
    /// `unavailable` when the key ring is empty.
    pub fn hashed(&self, keys: &Keyring) -> Result<Hashed, Fault> {
        keys.hash(self.kind.purposes().0, &[self.id.as_bytes(), self.secret.expose()])
    }

    /// Whether the row's hash is this token's.
    ///
    /// # Errors
    /// `unreadable` when the key of that hash is missing.
    pub fn is(&self, keys: &Keyring, stored: &Hashed) -> Result<bool, Fault> {
        keys.is_hash_of(stored, self.kind.purposes().0, &[self.id.as_bytes(), self.secret.expose()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyfile::{KeyFile, SigningAlgorithm};

    #[test]
    fn only_a_token_that_we_made_is_read_and_only_as_its_kind() {
        let keys = Keyring::new(&KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap()).unwrap();
        let token = Opaque::draw(Random, OpaqueKind::Refresh, Uuid::from_u128(7)).unwrap();
        let text = token.reveal(&keys).unwrap();
        let read = Opaque::read(&keys, OpaqueKind::Refresh, &text).unwrap();
        assert_eq!(read.is(&keys, &token.hashed(&keys).unwrap()), Ok(true));
        assert!(Opaque::read(&keys, OpaqueKind::Challenge, &text).is_none());
        for at in 0..text.len() {
            let mut altered: Vec<char> = text.chars().collect();
            altered[at] = if altered[at] == 'A' { 'B' } else { 'A' };
            assert!(Opaque::read(&keys, OpaqueKind::Refresh, &altered.iter().collect::<String>()).is_none(), "{at}");
        }
        for text in ["", "AAAA", &text[..80], &format!("{text}AAAA")] {
            assert!(Opaque::read(&keys, OpaqueKind::Refresh, text).is_none());
        }
    }
}
