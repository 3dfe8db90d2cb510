//! Links that stand in mails: what they allow can be undone, so they are good without signing in. A link's token is
//! base64url of `account id ‖ moment of the disable ‖ check tag`; nothing of it is stored. So a mail that is sent
//! twice holds the same link, and whoever can read the database has none.

use super::keyring::{Keyring, Purpose};
use crate::domain::{id::AccountId, secret::Secret};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use uuid::Uuid;

const ID_BYTES: usize = 16;
const MOMENT_BYTES: usize = 8;
const TAG_BYTES: usize = 16;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Takes a disable back.
    Undo,
    /// Ends the reminders that it is off.
    StopReminders,
}

/// Proof that somebody holds a link of ours. Only [`read`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    account: AccountId,
    disabled_at: Timestamp,
}

impl LinkKind {
    fn purpose(self) -> Purpose {
        match self {
            Self::Undo => Purpose::Undo,
            Self::StopReminders => Purpose::StopReminders,
        }
    }
}

impl Link {
    /// Whose it is.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// When two-factor authentication was switched off; a link is about that one disable.
    pub fn disabled_at(&self) -> Timestamp {
        self.disabled_at
    }
}

/// The token of the link that is about the disable of `account` at `disabled_at`: always the same one.
pub fn token(keys: &Keyring, kind: LinkKind, account: AccountId, disabled_at: Timestamp) -> Secret<String> {
    let (id, moment) = (account.0.into_bytes(), disabled_at.as_millisecond().to_be_bytes());
    let tag = keys.name(kind.purpose(), &[&id, &moment]);
    Secret::new(BASE64URL_NOPAD.encode(&[&id[..], &moment, &tag[..TAG_BYTES]].concat()))
}

/// Reads a link's token; `None` when we never made it for this.
pub fn read(keys: &Keyring, kind: LinkKind, text: &str) -> Option<Link> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let (id, rest) = bytes.split_first_chunk::<ID_BYTES>()?;
    let (moment, tag) = rest.split_first_chunk::<MOMENT_BYTES>()?;
    let is_ours = keys.is_truncated_name_of(tag, TAG_BYTES, kind.purpose(), &[id, moment]);
    let disabled_at = Timestamp::from_millisecond(i64::from_be_bytes(*moment)).ok()?;
    is_ours.then(|| Link { account: AccountId(Uuid::from_bytes(*id)), disabled_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keyfile::{KeyFile, SigningAlgorithm};

    fn ring() -> Keyring {
        Keyring::new(&KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap()).unwrap()
    }

    #[test]
    fn only_a_link_that_we_made_is_read_and_only_for_what_it_is() {
        let keys = ring();
        let (account, at) = (AccountId(Uuid::from_u128(7)), Timestamp::from_millisecond(1_800_000_000_123).unwrap());
        let token = |keys, kind| token(keys, kind, account, at).expose().clone();
        let text = token(&keys, LinkKind::Undo);
        assert_eq!(read(&keys, LinkKind::Undo, &text), Some(Link { account, disabled_at: at }));
        assert_eq!(text, token(&keys, LinkKind::Undo), "sent again, it is the same");
        assert_eq!(read(&keys, LinkKind::StopReminders, &text), None);
        assert_eq!(read(&ring(), LinkKind::Undo, &text), None, "another installation");
        for at in 0..text.len() {
            for other in ['A', 'B', '.'] {
                let altered: String = text.chars().enumerate().map(|(n, c)| if n == at { other } else { c }).collect();
                assert!(altered == text || read(&keys, LinkKind::Undo, &altered).is_none(), "{at}");
            }
            assert_eq!(read(&keys, LinkKind::Undo, &text[..at]), None, "cut at {at}");
        }
        assert_eq!(read(&keys, LinkKind::Undo, &format!("{text}AAAA")), None);
    }
}
