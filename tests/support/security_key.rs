//! A security key in software: it answers what a browser hands to an authenticator, and can be made to answer wrong in
//! one thing.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::{SystemRandom, fill},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};

/// User present, user verified, eligible for backup, credential included (WebAuthn §6.1).
const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const INCLUDED: u8 = 1 << 6;

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Es256,
    EdDsa,
}

/// The one thing that is wrong with an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Flaw {
    #[default]
    None,
    /// It was made for a page at another origin.
    Origin(&'static str),
    /// It was made inside a page of this origin.
    InsideOf(&'static str),
    /// It was made for another domain.
    Domain(&'static str),
    /// It is of the other kind of ceremony.
    OtherCeremony,
    /// It answers a challenge of its own.
    Challenge,
    /// Nobody touched the key.
    NobodyPresent,
    /// One bit of the signature is another.
    Signature,
    /// It says to be a credential that it is not.
    CredentialId(Vec<u8>),
    /// It says to be another account's.
    UserHandle([u8; 16]),
    /// It says to be copyable now, or not to be any more.
    Backup,
}

/// A person's security key. It makes as many credentials as it is asked for.
pub struct SecurityKey {
    pub algorithm: Algorithm,
    pub origin: String,
    /// Whether what it makes can be copied to another device.
    pub is_synced: bool,
    /// Whether it asks for a PIN.
    pub verifies: bool,
    /// Whether it counts its signatures.
    pub counts: bool,
    /// How many it says to have made; a copy of the key has a count of its own.
    pub counter: Cell<u32>,
    made: RefCell<Vec<Made>>,
}

struct Made {
    id: Vec<u8>,
    user: Vec<u8>,
    secret: Secret,
}

enum Secret {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl SecurityKey {
    pub fn new(algorithm: Algorithm, origin: &str) -> Self {
        Self {
            algorithm,
            origin: origin.to_owned(),
            is_synced: false,
            verifies: true,
            counts: true,
            counter: Cell::new(0),
            made: RefCell::default(),
        }
    }

    /// The id of the credential that was made last.
    pub fn last_id(&self) -> Vec<u8> {
        self.made.borrow().last().unwrap().id.clone()
    }

    /// Makes a credential, as `navigator.credentials.create` answers it; `None` where it has one that is excluded.
    pub fn create(&self, options: &Value, flaw: &Flaw) -> Option<Value> {
        let excluded = ids(&options["excludeCredentials"]);
        if self.made.borrow().iter().any(|made| excluded.contains(&made.id)) {
            return None;
        }
        let made = Made::of(self.algorithm, bytes(&options["user"]["id"]));
        let id = match flaw {
            Flaw::CredentialId(id) => id.clone(),
            _ => made.id.clone(),
        };
        let client_data = self.client_data("webauthn.create", options, flaw);
        let mut data = self.authenticator_data(options["rp"]["id"].as_str().unwrap(), INCLUDED, flaw);
        data.extend([0; 16]);
        data.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        data.extend(&id);
        data.extend(made.secret.cose());
        self.made.borrow_mut().push(made);
        let response = json!({
            "clientDataJSON": text(client_data.as_bytes()),
            "attestationObject": text(&attestation(&data)),
            "transports": ["usb"],
        });
        Some(credential(&id, response))
    }

    /// Proves a credential that is allowed, as `navigator.credentials.get` answers it.
    pub fn get(&self, options: &Value, flaw: &Flaw) -> Value {
        let allowed = ids(&options["allowCredentials"]);
        let made = self.made.borrow();
        let one = made.iter().find(|made| allowed.contains(&made.id)).or(made.last()).unwrap();
        self.counter.set(self.counter.get() + u32::from(self.counts));
        let client_data = self.client_data("webauthn.get", options, flaw);
        let data = self.authenticator_data(options["rpId"].as_str().unwrap(), 0, flaw);
        let signed = [&data[..], digest(&SHA256, client_data.as_bytes()).as_ref()].concat();
        let mut signature = one.secret.sign(&signed);
        if *flaw == Flaw::Signature {
            *signature.last_mut().unwrap() ^= 1;
        }
        let user = match flaw {
            Flaw::UserHandle(user) => user.to_vec(),
            _ => one.user.clone(),
        };
        let id = match flaw {
            Flaw::CredentialId(id) => id,
            _ => &one.id,
        };
        let response = json!({
            "clientDataJSON": text(client_data.as_bytes()),
            "authenticatorData": text(&data),
            "signature": text(&signature),
            "userHandle": text(&user),
        });
        credential(id, response)
    }

    fn client_data(&self, ceremony: &str, options: &Value, flaw: &Flaw) -> String {
        let ceremony = match (flaw, ceremony) {
            (Flaw::OtherCeremony, "webauthn.get") => "webauthn.create",
            (Flaw::OtherCeremony, _) => "webauthn.get",
            _ => ceremony,
        };
        let challenge = match flaw {
            Flaw::Challenge => text(&[7; 16]),
            _ => options["challenge"].as_str().unwrap().to_owned(),
        };
        let origin = match flaw {
            Flaw::Origin(origin) => origin,
            _ => self.origin.as_str(),
        };
        let mut data = json!({"type": ceremony, "challenge": challenge, "origin": origin, "crossOrigin": false});
        if let Flaw::InsideOf(top) = flaw {
            data["crossOrigin"] = json!(true);
            data["topOrigin"] = json!(top);
        }
        data.to_string()
    }

    fn authenticator_data(&self, domain: &str, more: u8, flaw: &Flaw) -> Vec<u8> {
        let domain = match flaw {
            Flaw::Domain(domain) => domain,
            _ => domain,
        };
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let is_synced = self.is_synced != (*flaw == Flaw::Backup);
        let flags = flag(*flaw != Flaw::NobodyPresent, PRESENT)
            | flag(self.verifies, VERIFIED)
            | flag(is_synced, BACKUP_ELIGIBLE)
            | more;
        let hash = digest(&SHA256, domain.as_bytes());
        [hash.as_ref(), &[flags], &self.counter.get().to_be_bytes()].concat()
    }
}

impl Made {
    fn of(algorithm: Algorithm, user: Vec<u8>) -> Self {
        let mut id = vec![0; 32];
        fill(&mut id).unwrap();
        let secret = match algorithm {
            Algorithm::Es256 => Secret::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            Algorithm::EdDsa => Secret::EdDsa(Ed25519KeyPair::generate().unwrap()),
        };
        Self { id, user, secret }
    }
}

impl Secret {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key in COSE (RFC 9052 §7), keys in the order of CTAP's canonical CBOR.
    fn cose(&self) -> Vec<u8> {
        match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (&point[1..33], &point[33..65]);
                [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", x, b"\x22\x58\x20", y].concat()
            }
            Self::EdDsa(pair) => [b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20", pair.public_key().as_ref()].concat(),
        }
    }
}

/// An attestation object that attests nothing: `{"fmt": "none", "attStmt": {}, "authData": …}` in CBOR.
fn attestation(data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).unwrap();
    [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58", &[length][..], data].concat()
}

fn credential(id: &[u8], response: Value) -> Value {
    json!({
        "id": text(id), "rawId": text(id), "type": "public-key", "authenticatorAttachment": "cross-platform",
        "clientExtensionResults": {}, "response": response,
    })
}

fn ids(descriptors: &Value) -> Vec<Vec<u8>> {
    descriptors.as_array().into_iter().flatten().map(|descriptor| bytes(&descriptor["id"])).collect()
}

fn bytes(text: &Value) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_str().unwrap().as_bytes()).unwrap()
}

fn text(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
