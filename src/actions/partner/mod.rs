//! What partners' programs do, by tokens of their own. Who may, and about whom, is decided in [`entrance`], before
//! anything is told of an account.

pub mod deliveries;
pub mod entrance;
pub mod events;
pub mod provision;
pub mod standing;
pub mod token;
pub mod verify;
pub mod webhooks;

use super::Cx;
use crate::{crypto::client_token::ClientHolder, domain::idempotency::Claim};

/// One request of a client that holds a token.
#[derive(Clone)]
pub struct PartnerCall {
    /// The request.
    pub cx: Cx,
    /// Who asks.
    pub holder: ClientHolder,
    /// Its idempotency key.
    pub claim: Option<Claim>,
}
