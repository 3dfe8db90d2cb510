//! The keys in memory. In every ring the first key makes and all of them open, so that keys rotate
//! without a flag day; what a key made carries the key's id.

use super::{
    jwks,
    keyfile::{KeyFile, SymmetricKey, Unfit},
    random::Random,
    token::Signer,
};
use crate::domain::{refusal::Fault, replica::KeyIds, secret::Secret};
use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use data_encoding::HEXLOWER;
use std::{fmt, str::FromStr};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// The first byte of sealed bytes: the layout `1 ‖ id length ‖ id ‖ nonce ‖ ciphertext and tag`.
const SEALED_V1: u8 = 1;

/// All keys of an installation.
pub struct Keyring {
    sealing: Vec<(String, LessSafeKey)>,
    hashing: Vec<(String, hmac::Key)>,
    naming: hmac::Key,
    audit: Vec<(String, hmac::Key)>,
    /// The keys of access tokens.
    pub signer: Signer,
    /// The names of all of them.
    pub ids: KeyIds,
}

/// Where a sealed value lives; it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Whose value it is: an account's, or a client's.
    pub owner: Uuid,
    /// Which thing's of theirs: a method's, or a webhook's.
    pub thing: Uuid,
    /// Which column's.
    pub column: &'static str,
}

/// A sealed value, fit to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl Sealed {
    /// The id of the key that it was sealed with; `None` when it is no sealed value at all.
    pub fn key_id(&self) -> Option<&str> {
        let (&[_, id_length], rest) = self.0.split_first_chunk()?;
        std::str::from_utf8(rest.get(..usize::from(id_length))?).ok()
    }
}

/// A keyed hash and the id of its key, fit to be stored as `key-id:hex`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// The key's id.
    pub key_id: String,
    /// HMAC-SHA-256 (RFC 2104).
    pub tag: Vec<u8>,
}

impl fmt::Display for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key_id, HEXLOWER.encode(&self.tag))
    }
}

impl FromStr for Hashed {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (key_id, tag) = text.split_once(':').ok_or(())?;
        Ok(Self { key_id: key_id.to_owned(), tag: HEXLOWER.decode(tag.as_bytes()).map_err(|_| ())? })
    }
}

/// What a keyed hash is for: hashes of one purpose are worth nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A recovery code, as stored.
    RecoveryCode,
    /// A bypass code, as stored.
    BypassCode,
    /// A code that is sent, as stored.
    SentCode,
    /// A refresh token, as stored.
    RefreshToken,
    /// A sign-in challenge, as stored.
    Challenge,
    /// The check tag inside a refresh token.
    RefreshTokenTag,
    /// The check tag inside a challenge.
    ChallengeTag,
    /// The token of a remembered device, as stored.
    DeviceToken,
    /// The check tag inside such a token.
    DeviceTokenTag,
    /// An idempotency key.
    IdempotencyKey,
    /// The body of an idempotent request.
    Fingerprint,
    /// An e-mail address, as the name of a bucket.
    Email,
    /// A telephone number, as the name of a bucket.
    Phone,
    /// A network address, as the name of a bucket.
    Address,
    /// A session of the portal's, as an id of ours.
    PortalSession,
    /// The secret of a client, as stored.
    ClientSecret,
    /// The password hash that a client sent for an account.
    ProvisionedHash,
    /// The id of a passkey, as the name that it is found by.
    Passkey,
    /// The check tag of a link that takes a disable back.
    Undo,
    /// The check tag of a link that ends the reminders of a disable.
    StopReminders,
}

impl Keyring {
    /// Takes the keys of a file into use.
    ///
    /// # Errors
    /// When a key of the file is malformed.
    pub fn new(file: &KeyFile) -> Result<Self, Unfit> {
        let sealing = |key: &SymmetricKey| -> Result<_, String> {
            let secret = key.secret()?;
            let unbound = UnboundKey::new(&AES_256_GCM_SIV, secret.expose()).map_err(|_| "is not a key".to_owned())?;
            Ok((key.id.clone(), LessSafeKey::new(unbound)))
        };
        let mac = |key: &SymmetricKey| -> Result<_, String> {
            Ok((key.id.clone(), hmac::Key::new(hmac::HMAC_SHA256, key.secret()?.expose())))
        };
        Ok(Self {
            sealing: file.sealing.iter().map(sealing).collect::<Result<_, _>>().map_err(Unfit)?,
            hashing: file.hashing.iter().map(mac).collect::<Result<_, _>>().map_err(Unfit)?,
            naming: mac(&file.naming).map_err(Unfit)?.1,
            audit: file.audit.iter().map(mac).collect::<Result<_, _>>().map_err(Unfit)?,
            signer: jwks::signer(&file.signing).map_err(Unfit)?,
            ids: file.ids(),
        })
    }

    /// Seals `secret` for one cell (AES-256-GCM-SIV, RFC 8452).
    ///
    /// # Errors
    /// `unavailable` when the random source fails.
    pub fn seal(&self, random: Random, cell: Cell, secret: &[u8]) -> Result<Sealed, Fault> {
        let (id, key) = first(&self.sealing)?;
        let nonce: [u8; NONCE_LEN] = random.bytes()?;
        let mut text = secret.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(cell.bytes(id)), &mut text)
            .map_err(|_| Fault::Unavailable("sealing failed".to_owned()))?;
        let id_length = u8::try_from(id.len()).map_err(|_| Fault::Unavailable("key id too long".to_owned()))?;
        Ok(Sealed([&[SEALED_V1, id_length], id.as_bytes(), &nonce[..], &text].concat()))
    }

    /// Opens what was sealed for this very cell.
    ///
    /// # Errors
    /// `unreadable` when it was sealed for another cell, was altered, or its key is missing: an alarm,
    /// never an absence.
    pub fn open(&self, cell: Cell, sealed: &Sealed) -> Result<Secret<Vec<u8>>, Fault> {
        let unreadable = || Fault::Unreadable(format!("{} of {}", cell.column, cell.thing));
        let (&[version, id_length], rest) = sealed.0.split_first_chunk().ok_or_else(unreadable)?;
        let (id, rest) = rest.split_at_checked(usize::from(id_length)).ok_or_else(unreadable)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(unreadable)?;
        let (id, key) = self.sealing.iter().find(|(name, _)| name.as_bytes() == id).ok_or_else(unreadable)?;
        let mut text = text.to_vec();
        let opened = key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(cell.bytes(id)), &mut text)
            .map(|plain| plain.to_vec());
        opened.ok().filter(|_| version == SEALED_V1).map(Secret::new).ok_or_else(unreadable)
    }

    /// The keyed hash of `parts` for one purpose.
    ///
    /// # Errors
    /// `unavailable` when the ring is empty, which a checked key file never is.
    pub fn hash(&self, purpose: Purpose, parts: &[&[u8]]) -> Result<Hashed, Fault> {
        let (id, key) = first(&self.hashing)?;
        Ok(Hashed { key_id: id.clone(), tag: tag(key, purpose, parts).as_ref().to_vec() })
    }

    /// Whether `hashed` is the hash of `parts`, compared in constant time.
    ///
    /// # Errors
    /// `unreadable` when its key is not in the ring: it may be the hash, and we cannot know.
    pub fn is_hash_of(&self, hashed: &Hashed, purpose: Purpose, parts: &[&[u8]]) -> Result<bool, Fault> {
        let key = self.hashing.iter().find(|(id, _)| *id == hashed.key_id);
        let (_, key) = key.ok_or_else(|| Fault::Unreadable(format!("hashing key {} is missing", hashed.key_id)))?;
        Ok(hmac::verify(key, &message(purpose, parts), &hashed.tag).is_ok())
    }

    /// The name of `parts` for one purpose, in which they cannot be read.
    pub fn name(&self, purpose: Purpose, parts: &[&[u8]]) -> Vec<u8> {
        tag(&self.naming, purpose, parts).as_ref().to_vec()
    }

    /// Whether `start` is the first `length` bytes of the name of `parts`, compared in constant time.
    pub fn is_truncated_name_of(&self, start: &[u8], length: usize, purpose: Purpose, parts: &[&[u8]]) -> bool {
        tag(&self.naming, purpose, parts).as_ref()[..length].ct_eq(start).into()
    }

    /// Whether `start` is the first `length` bytes of the hash of `parts` under any key of the ring.
    pub fn is_truncated_hash_of(&self, start: &[u8], length: usize, purpose: Purpose, parts: &[&[u8]]) -> bool {
        let is_under = |key: &hmac::Key| tag(key, purpose, parts).as_ref()[..length].ct_eq(start).into();
        self.hashing.iter().any(|(_, key)| is_under(key))
    }

    /// The chain hash of an audit row: over all its fields and the hash before it.
    ///
    /// # Errors
    /// `unreadable` when the audit key `key_id` is not in the ring.
    pub fn chain(&self, key_id: &str, fields: &[&[u8]]) -> Result<Vec<u8>, Fault> {
        let key = self.audit.iter().find(|(id, _)| id == key_id);
        let (_, key) = key.ok_or_else(|| Fault::Unreadable(format!("audit key {key_id} is missing")))?;
        Ok(hmac::sign(key, &length_prefixed(fields)).as_ref().to_vec())
    }

    /// The id of the audit key that chains new rows.
    ///
    /// # Errors
    /// `unavailable` when the ring is empty.
    pub fn audit_key(&self) -> Result<&str, Fault> {
        first(&self.audit).map(|(id, _)| id.as_str())
    }
}

impl Cell {
    fn bytes(&self, key_id: &str) -> Vec<u8> {
        let (owner, thing) = (self.owner.to_string(), self.thing.to_string());
        length_prefixed(&[
            b"twofold",
            &[SEALED_V1],
            owner.as_bytes(),
            thing.as_bytes(),
            self.column.as_bytes(),
            key_id.as_bytes(),
        ])
    }
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::RecoveryCode => b"recovery-code",
            Self::BypassCode => b"bypass-code",
            Self::SentCode => b"sent-code",
            Self::RefreshToken => b"refresh-token",
            Self::Challenge => b"challenge",
            Self::RefreshTokenTag => b"refresh-token-tag",
            Self::ChallengeTag => b"challenge-tag",
            Self::DeviceToken => b"device-token",
            Self::DeviceTokenTag => b"device-token-tag",
            Self::IdempotencyKey => b"idempotency-key",
            Self::Fingerprint => b"fingerprint",
            Self::Email => b"email",
            Self::Phone => b"phone",
            Self::Address => b"address",
            Self::PortalSession => b"portal-session",
            Self::ClientSecret => b"client-secret",
            Self::ProvisionedHash => b"provisioned-hash",
            Self::Passkey => b"passkey",
            Self::Undo => b"undo",
            Self::StopReminders => b"stop-reminders",
        }
    }
}

fn first<K>(ring: &[(String, K)]) -> Result<&(String, K), Fault> {
    ring.first().ok_or_else(|| Fault::Unavailable("a key ring is empty".to_owned()))
}

fn tag(key: &hmac::Key, purpose: Purpose, parts: &[&[u8]]) -> hmac::Tag {
    hmac::sign(key, &message(purpose, parts))
}

fn message(purpose: Purpose, parts: &[&[u8]]) -> Vec<u8> {
    let mut message = length_prefixed(&[purpose.label()]);
    message.extend(length_prefixed(parts));
    message
}

/// Each part behind its length, so that no two lists of parts give the same bytes.
fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyfile::SigningAlgorithm;
    use jiff::Timestamp;

    fn ring() -> Keyring {
        Keyring::new(&KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap()).unwrap()
    }

    fn cell() -> Cell {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        Cell { owner: Random.id(now).unwrap(), thing: Random.id(now).unwrap(), column: "totp.secret" }
    }

    #[test]
    fn a_sealed_value_opens_in_its_own_cell_alone() {
        let (ring, home, other) = (ring(), cell(), cell());
        let sealed = ring.seal(Random, home, b"secret").unwrap();
        assert_eq!(ring.open(home, &sealed).unwrap().expose(), b"secret");
        let elsewhere = [
            Cell { owner: other.owner, ..home },
            Cell { thing: other.thing, ..home },
            Cell { column: "other", ..home },
        ];
        for cell in elsewhere {
            assert!(matches!(ring.open(cell, &sealed), Err(Fault::Unreadable(_))));
        }
        for at in 0..sealed.0.len() {
            let mut altered = sealed.clone();
            altered.0[at] ^= 1;
            assert!(ring.open(home, &altered).is_err(), "byte {at}");
            assert!(ring.open(home, &Sealed(sealed.0[..at].to_vec())).is_err(), "cut at {at}");
        }
        assert!(ring.open(home, &self::ring().seal(Random, home, b"secret").unwrap()).is_err(), "another ring");
    }

    #[test]
    fn a_new_first_key_makes_and_the_old_one_still_opens() {
        let mut file = KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap();
        let (old, home) = (Keyring::new(&file).unwrap(), cell());
        let sealed = old.seal(Random, home, b"secret").unwrap();
        let hashed = old.hash(Purpose::Challenge, &[b"x"]).unwrap();
        let fresh = KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap();
        file.sealing.splice(0..0, fresh.sealing);
        file.hashing.splice(0..0, fresh.hashing);
        let new = Keyring::new(&file).unwrap();
        assert_eq!(new.open(home, &sealed).unwrap().expose(), b"secret");
        assert_eq!(new.is_hash_of(&hashed, Purpose::Challenge, &[b"x"]), Ok(true));
        assert_eq!(new.is_hash_of(&hashed, Purpose::RefreshToken, &[b"x"]), Ok(false), "another purpose");
        let newer = new.hash(Purpose::Challenge, &[b"x"]).unwrap();
        assert!(matches!(old.is_hash_of(&newer, Purpose::Challenge, &[b"x"]), Err(Fault::Unreadable(_))));
        assert_ne!(new.hash(Purpose::Challenge, &[b"x"]).unwrap().key_id, hashed.key_id);
        assert!(old.open(home, &new.seal(Random, home, b"secret").unwrap()).is_err());
    }
}
