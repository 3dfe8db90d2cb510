//! Sessions and their refresh tokens.

use super::{
    Db, Tx, accounts,
    connection::{Fetch, Prepare},
    row::{hit_one, moment, moment_or_none, parsed, parsed_or_none},
    schema::{
        account,
        session::{self, dsl},
    },
};
use crate::{
    crypto::{
        keyring::Hashed,
        opaque::{Opaque, OpaqueKind},
    },
    domain::{
        account::Account,
        assurance::{Amr, Assurance},
        id::{AccountId, SessionId},
        policy::REFRESH_GRACE,
        refusal::Fault,
        session::Session,
    },
};
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = session)]
struct Row {
    id: String,
    account_id: String,
    created_at: i64,
    last_seen_at: i64,
    idle_until: i64,
    expires_at: i64,
    ip: String,
    user_agent: String,
    acr: String,
    amr: String,
    auth_time: i64,
    refresh: String,
    previous: Option<String>,
    previous_until: Option<i64>,
    ended_at: Option<i64>,
    is_portals: i64,
}

/// How a presented refresh token stands to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// It is the current one.
    Current,
    /// It was replaced a moment ago, and its successor has not been used: two tabs, or a lost answer.
    Predecessor,
    /// It was never used, and its place was taken by a sibling when the predecessor came once more: it is
    /// dead, and no sign of theft.
    Displaced,
    /// It is of this session and was replaced: somebody has a copy.
    Reused,
}

impl Row {
    fn presented(&self, db: &Db<'_>, token: &Opaque, now: Timestamp) -> Result<Presented, Fault> {
        if token.is(db.keys, &parsed(&self.refresh)?)? {
            return Ok(Presented::Current);
        }
        let previous = parsed_or_none::<Hashed>(self.previous.as_deref())?;
        let is_previous = match previous {
            Some(previous) => token.is(db.keys, &previous)?,
            None => false,
        };
        Ok(match self.previous_until {
            Some(until) if is_previous && now.as_millisecond() <= until => Presented::Predecessor,
            None if is_previous => Presented::Displaced,
            _ => Presented::Reused,
        })
    }
}

impl TryFrom<Row> for Session {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        let amr = row.amr.split_whitespace().map(parsed::<Amr>).collect::<Result<_, _>>()?;
        Ok(Self {
            id: parsed(&row.id)?,
            account: parsed(&row.account_id)?,
            created_at: moment(row.created_at)?,
            last_seen_at: moment(row.last_seen_at)?,
            idle_until: moment(row.idle_until)?,
            expires_at: moment(row.expires_at)?,
            ip: row.ip,
            user_agent: row.user_agent,
            assurance: Assurance { acr: parsed(&row.acr)?, amr, auth_time: moment(row.auth_time)? },
            ended_at: moment_or_none(row.ended_at)?,
            is_portals: row.is_portals != 0,
        })
    }
}

/// One session, alive or not.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find(db: &mut Db<'_>, id: SessionId) -> Result<Option<Session>, Fault> {
    let row: Option<Row> = dsl::session.filter(dsl::id.eq(id.to_string())).fetch_one(db.conn)?;
    row.map(Session::try_from).transpose()
}

/// One session with its account.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find_with_account(db: &mut Db<'_>, id: SessionId) -> Result<Option<(Session, Account)>, Fault> {
    let of_id = dsl::session.inner_join(account::table).filter(dsl::id.eq(id.to_string()));
    let row: Option<(Row, accounts::Row)> = of_id.fetch_one(db.conn)?;
    row.map(|(session, account)| Ok((session.try_into()?, account.try_into()?))).transpose()
}

/// One session, and how a refresh token of its stands to it.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find_presented(db: &mut Db<'_>, token: &Opaque, now: Timestamp) -> Result<Option<(Session, Presented)>, Fault> {
    let row: Option<Row> = dsl::session.filter(dsl::id.eq(token.id.to_string())).fetch_one(db.conn)?;
    let Some(row) = row else { return Ok(None) };
    let presented = row.presented(db, token, now)?;
    Ok(Some((row.try_into()?, presented)))
}

/// The sessions of an account that are alive at `now`, newest first; one of the portal's also between two of its
/// tokens, of which the next may come.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn alive(db: &mut Db<'_>, account: AccountId, now: Timestamp) -> Result<Vec<Session>, Fault> {
    let at = now.as_millisecond();
    let rows: Vec<Row> = dsl::session
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::ended_at.is_null())
        .filter(dsl::idle_until.gt(at).or(dsl::is_portals.eq(1)))
        .filter(dsl::expires_at.gt(at))
        .order(dsl::id.desc())
        .select(Row::as_select())
        .load(db.conn)?;
    rows.into_iter().map(Session::try_from).collect()
}

/// Begins a session, and draws its first refresh token.
///
/// # Errors
/// `unavailable`.
pub fn insert(tx: &mut Tx<'_>, session: &Session) -> Result<Opaque, Fault> {
    let token = Opaque::draw(tx.random, OpaqueKind::Refresh, session.id.0)?;
    let row = Row {
        id: session.id.to_string(),
        account_id: session.account.to_string(),
        created_at: session.created_at.as_millisecond(),
        last_seen_at: session.last_seen_at.as_millisecond(),
        idle_until: session.idle_until.as_millisecond(),
        expires_at: session.expires_at.as_millisecond(),
        ip: session.ip.clone(),
        user_agent: session.user_agent.clone(),
        acr: session.assurance.acr.to_string(),
        amr: session.assurance.amr_text(),
        auth_time: session.assurance.auth_time.as_millisecond(),
        refresh: token.hashed(tx.keys)?.to_string(),
        previous: None,
        previous_until: None,
        ended_at: None,
        is_portals: session.is_portals.into(),
    };
    diesel::insert_into(session::table).values(row).prepared().execute(tx.conn)?;
    Ok(token)
}

/// Draws the next refresh token of a session, whose assurance and times may have changed. What was
/// current becomes the predecessor, good once more for the grace; or, where the predecessor itself is
/// `presented`, an unused sibling that is displaced. What was the predecessor is dead.
///
/// # Errors
/// `contended` when the session ended meanwhile, or was renewed by another.
pub fn rotate(tx: &mut Tx<'_>, session: &Session, presented: Presented, now: Timestamp) -> Result<Opaque, Fault> {
    let token = Opaque::draw(tx.random, OpaqueKind::Refresh, session.id.0)?;
    let grace = now.checked_add(SignedDuration::from_secs(REFRESH_GRACE)).unwrap_or(now);
    let until = (presented == Presented::Current).then(|| grace.as_millisecond());
    let id = session.id.to_string();
    let unmoved = dsl::session
        .filter(dsl::id.eq(&id))
        .filter(dsl::ended_at.is_null())
        .filter(dsl::last_seen_at.eq(session.last_seen_at.as_millisecond()));
    let rows = diesel::update(unmoved)
        .set((
            dsl::last_seen_at.eq(now.as_millisecond()),
            dsl::idle_until.eq(session.idle_until.as_millisecond()),
            dsl::acr.eq(session.assurance.acr.to_string()),
            dsl::amr.eq(session.assurance.amr_text()),
            dsl::auth_time.eq(session.assurance.auth_time.as_millisecond()),
            dsl::refresh.eq(token.hashed(tx.keys)?.to_string()),
            dsl::previous.eq(dsl::refresh.nullable()),
            dsl::previous_until.eq(until),
        ))
        .prepared()
        .execute(tx.conn)?;
    hit_one(rows, "session")?;
    Ok(token)
}

/// Lets a session of the portal's live on for another token, and its row longer, also when it has ended: so it stays
/// ended when the portal hands out the next token of it.
///
/// # Errors
/// `unavailable`.
pub fn prolong(tx: &mut Tx<'_>, session: &Session) -> Result<(), Fault> {
    diesel::update(dsl::session.filter(dsl::id.eq(session.id.to_string())))
        .set((
            dsl::last_seen_at.eq(session.last_seen_at.as_millisecond()),
            dsl::idle_until.eq(session.idle_until.as_millisecond()),
            dsl::expires_at.eq(session.expires_at.as_millisecond()),
        ))
        .prepared()
        .execute(tx.conn)?;
    Ok(())
}

/// Ends one session; `false` when it had ended before.
///
/// # Errors
/// `unavailable`.
pub fn end(tx: &mut Tx<'_>, id: SessionId, now: Timestamp) -> Result<bool, Fault> {
    let alive = dsl::session.filter(dsl::id.eq(id.to_string())).filter(dsl::ended_at.is_null());
    let rows = diesel::update(alive).set(dsl::ended_at.eq(now.as_millisecond())).prepared().execute(tx.conn)?;
    Ok(rows == 1)
}

/// Ends every session of an account but `spared`, and returns how many were alive.
///
/// # Errors
/// `unavailable`.
pub fn end_others(
    tx: &mut Tx<'_>,
    account: AccountId,
    spared: Option<SessionId>,
    now: Timestamp,
) -> Result<usize, Fault> {
    let at = now.as_millisecond();
    let others = dsl::session
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::ended_at.is_null())
        .filter(dsl::idle_until.gt(at).or(dsl::is_portals.eq(1)))
        .filter(dsl::expires_at.gt(at))
        // No session has an empty id.
        .filter(dsl::id.ne(spared.map_or_else(String::new, |id| id.to_string())));
    Ok(diesel::update(others).set(dsl::ended_at.eq(at)).prepared().execute(tx.conn)?)
}
