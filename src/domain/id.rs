//! Typed identifiers, so that a method id cannot be passed where a session id is meant.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        /// A UUIDv7 (RFC 9562 §5.7), written in lower case with hyphens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

typed_ids! {
    /// A portal account; the `sub` of its tokens.
    AccountId,
    /// A second factor of an account, from the start of its enrolment on.
    MethodId,
    /// A sign-in and what descends from it; the `sid` of its tokens.
    SessionId,
    /// A sign-in that still waits for its second factor.
    ChallengeId,
    /// A bypass code of support's.
    BypassCodeId,
    /// A device that is remembered.
    DeviceId,
    /// A partner's client; the `sub` of its tokens.
    ClientId,
    /// An audit row, and what announces it.
    EventId,
    /// An address of a partner's that announcements are sent to.
    WebhookId,
}
