//! Who and what a sandbox begins with: the same at each start, and known to everybody. So nothing of it is ever found
//! in an installation that serves customers.

use crate::{
    crypto::webhook_secret::WebhookSecret,
    domain::{
        account::Locale,
        id::{AccountId, ClientId, MethodId, WebhookId},
        recovery_code::{BYTES, RecoveryCode, SET_SIZE},
        secret::Secret,
        totp::{SECRET_BYTES, Step, TotpSecret},
    },
};
use jiff::Timestamp;
use serde::Serialize;
use std::net::SocketAddr;
use uuid::Uuid;

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery";
/// The issuer that an authenticator app shows beside its codes.
const ISSUER: &str = "Sandbox";
/// The partner's client.
pub const CLIENT: Program = Program {
    id: ClientId(numbered(0xff)),
    name: "Sandbox Partner",
    secret: "twofold_secret_sandboxsandboxsandboxsandboxsandboxsand",
    scope: "2fa:read 2fa:verify events:read webhooks:manage accounts:provision",
};
/// The client's webhook, at the sandbox itself.
pub const HOOK: Hook =
    Hook { id: WebhookId(numbered(0xfe)), name: "partner", key: b"sandbox key for a partners hooks" };
/// The account owners.
pub const PEOPLE: [Person; 4] = [
    Person { number: 1, name: "alice", locale: Locale::En, scope: "", key: None },
    Person { number: 2, name: "bob", locale: Locale::En, scope: "", key: Some(b"sandbox key, for bob") },
    Person { number: 3, name: "carla", locale: Locale::En, scope: "support", key: Some(b"sandbox key of carla") },
    Person { number: 4, name: "dora", locale: Locale::Ms, scope: "", key: Some(b"sandbox key for dora") },
];

/// An account owner.
pub struct Person {
    number: u8,
    name: &'static str,
    /// The language that they read.
    pub locale: Locale,
    /// Scopes that their tokens carry.
    pub scope: &'static str,
    key: Option<&'static [u8; SECRET_BYTES]>,
}

/// A partner's client, which sees every account.
pub struct Program {
    /// Its id.
    pub id: ClientId,
    /// Its name.
    pub name: &'static str,
    /// Its secret.
    pub secret: &'static str,
    /// What it may do: all that there is.
    pub scope: &'static str,
}

/// A webhook of the client's.
pub struct Hook {
    /// Its id.
    pub id: WebhookId,
    /// Its name at the sandbox.
    pub name: &'static str,
    key: &'static [u8],
}

/// An account, as the sandbox tells of it.
#[derive(Serialize)]
pub struct AccountBody {
    id: AccountId,
    email: String,
    password: &'static str,
    locale: &'static str,
    scope: &'static str,
    /// What its authenticator had at the start; none where two-factor authentication was off.
    totp: Option<TotpBody>,
    recovery_codes: Vec<String>,
}

#[derive(Serialize)]
struct TotpBody {
    secret: String,
    otpauth_uri: String,
    code: String,
}

/// The webhook, as the sandbox tells of it.
#[derive(Serialize)]
pub struct HookBody {
    id: WebhookId,
    url: String,
    secret: String,
}

/// The client, as the sandbox tells of it.
#[derive(Serialize)]
pub struct ClientBody {
    id: ClientId,
    secret: &'static str,
    scope: &'static str,
}

impl Person {
    /// The id of the account.
    pub fn id(&self) -> AccountId {
        AccountId(numbered(self.number))
    }

    /// The name that they sign in with.
    pub fn email(&self) -> String {
        format!("{}@example.test", self.name)
    }

    /// The authenticator, where two-factor authentication is on.
    pub fn authenticator(&self) -> Option<(MethodId, TotpSecret)> {
        Some((MethodId(numbered(0x10 + self.number)), TotpSecret::from_bytes(*self.key?)))
    }

    /// The recovery codes, where two-factor authentication is on.
    pub fn recovery_codes(&self) -> Vec<RecoveryCode> {
        let size = if self.key.is_some() { SET_SIZE } else { 0 };
        let code = |(place, mut bytes): (u8, [u8; BYTES])| {
            bytes[BYTES - 1] = place;
            RecoveryCode::from_random(bytes)
        };
        (1..).zip(std::iter::repeat_n([self.number; BYTES], size)).map(code).collect()
    }

    /// What is told of them, with the code of `now`.
    pub fn told(&self, now: Timestamp) -> AccountBody {
        let email = self.email();
        let totp = self.authenticator().map(|(_, secret)| TotpBody {
            secret: secret.reveal(),
            otpauth_uri: secret.otpauth_uri(ISSUER, &email),
            code: secret.code(Step::at(now)),
        });
        AccountBody {
            id: self.id(),
            email,
            password: PASSWORD,
            locale: self.locale.tag(),
            scope: self.scope,
            totp,
            recovery_codes: self.recovery_codes().iter().map(RecoveryCode::reveal).collect(),
        }
    }
}

impl Program {
    /// What is told of it.
    pub fn told(&self) -> ClientBody {
        ClientBody { id: self.id, secret: self.secret, scope: self.scope }
    }
}

impl Hook {
    /// Where it is, at the sandbox at this address.
    pub fn url(&self, sandbox: SocketAddr) -> String {
        format!("http://{sandbox}/sandbox/hooks/{}", self.name)
    }

    /// What its messages are signed with.
    pub fn secret(&self) -> WebhookSecret {
        WebhookSecret::opened(Secret::new(self.key.to_vec()))
    }

    /// What is told of it.
    pub fn told(&self, sandbox: SocketAddr) -> HookBody {
        HookBody { id: self.id, url: self.url(sandbox), secret: self.secret().reveal() }
    }
}

/// An id that is always the same (a UUIDv7 of the year 2022).
const fn numbered(number: u8) -> Uuid {
    Uuid::from_u128(0x0180_0000_0000_7000_8000_0000_0000_0000 | number as u128)
}
