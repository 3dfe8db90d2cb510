//! What `dumpdata` of Django writes: an array of `{"model", "pk", "fields"}`, in which `*.user` is an account and
//! `mfa.authenticator`, of django-allauth, a second factor of one.
//!
//! Of authenticators, those of type `totp` are taken, whose secret is base 32 in `data.secret`; django-allauth
//! computes SHA-1, six digits and 30 seconds unless it is told otherwise, and does not write it down. Its recovery
//! codes are not taken: they are a seed that makes all of them.

use super::{Bad, Entries, Entry, Place, Row, Rows, email, password_hash, totp_secret};
use crate::domain::{account::Locale, secret::Secret};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::collections::HashMap;

const MAKER: &str = "Django";
const NO_FACTOR: &str = "a security key";

#[derive(Deserialize)]
struct Item<'a> {
    model: String,
    #[serde(default)]
    pk: Value,
    #[serde(borrow)]
    fields: &'a RawValue,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
    email: String,
    password: String,
    #[serde(default = "yes")]
    is_active: bool,
}

#[derive(Deserialize)]
struct Authenticator {
    user: Value,
    r#type: String,
    #[serde(default)]
    data: Value,
}

/// The second factors of one user.
struct Factors {
    place: Place,
    secret: Option<Secret<String>>,
    other: bool,
}

fn yes() -> bool {
    true
}

/// Reads the accounts of a dump.
///
/// # Errors
/// When it is no dump.
pub fn read(bytes: &[u8]) -> Result<Rows<'_>, Bad> {
    let not_a_dump = Bad::Document("a JSON array as `dumpdata` writes it");
    let text = std::str::from_utf8(bytes).map_err(|_| not_a_dump.clone())?;
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| not_a_dump)?;
    let (mut users, mut factors, mut rows) = (Vec::<(Place, Value, User)>::new(), HashMap::new(), Vec::new());
    for (place, raw) in Entries::new(text, items) {
        let sorted = match serde_json::from_str::<Item<'_>>(raw.get()) {
            Ok(item) if item.model.ends_with(".user") => {
                parsed(item.fields).map(|user| users.push((place, item.pk, user)))
            }
            Ok(item) if item.model == "mfa.authenticator" => {
                parsed(item.fields).map(|found| note(&mut factors, place, found))
            }
            Ok(_) => Ok(()),
            Err(_) => Err(Bad::Foreign(MAKER)),
        };
        rows.extend(sorted.err().map(|bad| Row { place, entry: Err(bad) }));
    }
    for (place, pk, user) in users {
        // A dump names users by their keys, or by their names where it was asked to.
        let by_name = Value::from(vec![user.username.clone()]).to_string();
        let own = factors.remove(&pk.to_string()).or_else(|| factors.remove(&by_name));
        rows.push(Row { place, entry: entry(&user, own) });
    }
    rows.extend(factors.into_values().map(|left| Row { place: left.place, entry: Err(Bad::Ownerless) }));
    rows.sort_by_key(|row| row.place.nth);
    Ok(Box::new(rows.into_iter()))
}

fn parsed<'a, T: Deserialize<'a>>(fields: &'a RawValue) -> Result<T, Bad> {
    serde_json::from_str(fields.get()).map_err(|_| Bad::Foreign(MAKER))
}

fn note(factors: &mut HashMap<String, Factors>, place: Place, found: Authenticator) {
    let own = factors.entry(found.user.to_string()).or_insert(Factors { place, secret: None, other: false });
    match found.r#type.as_str() {
        // One without a secret is named when the secret is read.
        "totp" => own.secret = Some(Secret::new(found.data["secret"].as_str().unwrap_or_default().to_owned())),
        "recovery_codes" => {}
        _ => own.other = true,
    }
}

fn entry(user: &User, factors: Option<Factors>) -> Result<Entry, Bad> {
    let (secret, other) = factors.map_or((None, false), |own| (own.secret, own.other));
    // `!` begins what is no password.
    let hash = Some(user.password.as_str()).filter(|hash| !hash.starts_with('!'));
    let hash = hash.map(|hash| hash.strip_prefix("bcrypt$").unwrap_or(hash));
    let lost_factor = (secret.is_none() && other).then_some(NO_FACTOR);
    Ok(Entry {
        email: email(&user.email)?,
        password_hash: hash.and_then(password_hash),
        locale: Locale::default(),
        subject: None,
        totp_secret: secret.map(|secret| totp_secret(secret.expose())).transpose()?,
        is_suspended: !user.is_active,
        is_required: false,
        lost_factor,
    })
}
