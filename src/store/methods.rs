//! Second factors of every kind: what every kind has. What one kind needs is in its own file.

use super::{
    Db, Tx,
    arrivals::Arrival,
    connection::{AnyConnection, Fetch, Prepare, insert_all},
    factors::Assured,
    passkeys,
    row::{hit_one, moment, moment_or_none, parsed, parsed_or_none},
    schema::{
        destination,
        method::{self, dsl},
        totp,
    },
    sent_codes, tombstones,
};
use crate::{
    crypto::password::Reverified,
    domain::{
        agent::{Agent, Customer},
        id::{AccountId, MethodId, SessionId},
        method::{Kind, Label, Method, State},
        refusal::Fault,
    },
};
use diesel::{prelude::*, result::OptionalExtension};
use jiff::Timestamp;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = method)]
struct Row {
    id: String,
    account_id: String,
    kind: String,
    state: String,
    label: String,
    created_at: i64,
    last_used_at: Option<i64>,
    expires_at: i64,
    replaces: Option<String>,
    session_id: String,
    ended_at: Option<i64>,
}

impl TryFrom<Row> for Method {
    type Error = Fault;
    fn try_from(row: Row) -> Result<Self, Fault> {
        Ok(Self {
            id: parsed(&row.id)?,
            account: parsed(&row.account_id)?,
            kind: parsed(&row.kind)?,
            state: parsed(&row.state)?,
            label: Label::parse(&row.label, "")
                .map_err(|_| Fault::Unreadable(format!("label of method {}", row.id)))?,
            created_at: moment(row.created_at)?,
            last_used_at: moment_or_none(row.last_used_at)?,
            expires_at: moment(row.expires_at)?,
            replaces: parsed_or_none(row.replaces.as_deref())?,
            session: parsed(&row.session_id)?,
        })
    }
}

/// The methods of an account that are active or pending, oldest first.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn live(db: &mut Db<'_>, account: AccountId) -> Result<Vec<Method>, Fault> {
    let mut rows: Vec<Row> = dsl::method
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::state.eq(State::Active.as_str()).or(dsl::state.eq(State::Pending.as_str())))
        .fetch(db.conn)?;
    // They are few, and the database would make a table of its own to sort them in.
    rows.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    rows.into_iter().map(Method::try_from).collect()
}

/// The active methods of an account, oldest first.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn active(db: &mut Db<'_>, account: AccountId) -> Result<Vec<Method>, Fault> {
    let methods = live(db, account)?;
    Ok(methods.into_iter().filter(|method| method.state == State::Active).collect())
}

/// One method of an account, in whatever state.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn find(db: &mut Db<'_>, account: AccountId, id: MethodId) -> Result<Option<Method>, Fault> {
    let row = dsl::method
        .filter(dsl::account_id.eq(account.to_string()))
        .filter(dsl::id.eq(id.to_string()))
        .select(Row::as_select())
        .first(db.conn)
        .optional()?;
    row.map(Method::try_from).transpose()
}

/// Adds a pending method, whose enrolment was just started; one of its kind that was pending before is superseded.
///
/// # Errors
/// `unavailable`.
pub fn insert_pending(tx: &mut Tx<'_>, method: &Method) -> Result<(), Fault> {
    let of_kind = |other: &Method| other.state == State::Pending && other.kind == method.kind;
    end(tx, method.account, of_kind, State::Abandoned, method.created_at)?;
    let row = Row {
        id: method.id.to_string(),
        account_id: method.account.to_string(),
        kind: method.kind.to_string(),
        state: State::Pending.as_str().to_owned(),
        label: method.label.as_str().to_owned(),
        created_at: method.created_at.as_millisecond(),
        last_used_at: None,
        expires_at: method.expires_at.as_millisecond(),
        replaces: method.replaces.map(|id| id.to_string()),
        session_id: method.session.to_string(),
        ended_at: None,
    };
    diesel::insert_into(method::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

/// Adds the authenticators of accounts that come from elsewhere: in service at once, and never used here.
///
/// # Errors
/// `unavailable`.
pub(super) fn insert_arrivals(tx: &mut Tx<'_>, arrivals: &[Arrival], now: Timestamp) -> Result<(), Fault> {
    let at = now.as_millisecond();
    let row = |arrival: &Arrival| {
        let (id, _) = arrival.authenticator.as_ref()?;
        Some(Row {
            id: id.to_string(),
            account_id: arrival.id.to_string(),
            kind: Kind::Totp.to_string(),
            state: State::Active.as_str().to_owned(),
            label: Kind::Totp.label().as_str().to_owned(),
            created_at: at,
            last_used_at: None,
            expires_at: at,
            replaces: None,
            // No session enrolled it.
            session_id: SessionId(uuid::Uuid::nil()).to_string(),
            ended_at: None,
        })
    };
    let rows: Vec<Row> = arrivals.iter().filter_map(row).collect();
    insert_all!(tx, method::table, &rows);
    Ok(())
}

/// Takes a pending method into service.
///
/// # Errors
/// `contended` when it is not pending any more.
pub fn activate(tx: &mut Tx<'_>, id: MethodId, now: Timestamp) -> Result<(), Fault> {
    let pending = dsl::method.filter(dsl::id.eq(id.to_string())).filter(dsl::state.eq(State::Pending.as_str()));
    let at = now.as_millisecond();
    let rows = diesel::update(pending)
        .set((dsl::state.eq(State::Active.as_str()), dsl::created_at.eq(at), dsl::last_used_at.eq(at)))
        .prepared()
        .execute(tx.conn)?;
    hit_one(rows, "pending method")
}

/// Gives a method another label.
///
/// # Errors
/// `contended` when it is not active any more.
pub fn rename(tx: &mut Tx<'_>, id: MethodId, label: &Label) -> Result<(), Fault> {
    let active = dsl::method.filter(dsl::id.eq(id.to_string())).filter(dsl::state.eq(State::Active.as_str()));
    let rows = diesel::update(active).set(dsl::label.eq(label.as_str())).prepared().execute(tx.conn)?;
    hit_one(rows, "active method")
}

/// Notes that a method proved the second factor; the account's version does not move by it.
pub(super) fn touch(tx: &mut Tx<'_>, id: MethodId, now: Timestamp) -> Result<(), Fault> {
    let rows = diesel::update(dsl::method.filter(dsl::id.eq(id.to_string())))
        .set(dsl::last_used_at.eq(now.as_millisecond()))
        .prepared()
        .execute(tx.conn)?;
    hit_one(rows, "method")
}

/// Ends the pending enrolments of an account, if there are any.
///
/// # Errors
/// `unavailable`.
pub fn abandon_pending(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<(), Fault> {
    end(tx, account, |method| method.state == State::Pending, State::Abandoned, now).map(|_| ())
}

/// Ends one pending enrolment.
///
/// # Errors
/// `contended` when it is not pending any more.
pub fn abandon(tx: &mut Tx<'_>, method: &Method, now: Timestamp) -> Result<(), Fault> {
    let it = |other: &Method| other.state == State::Pending && other.id == method.id;
    hit_one(end(tx, method.account, it, State::Abandoned, now)?, "pending method")
}

/// Removes one active method, for an owner who has proved both factors.
///
/// # Errors
/// `contended` when it is not active any more.
pub fn remove(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MethodId,
    now: Timestamp,
    _: &Reverified,
    _: &Assured,
) -> Result<(), Fault> {
    let it = |method: &Method| method.state == State::Active && method.id == id;
    hit_one(end(tx, account, it, State::Removed, now)?, "active method")
}

/// Removes one active method that the just confirmed one takes the place of. The owner proved both
/// factors when the enrolment was started, and the new one now.
///
/// # Errors
/// `contended` when it is not active any more.
pub fn replace(tx: &mut Tx<'_>, confirmed: &Method, old: MethodId, now: Timestamp, _: &Assured) -> Result<(), Fault> {
    let it = |method: &Method| method.state == State::Active && method.id == old;
    hit_one(end(tx, confirmed.account, it, State::Removed, now)?, "replaced method")
}

/// Removes every active method and ends the pending enrolment, for an owner who has proved both
/// factors; what an undo needs of them is kept until then, where it is to be kept. Returns the kind of each.
///
/// # Errors
/// `unavailable`.
pub fn remove_all(
    tx: &mut Tx<'_>,
    account: AccountId,
    now: Timestamp,
    kept_until: Option<Timestamp>,
    _: &Reverified,
    _: &Assured,
) -> Result<Vec<Kind>, Fault> {
    clear(tx, account, now, kept_until)
}

/// As [`remove_all`], for the operator, who has the keys and the database.
///
/// # Errors
/// `unavailable`.
pub fn remove_for_operator(
    tx: &mut Tx<'_>,
    account: AccountId,
    now: Timestamp,
    kept_until: Option<Timestamp>,
) -> Result<Vec<Kind>, Fault> {
    clear(tx, account, now, kept_until)
}

/// As [`remove_all`], for an agent of support.
///
/// # Errors
/// `unavailable`.
pub fn remove_for_agent(
    tx: &mut Tx<'_>,
    customer: &Customer,
    now: Timestamp,
    kept_until: Option<Timestamp>,
    _: &Agent,
) -> Result<Vec<Kind>, Fault> {
    clear(tx, customer.account(), now, kept_until)
}

fn clear(
    tx: &mut Tx<'_>,
    account: AccountId,
    now: Timestamp,
    kept_until: Option<Timestamp>,
) -> Result<Vec<Kind>, Fault> {
    abandon_pending(tx, account, now)?;
    let leaving = active(tx, account)?;
    let ids: Vec<MethodId> = leaving.iter().map(|method| method.id).collect();
    tombstones::bury(tx, account, &ids, now, kept_until)?;
    end(tx, account, |method| method.state == State::Active, State::Removed, now)?;
    Ok(leaving.iter().map(|method| method.kind).collect())
}

/// Moves methods out of service, and wipes what is secret about them.
fn end(
    tx: &mut Tx<'_>,
    account: AccountId,
    is_meant: impl Fn(&Method) -> bool,
    to: State,
    now: Timestamp,
) -> Result<usize, Fault> {
    let ending: Vec<Method> = live(tx, account)?.into_iter().filter(is_meant).collect();
    for method in &ending {
        let id = method.id.to_string();
        diesel::delete(totp::table.filter(totp::method_id.eq(&id))).prepared().execute(tx.conn)?;
        passkeys::delete(tx, method.id)?;
        if method.kind.is_sent() {
            diesel::delete(destination::table.filter(destination::method_id.eq(&id))).prepared().execute(tx.conn)?;
            sent_codes::revoke(tx, method.id)?;
        }
        let leaving = dsl::method.filter(dsl::id.eq(&id)).filter(dsl::state.eq(method.state.as_str()));
        let rows = diesel::update(leaving)
            .set((dsl::state.eq(to.as_str()), dsl::ended_at.eq(now.as_millisecond())))
            .prepared()
            .execute(tx.conn)?;
        hit_one(rows, "method")?;
    }
    Ok(ending.len())
}

/// The kinds of the active methods, the strongest first, for a sign-in to offer.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn kinds(db: &mut Db<'_>, account: AccountId) -> Result<Vec<Kind>, Fault> {
    Ok(distinct(active(db, account)?.iter().map(|method| method.kind).collect()))
}

/// Each kind once, the strongest first.
pub fn distinct(mut kinds: Vec<Kind>) -> Vec<Kind> {
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
