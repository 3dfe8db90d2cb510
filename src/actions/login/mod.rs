//! The standard login process: password, second factor while it is on, refresh, logout.

mod device;
pub mod logout;
pub mod password;
pub mod refresh;
pub mod second_factor;

use super::{
    Cx,
    issue::{self, Grant, Tokens},
};
use crate::{crypto::opaque::Opaque, domain::refusal::Fault};

/// A sign-in is complete.
pub struct SignedIn {
    /// The tokens.
    pub tokens: Tokens,
    /// Whether two-factor authentication must be set up before anything else.
    pub setup_required: bool,
    /// The token of the device, to be sent beside the password next time; none where it is not remembered.
    pub device: Option<String>,
}

/// What a transaction grants to whoever has signed in.
struct Admitted {
    grant: Grant,
    device: Option<Opaque>,
}

impl Admitted {
    /// The tokens, once the transaction is committed.
    fn tokens(self, cx: &Cx) -> Result<SignedIn, Fault> {
        let device = self.device.map(|token| token.reveal(&cx.keys)).transpose()?;
        let setup_required = self.grant.is_for_setup();
        Ok(SignedIn { tokens: issue::tokens(cx, self.grant)?, setup_required, device })
    }
}
