//! What Keycloak writes of a realm: an object with `users`, each with `credentials` of the types `password` and
//! `otp`, whose `credentialData` and `secretData` are JSON in a string.
//!
//! The secret of an `otp` is its own key, byte for byte, unless `secretEncoding` says that it is base 32. Of
//! passwords, bcrypt hashes alone can be taken, which Keycloak has with a provider for them. The id of a user is
//! the `sub` of its tokens.

use super::{Bad, Entries, Entry, Row, Rows, email, password_hash, subject, totp_secret};
use crate::domain::{
    account::Locale,
    secret::Secret,
    totp::{DIGITS, PERIOD, TotpSecret},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

const MAKER: &str = "Keycloak";

#[derive(Deserialize)]
struct Realm<'a> {
    #[serde(borrow)]
    users: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: Option<String>,
    email: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    attributes: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    credentials: Vec<Credential>,
    /// A client of its own, and no person.
    service_account_client_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    r#type: String,
    #[serde(default)]
    credential_data: String,
    #[serde(default)]
    secret_data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PasswordData {
    algorithm: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OtpData {
    sub_type: String,
    digits: u32,
    #[serde(default)]
    period: u32,
    algorithm: String,
    secret_encoding: Option<String>,
}

#[derive(Deserialize)]
struct SecretData {
    value: String,
}

fn yes() -> bool {
    true
}

/// Reads the accounts of a realm.
///
/// # Errors
/// When it is no export of a realm.
pub fn read(bytes: &[u8]) -> Result<Rows<'_>, Bad> {
    let not_a_realm = Bad::Document("a JSON object with `users`, as Keycloak exports a realm");
    let text = std::str::from_utf8(bytes).map_err(|_| not_a_realm.clone())?;
    let realm: Realm<'_> = serde_json::from_str(text).map_err(|_| not_a_realm)?;
    Ok(Box::new(Entries::new(text, realm.users).filter_map(|(place, raw)| {
        let entry = match serde_json::from_str::<User>(raw.get()) {
            Ok(user) if user.service_account_client_id.is_some() => return None,
            Ok(user) => entry(&user),
            Err(_) => Err(Bad::Foreign(MAKER)),
        };
        Some(Row { place, entry })
    })))
}

fn entry(user: &User) -> Result<Entry, Bad> {
    let of = |kind: &'static str| user.credentials.iter().filter(move |credential| credential.r#type == kind);
    let tag = user.attributes.get("locale").and_then(|tags| tags.first());
    let mut entry = Entry {
        email: email(user.email.as_deref().unwrap_or_default())?,
        password_hash: of("password").next().map(password).transpose()?.flatten(),
        locale: tag.and_then(|tag| Locale::serving(tag)).unwrap_or_default(),
        subject: subject(user.id.as_deref().unwrap_or_default())?,
        totp_secret: None,
        is_suspended: !user.enabled,
        is_required: false,
        lost_factor: None,
    };
    for otp in of("otp") {
        match secret(otp)? {
            Ok(secret) => entry.totp_secret = entry.totp_secret.or(Some(secret)),
            Err(what) => entry.lost_factor = Some(what),
        }
    }
    // `totp` and `hotp` were written before Keycloak 8.
    let others = ["webauthn", "webauthn-passwordless", "totp", "hotp"];
    if others.into_iter().any(|kind| of(kind).next().is_some()) {
        entry.lost_factor = entry.lost_factor.or(Some("a factor that is no authenticator app of today's"));
    }
    entry.lost_factor = entry.lost_factor.filter(|_| entry.totp_secret.is_none());
    Ok(entry)
}

/// A bcrypt hash as it is, or the name of another kind.
fn password(credential: &Credential) -> Result<Option<Secret<String>>, Bad> {
    let PasswordData { algorithm } = parsed(&credential.credential_data)?;
    let value = Secret::new(parsed::<SecretData>(&credential.secret_data)?.value);
    let is_bcrypt = value.expose().starts_with("$2");
    Ok(if is_bcrypt { password_hash(value.expose()) } else { password_hash(&format!("{algorithm}$")) })
}

/// The secret of an authenticator; or what it is, where it makes other codes than ours.
fn secret(otp: &Credential) -> Result<Result<TotpSecret, &'static str>, Bad> {
    let data: OtpData = parsed(&otp.credential_data)?;
    let SecretData { value } = parsed(&otp.secret_data)?;
    let is_ours = (data.sub_type.as_str(), data.digits, data.period, data.algorithm.as_str());
    if is_ours != ("totp", DIGITS, PERIOD, "HmacSHA1") {
        return Ok(Err("an authenticator with other codes than SHA-1, six digits, 30 seconds"));
    }
    match data.secret_encoding.as_deref() {
        None => TotpSecret::of_any_maker(value.into_bytes()).ok_or(Bad::SecretLength).map(Ok),
        Some(encoding) if encoding.eq_ignore_ascii_case("base32") => totp_secret(&value).map(Ok),
        Some(_) => Err(Bad::Secret),
    }
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Bad> {
    serde_json::from_str(text).map_err(|_| Bad::Foreign(MAKER))
}
