//! Access tokens whose signature was found good: checking one again costs a digest instead of a signature.
//!
//! A token is known by its SHA-256 and never kept. What is remembered is what it says; its time is
//! checked on every use, and whether its session lives and its epoch is current, the database tells every
//! time. A token that is not good is not remembered, so nobody fills the memory without good ones.

use super::token::{Holder, Realm, Signer, Vouched};
use crate::domain::refusal::Refusal;
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Threads seldom meet at one of so many locks.
const SHARDS: usize = 64;
/// Tokens that one generation of one shard remembers; in all, some 16 thousand in a few megabytes.
const GENERATION: usize = 128;

type Digest = [u8; 32];

/// The good tokens of one realm and one ring of keys.
pub struct SeenTokens {
    shards: Vec<Mutex<Shard>>,
}

/// Two generations: when the young one is full it becomes the old one, and what nobody has used since is
/// forgotten with the one before.
#[derive(Default)]
struct Shard {
    young: HashMap<Digest, Vouched>,
    old: HashMap<Digest, Vouched>,
}

impl Default for SeenTokens {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl SeenTokens {
    /// Checks a token as [`Signer::check`] does, and remembers it when it is good.
    ///
    /// # Errors
    /// `invalid-token`, whatever is wrong.
    pub fn check(&self, signer: &Signer, realm: &Realm, token: &str, now: Timestamp) -> Result<Holder, Refusal> {
        let known = digest(&SHA256, token.as_bytes()).as_ref().try_into().map_err(|_| Refusal::InvalidToken)?;
        let seen = self.shard(&known).find(&known);
        let vouched = seen.or_else(|| {
            let vouched = signer.vouched(realm, token).filter(|vouched| vouched.is_timely(now))?;
            self.shard(&known).remember(known, vouched.clone());
            Some(vouched)
        });
        vouched.filter(|vouched| vouched.is_timely(now)).map(|vouched| vouched.holder).ok_or(Refusal::InvalidToken)
    }

    /// Forgets all of them: keys have changed, and one that is gone vouches for nothing.
    pub fn forget(&self) {
        for shard in &self.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }

    fn shard(&self, known: &Digest) -> MutexGuard<'_, Shard> {
        self.shards[usize::from(known[0]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn find(&mut self, known: &Digest) -> Option<Vouched> {
        if let Some(vouched) = self.young.get(known) {
            return Some(vouched.clone());
        }
        let vouched = self.old.remove(known)?;
        self.remember(*known, vouched.clone());
        Some(vouched)
    }

    fn remember(&mut self, known: Digest, vouched: Vouched) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(known, vouched);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::{
            keyfile::{KeyFile, SigningAlgorithm},
            keyring::Keyring,
            random::Random,
        },
        domain::assurance::Assurance,
    };
    use uuid::Uuid;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn world() -> (Keyring, Realm, SeenTokens) {
        let ring = Keyring::new(&KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap()).unwrap();
        let realm = Realm { issuer: "twofold".into(), audience: "account-security".into(), ttl: 600 };
        (ring, realm, SeenTokens::default())
    }

    fn token(ring: &Keyring, realm: &Realm) -> String {
        let assurance = Assurance::password(at(0));
        let holder =
            Holder { account: Random.id(at(0)).unwrap(), session: Random.id(at(0)).unwrap(), epoch: 3, assurance };
        ring.signer.sign(realm, &holder, "", Uuid::nil(), at(0)).unwrap()
    }

    #[test]
    fn a_token_that_was_seen_expires_like_one_that_was_not() {
        let (ring, realm, seen) = world();
        let token = token(&ring, &realm);
        for second in [0, 599, -30] {
            assert_eq!(seen.check(&ring.signer, &realm, &token, at(second)).unwrap().epoch, 3, "{second}");
        }
        for second in [600, 86_400, -31] {
            assert!(seen.check(&ring.signer, &realm, &token, at(second)).is_err(), "{second}");
        }
    }

    #[test]
    fn a_token_that_differs_in_one_character_is_another() {
        let (ring, realm, seen) = world();
        let token = token(&ring, &realm);
        seen.check(&ring.signer, &realm, &token, at(0)).unwrap();
        for n in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[n] = if forged[n] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(seen.check(&ring.signer, &realm, &forged, at(0)).is_err(), "character {n}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_used_stays() {
        let (ring, realm, seen) = world();
        let (used, mut shard) = (token(&ring, &realm), Shard::default());
        let vouched = ring.signer.vouched(&realm, &used).unwrap();
        shard.remember([0; 32], vouched.clone());
        for n in 1..2000_u16 {
            let mut other = [0; 32];
            other[..2].copy_from_slice(&n.to_be_bytes());
            shard.remember(other, vouched.clone());
            assert!(shard.find(&[0; 32]).is_some());
            assert!(shard.young.len() + shard.old.len() <= 2 * GENERATION);
        }
        assert!(seen.check(&ring.signer, &realm, &used, at(0)).is_ok());
    }
}
