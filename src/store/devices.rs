//! Remembered devices and their tokens.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
    row::{hit_one, moment, parsed, parsed_or_none},
    schema::device::{self, dsl},
};
use crate::{
    crypto::{
        keyring::Hashed,
        opaque::{Opaque, OpaqueKind},
    },
    domain::{
        account::Account,
        device::Device,
        id::{AccountId, DeviceId},
        policy::{DEVICE_GRACE, MAX_DEVICES},
        refusal::Fault,
    },
};
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = device)]
struct Row {
    id: String,
    account_id: String,
    hashed: String,
    previous: Option<String>,
    previous_until: Option<i64>,
    epoch: i64,
    created_at: i64,
    last_used_at: i64,
    expires_at: i64,
    ip: String,
    user_agent: String,
    session_id: String,
}

/// How a token stands to the device that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// It is the current one.
    Current,
    /// It was replaced a moment ago: sent twice, by two tabs or after a lost answer. It is worth nothing, and no sign of
    /// theft.
    Late,
    /// It was replaced: somebody has a copy.
    Reused,
}

impl Row {
    fn presented(&self, db: &Db<'_>, token: &Opaque, now: Timestamp) -> Result<Presented, Fault> {
        if token.is(db.keys, &parsed(&self.hashed)?)? {
            return Ok(Presented::Current);
        }
        let is_previous = match parsed_or_none::<Hashed>(self.previous.as_deref())? {
            Some(previous) => token.is(db.keys, &previous)?,
            None => false,
        };
        let is_late = is_previous && self.previous_until.is_some_and(|until| now.as_millisecond() <= until);
        Ok(if is_late { Presented::Late } else { Presented::Reused })
    }
}

impl TryFrom<Row> for Device {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        Ok(Self {
            id: parsed(&row.id)?,
            account: parsed(&row.account_id)?,
            epoch: row.epoch,
            created_at: moment(row.created_at)?,
            last_used_at: moment(row.last_used_at)?,
            expires_at: moment(row.expires_at)?,
            ip: row.ip,
            user_agent: row.user_agent,
            session: parsed(&row.session_id)?,
        })
    }
}

/// The devices that spare the owner of an account the second factor at `now`, the one that was used last first.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn alive(db: &mut Db<'_>, account: &Account, now: Timestamp) -> Result<Vec<Device>, Fault> {
    let rows: Vec<Row> = dsl::device.filter(dsl::account_id.eq(account.id.to_string())).fetch(db.conn)?;
    let all: Vec<Device> = rows.into_iter().map(Device::try_from).collect::<Result<_, _>>()?;
    let mut alive: Vec<Device> = all.into_iter().filter(|device| device.is_alive(account, now)).collect();
    // They are few, and the database would make a table of its own to sort them in.
    alive.sort_by_key(|device| std::cmp::Reverse((device.last_used_at, device.id)));
    Ok(alive)
}

/// The device that a token names, if it is one that is alive for `account`, and how the token stands to it.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find_presented(
    db: &mut Db<'_>,
    account: &Account,
    token: &Opaque,
    now: Timestamp,
) -> Result<Option<(Device, Presented)>, Fault> {
    let row: Option<Row> = dsl::device.filter(dsl::id.eq(token.id.to_string())).fetch_one(db.conn)?;
    let Some(row) = row else { return Ok(None) };
    let presented = row.presented(db, token, now)?;
    let device = Device::try_from(row)?;
    Ok(device.is_alive(account, now).then_some((device, presented)))
}

/// Remembers a device and draws its first token; where an account has too many, those that were not used for longest
/// are forgotten. Returns how many were.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn insert(tx: &mut Tx<'_>, account: &Account, device: &Device, now: Timestamp) -> Result<(Opaque, usize), Fault> {
    let surplus: Vec<DeviceId> =
        alive(tx, account, now)?.iter().skip(MAX_DEVICES - 1).map(|device| device.id).collect();
    for id in &surplus {
        forget(tx, account.id, *id)?;
    }
    let token = Opaque::draw(tx.random, OpaqueKind::Device, device.id.0)?;
    let row = Row {
        id: device.id.to_string(),
        account_id: device.account.to_string(),
        hashed: token.hashed(tx.keys)?.to_string(),
        previous: None,
        previous_until: None,
        epoch: device.epoch,
        created_at: device.created_at.as_millisecond(),
        last_used_at: device.last_used_at.as_millisecond(),
        expires_at: device.expires_at.as_millisecond(),
        ip: device.ip.clone(),
        user_agent: device.user_agent.clone(),
        session_id: device.session.to_string(),
    };
    diesel::insert_into(device::table).values(row).prepared().execute(tx.conn)?;
    Ok((token, surplus.len()))
}

/// Draws the next token of a device that is used at `now`, from where and in which session `device` says. What was
/// current is worth nothing from now on.
///
/// # Errors
/// `contended` when it was forgotten meanwhile, or used by another.
pub fn rotate(tx: &mut Tx<'_>, device: &Device, now: Timestamp) -> Result<Opaque, Fault> {
    let token = Opaque::draw(tx.random, OpaqueKind::Device, device.id.0)?;
    let until = now.checked_add(SignedDuration::from_secs(DEVICE_GRACE)).unwrap_or(now);
    let unmoved = dsl::device
        .filter(dsl::id.eq(device.id.to_string()))
        .filter(dsl::last_used_at.eq(device.last_used_at.as_millisecond()));
    let rows = diesel::update(unmoved)
        .set((
            dsl::hashed.eq(token.hashed(tx.keys)?.to_string()),
            dsl::previous.eq(dsl::hashed.nullable()),
            dsl::previous_until.eq(until.as_millisecond()),
            dsl::last_used_at.eq(now.as_millisecond()),
            dsl::ip.eq(&device.ip),
            dsl::user_agent.eq(&device.user_agent),
            dsl::session_id.eq(device.session.to_string()),
        ))
        .prepared()
        .execute(tx.conn)?;
    hit_one(rows, "device")?;
    Ok(token)
}

/// Forgets one device of an account; `false` when there is none of this id.
///
/// # Errors
/// `unavailable`.
pub fn forget(tx: &mut Tx<'_>, account: AccountId, id: DeviceId) -> Result<bool, Fault> {
    let one = dsl::device.filter(dsl::id.eq(id.to_string())).filter(dsl::account_id.eq(account.to_string()));
    Ok(diesel::delete(one).prepared().execute(tx.conn)? == 1)
}

/// Forgets every device of an account, and returns how many there were, dead ones among them.
///
/// # Errors
/// `unavailable`.
pub fn forget_all(tx: &mut Tx<'_>, account: AccountId) -> Result<usize, Fault> {
    let of_account = dsl::device.filter(dsl::account_id.eq(account.to_string()));
    Ok(diesel::delete(of_account).prepared().execute(tx.conn)?)
}
