//! What can be wrong with an answer of an authenticator's. A caller is told nothing of it; a log and a test are.

use webauthn_rp::response::{
    auth::error::{AuthCeremonyErr, AuthenticatorDataErr},
    register::error::RegCeremonyErr,
};

/// Why a passkey was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It is none, or not as the standard has it.
    #[error("it is not as Web Authentication has it")]
    Malformed,
    /// What the ceremony was begun with does not read; a release before may have begun it.
    #[error("its ceremony cannot be read")]
    Ceremony,
    /// The ceremony was begun too long ago.
    #[error("it came too late")]
    Late,
    /// What the browser says of it is malformed, or is of the other kind of ceremony.
    #[error("the client data are of another kind")]
    ClientData,
    /// It answers another challenge.
    #[error("it answers another challenge")]
    Challenge,
    /// It was made for a page or an app that may not ask.
    #[error("it was made for another origin")]
    Origin,
    /// It was made in a frame of another site's page.
    #[error("it was made inside another site's page")]
    CrossOrigin,
    /// It was made for another domain.
    #[error("it was made for another domain")]
    Domain,
    /// Nobody touched the authenticator.
    #[error("nobody was present")]
    Presence,
    /// The authenticator did not ask who touched it, and this credential asks for that.
    #[error("nobody was verified")]
    Verification,
    /// It was made with a credential that was not asked for.
    #[error("it is of another credential")]
    Credential,
    /// It was made for another account.
    #[error("it is of another account")]
    Account,
    /// The signature is not the credential's.
    #[error("the signature is wrong")]
    Signature,
    /// It has made no more signatures than before: somebody may have a copy of it.
    #[error("the count of signatures went back")]
    CounterWentBack,
    /// Whether its key can be copied is not what it was.
    #[error("its eligibility for backup changed")]
    Backup,
    /// Its kind of key or of attestation is none that we asked for.
    #[error("its key or attestation is of a kind that was not asked for")]
    Kind,
}

impl From<RegCeremonyErr> for Wrong {
    fn from(error: RegCeremonyErr) -> Self {
        match error {
            RegCeremonyErr::Timeout => Self::Late,
            RegCeremonyErr::CollectedClientData(_) | RegCeremonyErr::CollectedClientDataRelaxed(_) => Self::ClientData,
            RegCeremonyErr::AttestationSignature => Self::Signature,
            RegCeremonyErr::OriginMismatch => Self::Origin,
            RegCeremonyErr::CrossOrigin | RegCeremonyErr::TopOriginMismatch => Self::CrossOrigin,
            RegCeremonyErr::ChallengeMismatch => Self::Challenge,
            RegCeremonyErr::RpIdHashMismatch => Self::Domain,
            RegCeremonyErr::UserNotPresent => Self::Presence,
            RegCeremonyErr::UserNotVerified | RegCeremonyErr::Credential(_) => Self::Verification,
            RegCeremonyErr::BackupEligible | RegCeremonyErr::BackupNotEligible | RegCeremonyErr::BackupDoesNotExist => {
                Self::Backup
            }
            RegCeremonyErr::AttestationObject(_)
            | RegCeremonyErr::PubKey(_)
            | RegCeremonyErr::PublicKeyAlgorithmMismatch => Self::Kind,
            RegCeremonyErr::MissingAuthenticatorAttachment
            | RegCeremonyErr::AuthenticatorAttachmentMismatch
            | RegCeremonyErr::Extension(_) => Self::Malformed,
        }
    }
}

impl From<AuthCeremonyErr> for Wrong {
    fn from(error: AuthCeremonyErr) -> Self {
        match error {
            AuthCeremonyErr::Timeout => Self::Late,
            AuthCeremonyErr::CollectedClientData(_) | AuthCeremonyErr::CollectedClientDataRelaxed(_) => {
                Self::ClientData
            }
            AuthCeremonyErr::AuthenticatorData(AuthenticatorDataErr::UserNotPresent) => Self::Presence,
            AuthCeremonyErr::AssertionSignature => Self::Signature,
            AuthCeremonyErr::OriginMismatch => Self::Origin,
            AuthCeremonyErr::CrossOrigin | AuthCeremonyErr::TopOriginMismatch => Self::CrossOrigin,
            AuthCeremonyErr::ChallengeMismatch => Self::Challenge,
            AuthCeremonyErr::RpIdHashMismatch => Self::Domain,
            AuthCeremonyErr::UserNotVerified | AuthCeremonyErr::Credential(_) => Self::Verification,
            AuthCeremonyErr::BackupEligible
            | AuthCeremonyErr::BackupNotEligible
            | AuthCeremonyErr::BackupDoesNotExist => Self::Backup,
            AuthCeremonyErr::SignatureCounter => Self::CounterWentBack,
            AuthCeremonyErr::UserHandleMismatch | AuthCeremonyErr::MissingUserHandle => Self::Account,
            AuthCeremonyErr::CredentialIdMismatch | AuthCeremonyErr::NoMatchingAllowedCredential => Self::Credential,
            AuthCeremonyErr::AuthenticatorData(_)
            | AuthCeremonyErr::PubKey(_)
            | AuthCeremonyErr::MissingAuthenticatorAttachment
            | AuthCeremonyErr::AuthenticatorAttachmentMismatch
            | AuthCeremonyErr::Extension(_) => Self::Malformed,
        }
    }
}
