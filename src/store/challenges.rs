//! Sign-in challenges: what a right password earns while two-factor authentication is on.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{hit_one, moment, parsed},
    schema::challenge::{self, dsl},
};
use crate::{
    crypto::opaque::{Opaque, OpaqueKind},
    domain::{
        id::{AccountId, ChallengeId},
        policy::MAX_CHALLENGES,
        refusal::Fault,
        session::Challenge,
    },
};
use diesel::prelude::*;
use jiff::Timestamp;

/// Opens a challenge and draws its token; when the account has too many open, the oldest dies.
///
/// # Errors
/// `unavailable`.
pub fn insert(tx: &mut Tx<'_>, challenge: &Challenge, now: Timestamp) -> Result<Opaque, Fault> {
    let open: Vec<String> = dsl::challenge
        .filter(dsl::account_id.eq(challenge.account.to_string()))
        .filter(dsl::ended_at.is_null())
        .filter(dsl::expires_at.gt(now.as_millisecond()))
        .order(dsl::id.desc())
        .select(dsl::id)
        .load(tx.conn)?;
    for id in open.iter().skip(MAX_CHALLENGES - 1) {
        diesel::update(dsl::challenge.filter(dsl::id.eq(id)))
            .set(dsl::ended_at.eq(now.as_millisecond()))
            .prepared()
            .execute(tx.conn)?;
    }
    let token = Opaque::draw(tx.random, OpaqueKind::Challenge, challenge.id.0)?;
    let row = (
        dsl::id.eq(challenge.id.to_string()),
        dsl::account_id.eq(challenge.account.to_string()),
        dsl::hashed.eq(token.hashed(tx.keys)?.to_string()),
        dsl::epoch.eq(challenge.epoch),
        dsl::created_at.eq(now.as_millisecond()),
        dsl::expires_at.eq(challenge.expires_at.as_millisecond()),
    );
    diesel::insert_into(challenge::table).values(row).prepared().execute(tx.conn)?;
    Ok(token)
}

/// The open challenge that a token stands for, if it is one.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find_open(db: &mut Db<'_>, token: &Opaque, now: Timestamp) -> Result<Option<Challenge>, Fault> {
    let row: Option<(String, String, i64, i64)> = dsl::challenge
        .filter(dsl::id.eq(token.id.to_string()))
        .filter(dsl::ended_at.is_null())
        .filter(dsl::expires_at.gt(now.as_millisecond()))
        .select((dsl::account_id, dsl::hashed, dsl::epoch, dsl::expires_at))
        .fetch_one(db.conn)?;
    let Some((account, hashed, epoch, expires_at)) = row else { return Ok(None) };
    if !token.is(db.keys, &parsed(&hashed)?)? {
        return Ok(None);
    }
    let account: AccountId = parsed(&account)?;
    Ok(Some(Challenge { id: ChallengeId(token.id), account, epoch, expires_at: moment(expires_at)? }))
}

/// Ends every challenge of an account.
///
/// # Errors
/// `unavailable`.
pub fn end_all(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<(), Fault> {
    let open = dsl::challenge.filter(dsl::account_id.eq(account.to_string())).filter(dsl::ended_at.is_null());
    diesel::update(open).set(dsl::ended_at.eq(now.as_millisecond())).prepared().execute(tx.conn)?;
    Ok(())
}

/// Ends a challenge: it was used, or it is worn out.
///
/// # Errors
/// `contended` when it ended meanwhile.
pub fn end(tx: &mut Tx<'_>, id: ChallengeId, now: Timestamp) -> Result<(), Fault> {
    let open = dsl::challenge.filter(dsl::id.eq(id.to_string())).filter(dsl::ended_at.is_null());
    let rows = diesel::update(open).set(dsl::ended_at.eq(now.as_millisecond())).prepared().execute(tx.conn)?;
    hit_one(rows, "challenge")
}
