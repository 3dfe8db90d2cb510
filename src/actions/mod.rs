//! The verbs: one use case a file. Each reads as the story of what it does, in the order it is done.
//!
//! An action gets a [`Call`] (or, before sign-in, a [`Cx`]) and a parsed command; it answers with an
//! outcome, or with the [`Stop`] that says why not.

pub mod account;
pub mod audit;
pub mod clock;
pub mod codes;
pub mod consent;
pub mod egress;
pub mod entrance;
pub mod factor;
pub mod health;
pub mod issue;
pub mod keys;
pub mod login;
pub mod notices;
pub mod operator;
pub mod outbox;
pub mod partner;
pub mod portal;
pub mod presence;
pub mod reminders;
pub mod requirement;
pub mod restored;
pub mod reverify;
pub mod start;
pub mod support;
pub mod two_factor;
pub mod unlock;
pub mod webhooks;

use crate::{
    crypto::{
        issuer::Issuer,
        keyfile::{KeyFile, Unfit},
        keyring::{Keyring, Purpose},
        keys::Keys,
        passkeys::RelyingParty,
        password::Passwords,
        random::Random,
        seen_tokens::SeenTokens,
        token::{Holder, Realm},
    },
    domain::{
        account::Email,
        egress::Egress,
        event::Origin,
        idempotency::Claim,
        policy::Policy,
        refusal::{Fault, Refusal, Stop},
    },
    store::Store,
};
use clock::Clock;
use codes::Codes;
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use outbox::Outbox;
use prometheus_client::registry::Registry;
use serde::{Serialize, de::DeserializeOwned};
use std::{net::IpAddr, ops::Deref, sync::Arc};

/// What actions work with; one for the life of the process.
pub struct Rooms {
    /// The database.
    pub store: Store,
    /// The keys in force.
    pub keys: Arc<Keys>,
    /// Password hashing.
    pub passwords: Passwords,
    /// Whom passkeys are made for, where there are any.
    pub passkeys: Option<RelyingParty>,
    /// Whose tokens ours are.
    pub realm: Realm,
    /// The portal's own issuer, where one is trusted.
    pub portal: Option<Arc<Issuer>>,
    /// The tokens that were found good before.
    pub seen_tokens: SeenTokens,
    /// The rules in force.
    pub policy: Policy,
    /// The time; a test brings its own.
    pub clock: Clock,
    /// What others are told.
    pub outbox: Outbox,
    /// Where webhooks may be.
    pub egress: Egress,
    /// How codes are sent.
    pub codes: Codes,
}

impl Rooms {
    /// Hands out the metrics of everything that can be full.
    pub fn register(&self, registry: &mut Registry) {
        self.passwords.register(registry);
        self.store.register(registry);
        self.clock.register(registry);
        self.outbox.register(registry);
        self.codes.register(registry);
    }

    /// Works with the keys of `file` from now on, requests under way too: a ring opens and checks what the one before
    /// it has made.
    ///
    /// # Errors
    /// When a key is malformed, or the naming key is another one: then everything would have another name.
    pub fn take_keys(&self, file: &KeyFile) -> Result<(), Unfit> {
        let ring = Keyring::new(file)?;
        if ring.ids.naming != self.keys.ring().ids.naming {
            return Err(Unfit("the naming key is another one, which forgets every lock, name and ended session of the portal's; put the one before back".to_owned()));
        }
        self.keys.replace(ring);
        self.seen_tokens.forget();
        Ok(())
    }

    /// Compares our clock with the database's.
    ///
    /// # Errors
    /// `unavailable` when the database does not answer.
    pub async fn compare_clocks(&self) -> Result<(), Stop> {
        self.clock.compare(async |now| self.store.clock_skew(now).await).await
    }

    /// Whether requests can be served: the database answers, takes part in our time, and has our schema.
    ///
    /// # Errors
    /// What is wrong, in words for people.
    pub async fn check(&self) -> Result<(), &'static str> {
        match (self.compare_clocks().await, self.clock.now()) {
            (Ok(()), Ok(_)) => Ok(()),
            (Ok(()), Err(_)) => Err("the clock is more than 30 s off the database's"),
            (Err(_), _) => Err("the database does not answer"),
        }
    }
}

/// One request: an action happens at one instant, for one cause.
#[derive(Clone)]
pub struct Cx {
    rooms: Arc<Rooms>,
    /// The keys in force at the instant.
    pub keys: Arc<Keyring>,
    /// The instant.
    pub now: Timestamp,
    /// The random source.
    pub random: Random,
    /// Where the request came from.
    pub origin: Origin,
}

/// One request of somebody who holds a token, with what the request asks of its execution.
#[derive(Clone)]
pub struct Call {
    /// The request.
    pub cx: Cx,
    /// Who asks.
    pub holder: Holder,
    /// The versions of the account that it is meant for.
    pub precondition: Precondition,
    /// Its idempotency key.
    pub claim: Option<Claim>,
    /// Whether the policy requires nothing before it, see [`Call::for_setup`].
    pub is_for_setup: bool,
}

/// `If-Match` (RFC 9110 §13.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// None was sent, or `*`.
    #[default]
    None,
    /// One of these versions.
    OneOf(Vec<i64>),
}

/// What an action achieved. It can be remembered under an idempotency key; what must not be shown again
/// is left out when it is serialised.
pub trait Outcome: Serialize + DeserializeOwned + Send + 'static {
    /// Whether it still makes sense without what is left out.
    fn is_repeatable(&self) -> bool {
        true
    }
}

impl Call {
    /// The same, as one that the policy requires nothing before: it sets two-factor authentication up, shows how it
    /// stands, or ends the session.
    #[must_use]
    pub fn for_setup(&self) -> Self {
        Self { is_for_setup: true, ..self.clone() }
    }
}

impl Precondition {
    /// # Errors
    /// `version-mismatch` when `version` is not among those asked for.
    pub fn check(&self, version: i64) -> Result<(), Refusal> {
        match self {
            Self::OneOf(versions) if !versions.contains(&version) => Err(Refusal::VersionMismatch),
            _ => Ok(()),
        }
    }
}

impl Cx {
    /// A request at this instant.
    ///
    /// # Errors
    /// `unavailable` while the clock cannot be trusted.
    pub fn new(rooms: Arc<Rooms>, origin: Origin) -> Result<Self, Fault> {
        // Rows keep milliseconds; an answer must not say more than its row.
        let now = rooms.clock.now()?;
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let keys = rooms.keys.ring();
        Ok(Self { rooms, keys, now, random: Random, origin })
    }

    /// The holder of an access token: one of ours, which is checked by itself ([`SeenTokens::check`]), or one of the
    /// portal's own issuer.
    ///
    /// # Errors
    /// `invalid-token`.
    pub async fn holder(&self, token: &str) -> Result<Holder, Stop> {
        match (self.seen_tokens.check(&self.keys.signer, &self.realm, token, self.now), &self.portal) {
            (Err(_), Some(issuer)) => portal::holder(self, issuer, token).await,
            (checked, _) => Ok(checked?),
        }
    }

    /// The instant `seconds` from now.
    pub fn in_seconds(&self, seconds: u32) -> Timestamp {
        self.now.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
    }

    /// The name, as a keyed hash, that guesses at the password of an address are counted under.
    pub fn login_name(&self, email: &Email) -> String {
        HEXLOWER.encode(&self.keys.name(Purpose::Email, &[email.as_str().as_bytes()]))
    }

    /// The client's network, as a keyed hash: an IPv4 address, or the /64 of an IPv6 address.
    pub fn network(&self) -> String {
        let prefix = match self.origin.ip {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets()[..8].to_vec(),
        };
        HEXLOWER.encode(&self.keys.name(Purpose::Address, &[&prefix]))
    }
}

impl Deref for Cx {
    type Target = Rooms;
    fn deref(&self) -> &Rooms {
        &self.rooms
    }
}
