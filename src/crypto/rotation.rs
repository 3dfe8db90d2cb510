//! How the keys of a file take turns, so that no replica ever meets what it cannot open.
//!
//! ```text
//!             every replica has it            every replica makes with it        nothing needs the old one
//! add_next ───────────────────────▶ promote ───────────────────────────▶ settle ───────────────────────▶ retire
//! ```
//!
//! A step is one change of the file; that all replicas have made it too, the database tells. A rotation that was
//! broken off anywhere goes on where it was: the file says where that is.

use super::keyfile::{KeyFile, SigningAlgorithm, SigningKey, SymmetricKey, Unfit};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The lists whose keys take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// What seals secrets.
    Sealing,
    /// What hashes recovery codes, refresh tokens and challenges.
    Hashing,
    /// What signs access tokens.
    Signing,
}

/// Where a key stands that is not simply in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Turn {
    /// It will make what the first key makes now.
    Next {
        /// Since when every replica has been seen to have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known_since: Option<Timestamp>,
    },
    /// It was the first, and another is now.
    Replaced {
        /// Since when no replica has made anything with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unused_since: Option<Timestamp>,
    },
}

/// What a ring waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing: its first key makes, and older ones are there for what they have made.
    Settled,
    /// The key of this name is to be the first.
    Next {
        /// Its name.
        id: String,
        /// Since when every replica has been seen to have it.
        known_since: Option<Timestamp>,
    },
    /// That every replica makes with the first key.
    Promoted,
}

/// A key that was the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Old {
    /// Its name.
    pub id: String,
    /// Since when nothing has been made with it; `None` where nobody has looked.
    pub unused_since: Option<Timestamp>,
}

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sealing => "sealing",
            Self::Hashing => "hashing",
            Self::Signing => "signing",
        })
    }
}

impl KeyFile {
    /// What a ring waits for.
    pub fn stage(&self, ring: Ring) -> Stage {
        let turns = self.turns(ring);
        let next = turns.iter().find_map(|(id, turn)| match turn {
            Some(Turn::Next { known_since }) => Some(Stage::Next { id: (*id).to_owned(), known_since: *known_since }),
            _ => None,
        });
        let is_promoted = || self.old(ring).iter().any(|old| old.unused_since.is_none());
        next.unwrap_or_else(|| if is_promoted() { Stage::Promoted } else { Stage::Settled })
    }

    /// The keys of a ring that were first before. One that was put behind the first by hand is among them.
    pub fn old(&self, ring: Ring) -> Vec<Old> {
        let behind = self.turns(ring).into_iter().skip(1);
        let old = behind.filter_map(|(id, turn)| match turn {
            Some(Turn::Next { .. }) => None,
            Some(Turn::Replaced { unused_since }) => Some(Old { id: id.to_owned(), unused_since: *unused_since }),
            None => Some(Old { id: id.to_owned(), unused_since: None }),
        });
        old.collect()
    }

    /// The name of the key that makes.
    pub fn first(&self, ring: Ring) -> &str {
        self.turns(ring).first().map_or("", |(id, _)| id)
    }

    /// Adds a fresh key that is to be the first; until then it only opens and checks. A token key has the
    /// `algorithm`, or that of the key before it.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn add_next(&mut self, ring: Ring, algorithm: Option<SigningAlgorithm>) -> Result<String, Unfit> {
        let turn = Some(Turn::Next { known_since: None });
        let key = match ring {
            Ring::Sealing => insert(&mut self.sealing, SymmetricKey::generate("s", turn)?).id.clone(),
            Ring::Hashing => insert(&mut self.hashing, SymmetricKey::generate("h", turn)?).id.clone(),
            Ring::Signing => {
                let present = self.signing.first().map_or_else(SigningAlgorithm::default, |key| key.algorithm);
                let fresh = SigningKey::generate(algorithm.unwrap_or(present), turn)?;
                insert(&mut self.signing, fresh).id.clone()
            }
        };
        Ok(key)
    }

    /// Notes that every replica has the next key.
    pub fn note_known(&mut self, ring: Ring, now: Timestamp) {
        for turn in self.turns_mut(ring) {
            if let Some(Turn::Next { known_since: known @ None }) = turn {
                *known = Some(now);
            }
        }
    }

    /// Makes the next key the first.
    pub fn promote(&mut self, ring: Ring) {
        let Some(at) = self.turns(ring).iter().position(|(_, turn)| matches!(turn, Some(Turn::Next { .. }))) else {
            return;
        };
        match ring {
            Ring::Sealing => self.sealing[..=at].rotate_right(1),
            Ring::Hashing => self.hashing[..=at].rotate_right(1),
            Ring::Signing => self.signing[..=at].rotate_right(1),
        }
        for (n, turn) in self.turns_mut(ring).into_iter().enumerate() {
            match (n, &turn) {
                (0, _) => *turn = None,
                (_, None) => *turn = Some(Turn::Replaced { unused_since: None }),
                _ => {}
            }
        }
    }

    /// Notes that every replica makes with the first key.
    pub fn settle(&mut self, ring: Ring, now: Timestamp) {
        for turn in self.turns_mut(ring).into_iter().skip(1) {
            if matches!(turn, None | Some(Turn::Replaced { unused_since: None })) {
                *turn = Some(Turn::Replaced { unused_since: Some(now) });
            }
        }
    }

    /// Drops a key that was first before.
    pub fn retire(&mut self, ring: Ring, id: &str) {
        match ring {
            Ring::Sealing => self.sealing.retain(|key| key.id != id),
            Ring::Hashing => self.hashing.retain(|key| key.id != id),
            Ring::Signing => self.signing.retain(|key| key.id != id),
        }
    }

    /// That the file says where its rings stand, and nothing else.
    pub(super) fn check_turns(&self) -> Result<(), String> {
        for ring in [Ring::Sealing, Ring::Hashing, Ring::Signing] {
            let turns = self.turns(ring);
            let next = turns.iter().filter(|(_, turn)| matches!(turn, Some(Turn::Next { .. }))).count();
            if next > 1 || turns.first().is_some_and(|(_, turn)| turn.is_some()) {
                return Err(format!("the {ring} keys do not say in one way which of them makes"));
            }
        }
        match self.audit.iter().chain([&self.naming]).find(|key| key.turn.is_some()) {
            Some(key) => Err(format!("the key {:?} takes no turns", key.id)),
            None => Ok(()),
        }
    }

    fn turns(&self, ring: Ring) -> Vec<(&str, &Option<Turn>)> {
        match ring {
            Ring::Sealing => self.sealing.iter().map(|key| (key.id.as_str(), &key.turn)).collect(),
            Ring::Hashing => self.hashing.iter().map(|key| (key.id.as_str(), &key.turn)).collect(),
            Ring::Signing => self.signing.iter().map(|key| (key.id.as_str(), &key.turn)).collect(),
        }
    }

    fn turns_mut(&mut self, ring: Ring) -> Vec<&mut Option<Turn>> {
        match ring {
            Ring::Sealing => self.sealing.iter_mut().map(|key| &mut key.turn).collect(),
            Ring::Hashing => self.hashing.iter_mut().map(|key| &mut key.turn).collect(),
            Ring::Signing => self.signing.iter_mut().map(|key| &mut key.turn).collect(),
        }
    }
}

/// Puts a key behind the first.
fn insert<K>(ring: &mut Vec<K>, key: K) -> &K {
    let at = ring.len().min(1);
    ring.insert(at, key);
    &ring[at]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyring::Keyring;

    #[test]
    fn a_ring_goes_through_its_stages_and_the_file_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        for ring in [Ring::Sealing, Ring::Hashing, Ring::Signing] {
            let mut file = KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap();
            let old = file.first(ring).to_owned();
            let _ = std::fs::remove_file(&path);
            file.write(&path).unwrap();
            let stored = |file: KeyFile| {
                file.replace(&path).unwrap();
                let read = KeyFile::read(&path).unwrap();
                assert_eq!(read.ids(), file.ids());
                Keyring::new(&read).map(|_| read).unwrap()
            };
            assert_eq!(file.stage(ring), Stage::Settled);
            let next = file.add_next(ring, None).unwrap();
            let mut file = stored(file);
            assert_eq!(file.stage(ring), Stage::Next { id: next.clone(), known_since: None });
            assert_eq!((file.first(ring), file.old(ring).len()), (old.as_str(), 0));
            file.note_known(ring, now);
            let mut file = stored(file);
            assert_eq!(file.stage(ring), Stage::Next { id: next.clone(), known_since: Some(now) });
            file.promote(ring);
            let mut file = stored(file);
            assert_eq!((file.first(ring), file.stage(ring)), (next.as_str(), Stage::Promoted));
            file.settle(ring, now);
            let mut file = stored(file);
            assert_eq!(file.stage(ring), Stage::Settled);
            assert_eq!(file.old(ring), [Old { id: old.clone(), unused_since: Some(now) }]);
            file.retire(ring, &old);
            assert_eq!((stored(file).old(ring).len(), old.is_empty()), (0, false));
        }
    }

    #[test]
    fn a_file_in_which_two_keys_are_next_is_refused() {
        let mut file = KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap();
        file.add_next(Ring::Signing, Some(SigningAlgorithm::Es256)).unwrap();
        assert!(file.check_turns().is_ok());
        file.add_next(Ring::Signing, None).unwrap();
        assert!(file.check_turns().is_err());
    }
}
