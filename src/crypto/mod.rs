//! The only room with keys: what is sealed, hashed, signed or drawn at random happens here.

pub mod client_secret;
pub mod client_token;
pub mod digest;
pub mod gate;
pub mod issuer;
pub mod jwks;
pub mod keyfile;
pub mod keyring;
pub mod keys;
pub mod links;
pub mod opaque;
pub mod passkeys;
pub mod password;
pub mod random;
pub mod rotation;
pub mod seen_tokens;
pub mod token;
pub mod watch;
pub mod webhook_secret;
