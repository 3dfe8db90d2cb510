//! Accounts that come from elsewhere, many at once.

use super::{
    Db, Tx,
    accounts::{self, NewAccount},
    connection::Fetch,
    events, methods,
    schema::account::dsl,
    totp,
};
use crate::domain::{
    event::{Event, Origin},
    id::{AccountId, MethodId},
    refusal::Fault,
    totp::TotpSecret,
};
use diesel::prelude::*;
use jiff::Timestamp;

/// An account that comes from elsewhere.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its id.
    pub id: AccountId,
    /// What every new account has.
    pub new: NewAccount,
    /// Its authenticator, which is in service at once.
    pub authenticator: Option<(MethodId, TotpSecret)>,
    /// Whether it may not be used.
    pub is_suspended: bool,
    /// Whether it is on the list of those who must have two-factor authentication.
    pub is_required: bool,
    /// Its first event.
    pub event: Event,
}

/// An account that is there already.
#[derive(Clone, Debug, Queryable)]
pub struct Known {
    /// Its address.
    pub email: String,
    /// The hash of its password.
    pub password_hash: String,
    /// Its subject.
    pub subject: Option<String>,
}

/// The accounts that have an address or a subject of some arrivals.
///
/// # Errors
/// `unavailable`.
pub fn known(db: &mut Db<'_>, arrivals: &[Arrival]) -> Result<Vec<Known>, Fault> {
    let columns = (dsl::email, dsl::password_hash, dsl::subject);
    let emails: Vec<String> = arrivals.iter().map(|arrival| arrival.new.email.as_str().to_owned()).collect();
    let subjects = arrivals.iter().filter_map(|arrival| arrival.new.subject.as_ref());
    let subjects: Vec<String> = subjects.map(|subject| subject.as_str().to_owned()).collect();
    let mut known: Vec<Known> = dsl::account.filter(dsl::email.eq_any(emails)).select(columns).fetch(db.conn)?;
    if !subjects.is_empty() {
        let by_subject = dsl::account.filter(dsl::subject.eq_any(subjects)).select(columns);
        known.extend(by_subject.fetch::<Known>(db.conn)?);
    }
    Ok(known)
}

/// Adds accounts with what they bring.
///
/// # Errors
/// `contended` when an address or a subject was taken meanwhile.
pub fn insert(tx: &mut Tx<'_>, arrivals: &[Arrival], origin: &Origin, now: Timestamp) -> Result<(), Fault> {
    accounts::insert_arrivals(tx, arrivals, now)?;
    methods::insert_arrivals(tx, arrivals, now)?;
    totp::insert_arrivals(tx, arrivals)?;
    events::append_arrivals(tx, arrivals, origin, now)
}
