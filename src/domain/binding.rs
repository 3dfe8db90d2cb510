//! What a proof is asked for.

use super::id::{ChallengeId, ClientId, MethodId, SessionId};
use std::fmt;

/// What a proof is asked for. A code that was sent, or a credential that was asked for, proves nothing anywhere else: so
/// whoever is talked into reading out the code of a sign-in has not switched anything off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// To complete a sign-in.
    SignIn(ChallengeId),
    /// To raise a session's assurance.
    Session(SessionId),
    /// To confirm an enrolment.
    Enrolment(MethodId),
    /// A partner's question. Nothing is sent or asked for it; the code of an authenticator app needs neither.
    Partner(ClientId),
}

impl Binding {
    /// What every enrolment begins with as it is stored.
    pub const ENROLMENTS: &str = "enrolment/";
}

/// As it is stored.
impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn(id) => write!(f, "sign-in/{id}"),
            Self::Session(id) => write!(f, "session/{id}"),
            Self::Enrolment(id) => write!(f, "{}{id}", Self::ENROLMENTS),
            Self::Partner(id) => write!(f, "partner/{id}"),
        }
    }
}
