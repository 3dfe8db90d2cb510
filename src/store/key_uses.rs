//! Which keys the rows need. The names are told apart here and not in the database, a page at a time, so that
//! neither a statement runs long nor the engines must agree on how to take a text apart.

use super::{
    Db,
    row::parsed,
    schema::{
        bypass_code, challenge, client, destination, device, passkey, recovery_code, sent_code, session,
        tombstone_destination, tombstone_passkey, tombstone_totp, totp, webhook,
    },
};
use crate::{
    crypto::keyring::{Hashed, Sealed},
    domain::refusal::Fault,
};
use diesel::prelude::*;
use jiff::Timestamp;

/// Rows that are read at once.
const PAGE: i64 = 1000;

/// Rows that need a key to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Secrets of authenticators, which a sealing key opens.
    Secrets,
    /// Secrets of authenticators that were switched off and may come back, which a sealing key opens.
    BuriedSecrets,
    /// Passkeys, which a sealing key opens.
    Passkeys,
    /// Passkeys that were switched off and may come back, which a sealing key opens.
    BuriedPasskeys,
    /// Secrets of webhooks, which a sealing key opens.
    WebhookSecrets,
    /// Where codes go, which a sealing key opens.
    Destinations,
    /// Where codes went of methods that were switched off and may come back, which a sealing key opens.
    BuriedDestinations,
    /// Codes that are to be sent, which a sealing key opens.
    UnsentCodes,
    /// Codes that were sent or are to be, which a hashing key checks.
    SentCodes,
    /// Recovery codes that are unused, which a hashing key checks.
    RecoveryCodes,
    /// Refresh tokens of sessions that are alive, which a hashing key checks.
    RefreshTokens,
    /// Sign-ins that wait for a second factor, which a hashing key checks.
    Challenges,
    /// Tokens of devices that are remembered, which a hashing key checks.
    DeviceTokens,
    /// Bypass codes that count, which a hashing key checks.
    BypassCodes,
    /// Secrets of clients, disabled ones too, which a hashing key checks.
    ClientSecrets,
}

impl Rows {
    /// Those whose keys are of the sealing ring.
    pub const SEALED: [Self; 8] = [
        Self::Secrets,
        Self::BuriedSecrets,
        Self::Passkeys,
        Self::BuriedPasskeys,
        Self::WebhookSecrets,
        Self::Destinations,
        Self::BuriedDestinations,
        Self::UnsentCodes,
    ];
    /// Those whose keys are of the hashing ring.
    pub const HASHED: [Self; 7] = [
        Self::RecoveryCodes,
        Self::RefreshTokens,
        Self::Challenges,
        Self::DeviceTokens,
        Self::BypassCodes,
        Self::ClientSecrets,
        Self::SentCodes,
    ];
}

/// How far a walk has come: the key of the last row.
pub type Place = (String, String);

/// A page of a table that keeps one sealed thing a method.
macro_rules! one_a_method {
    ($table:ident, $db:expr, $after:expr) => {{
        use $table::dsl;
        let rows = dsl::$table.filter(dsl::method_id.gt(&$after.0)).order(dsl::method_id).limit(PAGE);
        names(rows.select((dsl::method_id, dsl::sealed)).load($db.conn)?)
    }};
}

/// The names of the keys that the rows after `after` need, a name a value, and where the walk goes on.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(db: &mut Db<'_>, rows: Rows, after: &Place, now: Timestamp) -> Result<(Vec<String>, Option<Place>), Fault> {
    let found = match rows {
        Rows::Secrets => return one_a_method!(totp, db, after),
        Rows::BuriedSecrets => return one_a_method!(tombstone_totp, db, after),
        Rows::Passkeys => return one_a_method!(passkey, db, after),
        Rows::BuriedPasskeys => return one_a_method!(tombstone_passkey, db, after),
        Rows::WebhookSecrets => return webhook_secrets(db, after),
        Rows::Destinations => return one_a_method!(destination, db, after),
        Rows::BuriedDestinations => return one_a_method!(tombstone_destination, db, after),
        Rows::UnsentCodes => return unsent_codes(db, after, now.as_millisecond()),
        Rows::RecoveryCodes => recovery_codes(db, after)?,
        Rows::RefreshTokens => refresh_tokens(db, after, now.as_millisecond())?,
        Rows::Challenges => challenges(db, after, now.as_millisecond())?,
        Rows::DeviceTokens => device_tokens(db, after, now.as_millisecond())?,
        Rows::BypassCodes => bypass_codes(db, after, now.as_millisecond())?,
        Rows::ClientSecrets => client_secrets(db, after, now.as_millisecond())?,
        Rows::SentCodes => sent_codes(db, after, now.as_millisecond())?,
    };
    let next = place(found.len(), found.last().map(|(place, _)| place));
    let hashed = found.into_iter().flat_map(|(_, texts)| texts);
    let names = hashed.map(|text| parsed::<Hashed>(&text).map(|hashed| hashed.key_id)).collect::<Result<_, _>>()?;
    Ok((names, next))
}

/// A row: its place, and the hashes in it.
type Found = Vec<(Place, Vec<String>)>;

fn place(rows: usize, last: Option<&Place>) -> Option<Place> {
    last.filter(|_| rows as i64 == PAGE).cloned()
}

fn webhook_secrets(db: &mut Db<'_>, after: &Place) -> Result<(Vec<String>, Option<Place>), Fault> {
    use webhook::dsl;
    let rows: Vec<(String, Vec<u8>, Option<Vec<u8>>)> = dsl::webhook
        .filter(dsl::id.gt(&after.0))
        .order(dsl::id)
        .limit(PAGE)
        .select((dsl::id, dsl::secret, dsl::previous))
        .load(db.conn)?;
    let next = place(rows.len(), rows.last().map(|(id, ..)| (id.clone(), String::new())).as_ref());
    let mut found = Vec::new();
    for (id, secret, previous) in rows {
        for sealed in [Some(secret), previous].into_iter().flatten() {
            let unreadable = || Fault::Unreadable(format!("secret of webhook {id}"));
            found.push(Sealed(sealed).key_id().map(str::to_owned).ok_or_else(unreadable)?);
        }
    }
    Ok((found, next))
}

fn unsent_codes(db: &mut Db<'_>, after: &Place, now: i64) -> Result<(Vec<String>, Option<Place>), Fault> {
    use sent_code::dsl;
    let live = dsl::sent_code.filter(dsl::sealed.is_not_null()).filter(dsl::expires_at.gt(now));
    let rows = live.filter(dsl::method_id.gt(&after.0)).order(dsl::method_id).limit(PAGE);
    names(rows.select((dsl::method_id, dsl::sealed.assume_not_null())).load(db.conn)?)
}

fn sent_codes(db: &mut Db<'_>, after: &Place, now: i64) -> Result<Found, Fault> {
    use sent_code::dsl;
    let live = dsl::sent_code.filter(dsl::expires_at.gt(now)).filter(dsl::method_id.gt(&after.0));
    let rows = live.order(dsl::method_id).limit(PAGE).select((dsl::method_id, dsl::hashed));
    let rows: Vec<(String, String)> = rows.load(db.conn)?;
    Ok(rows.into_iter().map(|(method, hashed)| ((method, String::new()), vec![hashed])).collect())
}

fn names(rows: Vec<(String, Vec<u8>)>) -> Result<(Vec<String>, Option<Place>), Fault> {
    let next = place(rows.len(), rows.last().map(|(id, _)| (id.clone(), String::new())).as_ref());
    let name = |(method, sealed): (String, Vec<u8>)| {
        let unreadable = || Fault::Unreadable(format!("secret of method {method}"));
        Sealed(sealed).key_id().map(str::to_owned).ok_or_else(unreadable)
    };
    Ok((rows.into_iter().map(name).collect::<Result<_, _>>()?, next))
}

fn recovery_codes(db: &mut Db<'_>, (account, hashed): &Place) -> Result<Found, Fault> {
    use recovery_code::dsl;
    let rows: Vec<(String, String)> = dsl::recovery_code
        .filter(dsl::account_id.ge(account))
        .filter(dsl::account_id.gt(account).or(dsl::hashed.gt(hashed)))
        .filter(dsl::used_at.is_null())
        .order((dsl::account_id, dsl::hashed))
        .limit(PAGE)
        .select((dsl::account_id, dsl::hashed))
        .load(db.conn)?;
    Ok(rows.into_iter().map(|(account, hashed)| ((account, hashed.clone()), vec![hashed])).collect())
}

fn refresh_tokens(db: &mut Db<'_>, after: &Place, now: i64) -> Result<Found, Fault> {
    use session::dsl;
    let rows: Vec<(String, String, Option<String>)> = dsl::session
        .filter(dsl::id.gt(&after.0))
        .filter(dsl::ended_at.is_null())
        .filter(dsl::idle_until.gt(now))
        .filter(dsl::expires_at.gt(now))
        .order(dsl::id)
        .limit(PAGE)
        .select((dsl::id, dsl::refresh, dsl::previous))
        .load(db.conn)?;
    let found = |(id, refresh, previous): (String, String, Option<String>)| {
        ((id, String::new()), [Some(refresh), previous].into_iter().flatten().collect())
    };
    Ok(rows.into_iter().map(found).collect())
}

fn challenges(db: &mut Db<'_>, after: &Place, now: i64) -> Result<Found, Fault> {
    use challenge::dsl;
    let rows: Vec<(String, String)> = dsl::challenge
        .filter(dsl::id.gt(&after.0))
        .filter(dsl::ended_at.is_null())
        .filter(dsl::expires_at.gt(now))
        .order(dsl::id)
        .limit(PAGE)
        .select((dsl::id, dsl::hashed))
        .load(db.conn)?;
    Ok(rows.into_iter().map(|(id, hashed)| ((id, String::new()), vec![hashed])).collect())
}

fn device_tokens(db: &mut Db<'_>, after: &Place, now: i64) -> Result<Found, Fault> {
    use device::dsl;
    let rows: Vec<(String, String, Option<String>)> = dsl::device
        .filter(dsl::id.gt(&after.0))
        .filter(dsl::expires_at.gt(now))
        .order(dsl::id)
        .limit(PAGE)
        .select((dsl::id, dsl::hashed, dsl::previous))
        .load(db.conn)?;
    let found = |(id, hashed, previous): (String, String, Option<String>)| {
        ((id, String::new()), [Some(hashed), previous].into_iter().flatten().collect())
    };
    Ok(rows.into_iter().map(found).collect())
}

fn bypass_codes(db: &mut Db<'_>, after: &Place, now: i64) -> Result<Found, Fault> {
    use bypass_code::dsl;
    let rows: Vec<(String, String)> = dsl::bypass_code
        .filter(dsl::account_id.gt(&after.0))
        .filter(dsl::expires_at.gt(now))
        .order(dsl::account_id)
        .limit(PAGE)
        .select((dsl::account_id, dsl::hashed))
        .load(db.conn)?;
    Ok(rows.into_iter().map(|(account, hashed)| ((account, String::new()), vec![hashed])).collect())
}

fn client_secrets(db: &mut Db<'_>, after: &Place, now: i64) -> Result<Found, Fault> {
    use client::dsl;
    let rows: Vec<(String, String, Option<String>, Option<i64>)> = dsl::client
        .filter(dsl::id.gt(&after.0))
        .order(dsl::id)
        .limit(PAGE)
        .select((dsl::id, dsl::secret, dsl::previous, dsl::previous_until))
        .load(db.conn)?;
    let found = |(id, secret, previous, until): (String, String, Option<String>, Option<i64>)| {
        let previous = previous.filter(|_| until.is_some_and(|until| now < until));
        ((id, String::new()), [Some(secret), previous].into_iter().flatten().collect())
    };
    Ok(rows.into_iter().map(found).collect())
}
