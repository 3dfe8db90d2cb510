//! The keys in force. They can be exchanged while the service runs; whoever works with them takes the ring
//! of one instant, and stays with it.

use super::keyring::Keyring;
use std::sync::{Arc, PoisonError, RwLock};

/// A ring that can be exchanged.
pub struct Keys(RwLock<Arc<Keyring>>);

impl Keys {
    /// Begins with `ring`.
    pub fn new(ring: Keyring) -> Self {
        Self(RwLock::new(Arc::new(ring)))
    }

    /// The ring of this instant.
    pub fn ring(&self) -> Arc<Keyring> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Works with `ring` from now on.
    pub fn replace(&self, ring: Keyring) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }
}
