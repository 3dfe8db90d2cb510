//! Passkeys and security keys: the ceremonies of Web Authentication (W3C, Level 3, §7.1 and §7.2), by `webauthn_rp`.
//! What an authenticator signed is checked here and nowhere else. That a ceremony is finished once and in time is not
//! checked here: its state is a row of the store's.

mod wrong;

use crate::domain::{
    id::AccountId,
    passkey::{CEREMONY_TTL, Site},
    refusal::Fault,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use webauthn_rp::{
    AuthenticatedCredential, NonDiscoverableAuthentication16, NonDiscoverableAuthenticationServerState,
    NonDiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration, RegistrationServerState,
    bin::{Decode, Encode},
    request::{
        AsciiDomain, Credentials, PublicKeyCredentialDescriptor, RpId, UserVerificationRequirement,
        auth::{AllowedCredentials, AuthenticationVerificationOptions},
        register::{
            AuthenticatorAttachmentReq, AuthenticatorSelectionCriteria, CoseAlgorithmIdentifiers,
            PublicKeyCredentialUserEntity, RegistrationVerificationOptions, ResidentKeyRequirement, UserHandle16,
            Username,
        },
    },
    response::{
        AuthTransports, Backup, CredentialId,
        auth::AuthenticatorData,
        register::{CompressedPubKey, DynamicState, StaticState},
    },
};
pub use wrong::Wrong;

/// The library ends a ceremony by a clock of its own. It is to do so after us, whatever the clocks of replicas say.
const LIBRARY_TTL: u32 = 2 * CEREMONY_TTL;
/// The first byte of a stored passkey: the layout `1 ‖ transports ‖ state ‖ id length ‖ id ‖ public key`.
const STORED_V1: u8 = 1;

type PublicKey = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// The relying party: whom passkeys are made for.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    /// What the settings say of it.
    pub site: Site,
    id: RpId,
    origins: Vec<String>,
}

/// A ceremony that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What the browser is asked, as JSON: `PublicKeyCredentialCreationOptionsJSON` or
    /// `PublicKeyCredentialRequestOptionsJSON` (§5.1.8, §5.1.9).
    pub public_key: Value,
    /// What finishes it; no secret.
    pub state: Vec<u8>,
}

/// What is kept of a passkey. The count of its signatures is not in here, for it moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The credential id, 16 to 1023 bytes.
    pub id: Vec<u8>,
    transports: u8,
    state: [u8; 7],
    public_key: Vec<u8>,
}

/// What an authenticator sent to prove a passkey, read and not checked.
#[derive(Debug)]
pub struct Assertion(NonDiscoverableAuthentication16);

/// A passkey was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// How many signatures it has made, as it says; 0 where it does not count.
    pub counter: u32,
    /// Whether it asked who touched it, by a PIN or a finger.
    pub is_user_verified: bool,
}

impl RelyingParty {
    /// # Errors
    /// When the domain of `site` is none.
    pub fn new(site: Site) -> Result<Self, String> {
        let id = AsciiDomain::try_from(site.id.clone()).map_err(|error| error.to_string())?;
        Ok(Self { id: RpId::Domain(id), origins: site.origins(), site })
    }

    /// Begins to make a passkey of an account, which is shown as `name`; on no authenticator that has one of `existing`.
    ///
    /// # Errors
    /// `unavailable` when the library refuses what we ask for, which it never does.
    pub fn register(&self, account: AccountId, name: &str, existing: &[Passkey]) -> Result<Begun, Fault> {
        let user_id = user_handle(account);
        // A name that the library takes; people read the one that is put in its place below.
        let stand_in = account.to_string();
        let user = PublicKeyCredentialUserEntity {
            name: Username::try_from(stand_in.as_str()).map_err(refused)?,
            id: &user_id,
            display_name: None,
        };
        let existing = existing.iter().map(Passkey::descriptor).collect::<Result<_, _>>()?;
        let mut options = PublicKeyCredentialCreationOptions::second_factor(&self.id, user, existing);
        options.timeout = timeout();
        options.pub_key_cred_params = CoseAlgorithmIdentifiers::ALL;
        options.authenticator_selection = AuthenticatorSelectionCriteria {
            authenticator_attachment: AuthenticatorAttachmentReq::default(),
            resident_key: ResidentKeyRequirement::Preferred,
            user_verification: UserVerificationRequirement::Preferred,
        };
        let (server, client) = options.start_ceremony().map_err(refused)?;
        let mut public_key = written(&client)?;
        public_key["rp"]["name"] = json!(self.site.name);
        public_key["user"]["name"] = json!(name);
        public_key["user"]["displayName"] = json!(name);
        Ok(Begun { public_key, state: server.encode().map_err(refused)? })
    }

    /// Finishes to make a passkey: the passkey, and how many signatures it has made.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn finish_registration(&self, state: &[u8], credential: &[u8]) -> Result<(Passkey, u32), Wrong> {
        let server = RegistrationServerState::<16>::decode(state).map_err(|_| Wrong::Ceremony)?;
        let registration = Registration::from_json_relaxed(credential).map_err(|_| Wrong::Malformed)?;
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &self.origins(),
            // Browsers protect credentials by themselves, which an authenticator then says (CTAP 2.1 §12.1).
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let made = server.verify(&self.id, &registration, &options)?;
        let Ok(transports) = made.transports().encode();
        let Ok(state) = made.dynamic_state().encode();
        let Ok(public_key) = made.static_state().encode();
        let id = made.id().as_ref().to_vec();
        Ok((Passkey { id, transports, state, public_key }, made.dynamic_state().sign_count))
    }

    /// Asks for a signature by one of `passkeys`.
    ///
    /// # Errors
    /// `unreadable` when there is none.
    pub fn ask(&self, passkeys: &[Passkey]) -> Result<Begun, Fault> {
        let mut allowed = AllowedCredentials::with_capacity(passkeys.len());
        for passkey in passkeys {
            allowed.push(passkey.descriptor()?.into());
        }
        let mut options = NonDiscoverableCredentialRequestOptions::second_factor(&self.id, allowed).map_err(refused)?;
        options.options().timeout = timeout();
        options.options().user_verification = UserVerificationRequirement::Preferred;
        let (server, client) = options.start_ceremony().map_err(refused)?;
        Ok(Begun { public_key: written(&client)?, state: server.encode().map_err(refused)? })
    }

    /// Checks what a passkey of `account` signed. It has made `counter` signatures before.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn finish_assertion(
        &self,
        state: &[u8],
        assertion: &Assertion,
        account: AccountId,
        passkey: &Passkey,
        counter: u32,
    ) -> Result<Asserted, Wrong> {
        let server = NonDiscoverableAuthenticationServerState::decode(state).map_err(|_| Wrong::Ceremony)?;
        let (key, mut state) = passkey.opened().map_err(|_| Wrong::Credential)?;
        state.sign_count = counter;
        let (id, user) = (CredentialId::decode(passkey.id.as_slice()), user_handle(account));
        let id = id.map_err(|_| Wrong::Credential)?;
        let mut known = AuthenticatedCredential::new(id, &user, key, state).map_err(|_| Wrong::Credential)?;
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &self.origins(),
            error_on_unsolicited_extensions: false,
            update_uv: true,
            ..AuthenticationVerificationOptions::default()
        };
        server.verify(&self.id, &assertion.0, &mut known, &options)?;
        let signed = AuthenticatorData::try_from(assertion.0.response().authenticator_data());
        let is_user_verified = signed.map_err(|_| Wrong::Malformed)?.flags().user_verified;
        Ok(Asserted { counter: known.dynamic_state().sign_count, is_user_verified })
    }

    fn origins(&self) -> Vec<&str> {
        self.origins.iter().map(String::as_str).collect()
    }
}

impl Assertion {
    /// Reads an `AuthenticationResponseJSON` (§5.1.1); members that we do not know are left out.
    ///
    /// # Errors
    /// [`Wrong::Malformed`].
    pub fn read(credential: &[u8]) -> Result<Self, Wrong> {
        NonDiscoverableAuthentication16::from_json_relaxed(credential).map(Self).map_err(|_| Wrong::Malformed)
    }

    /// The id of the credential that it says to be made with.
    pub fn credential(&self) -> &[u8] {
        self.0.raw_id().into_inner()
    }
}

impl Passkey {
    /// Whether its key never leaves the device that made it, as that says: it is not eligible for backup (§6.1.3).
    pub fn is_bound_to_device(&self) -> bool {
        DynamicState::decode(self.state).is_ok_and(|state| matches!(state.backup, Backup::NotEligible))
    }

    /// Its bytes, to be sealed.
    pub fn bytes(&self) -> Vec<u8> {
        // An id has 1023 bytes at most.
        let length = u16::try_from(self.id.len()).unwrap_or(u16::MAX).to_be_bytes();
        [&[STORED_V1, self.transports], &self.state[..], &length, &self.id, &self.public_key].concat()
    }

    /// One that was opened; `None` where the bytes are none of a passkey.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[version, transports], rest) = bytes.split_first_chunk()?;
        let (state, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (id, public_key) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let passkey = Self { id: id.to_vec(), transports, state: *state, public_key: public_key.to_vec() };
        (version == STORED_V1 && passkey.opened().is_ok() && passkey.descriptor().is_ok()).then_some(passkey)
    }

    fn opened(&self) -> Result<(StaticState<PublicKey>, DynamicState), Fault> {
        let key = StaticState::<PublicKey>::decode(self.public_key.as_slice()).map_err(refused)?;
        Ok((key, DynamicState::decode(self.state).map_err(refused)?))
    }

    fn descriptor(&self) -> Result<PublicKeyCredentialDescriptor<Vec<u8>>, Fault> {
        let id = CredentialId::decode(self.id.clone()).map_err(refused)?;
        let transports = AuthTransports::decode(self.transports).map_err(refused)?;
        Ok(PublicKeyCredentialDescriptor { id, transports })
    }
}

fn user_handle(account: AccountId) -> UserHandle16 {
    let Ok(handle) = UserHandle16::decode(account.0.into_bytes());
    handle
}

fn timeout() -> NonZeroU32 {
    NonZeroU32::new(LIBRARY_TTL * 1000).unwrap_or(NonZeroU32::MAX)
}

/// The options as JSON, with the time that we give.
fn written(options: &impl Serialize) -> Result<Value, Fault> {
    let mut json = serde_json::to_value(options).map_err(refused)?;
    json["timeout"] = json!(CEREMONY_TTL * 1000);
    Ok(json)
}

fn refused(error: impl std::fmt::Display) -> Fault {
    Fault::Unreadable(format!("a passkey: {error}"))
}
