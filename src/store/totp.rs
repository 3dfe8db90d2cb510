//! Authenticator apps: the sealed secret, and the last accepted time step.

use super::{
    Db, Tx,
    arrivals::Arrival,
    connection::{AnyConnection, Fetch, Prepare, insert_all},
    row::{hit_one, parsed},
    schema::{
        method,
        totp::{self, dsl},
    },
};
use crate::{
    crypto::keyring::{Cell, Sealed},
    domain::{
        id::{AccountId, MethodId},
        method::{Kind, State},
        refusal::Fault,
        totp::{Step, TotpSecret},
    },
};
use diesel::prelude::*;
use std::collections::{HashMap, hash_map::Entry};

/// What an authenticator app's row holds, opened.
pub struct Opened {
    /// The shared secret.
    pub secret: TotpSecret,
    /// The last accepted step.
    pub last: Option<Step>,
}

/// What became of opening a secret.
pub type Openable = Result<Opened, Fault>;

pub(super) fn cell(account: AccountId, method: MethodId) -> Cell {
    Cell { owner: account.0, thing: method.0, column: "totp.secret" }
}

/// Seals and stores the secret of a new method.
///
/// # Errors
/// `unavailable`.
pub fn insert(tx: &mut Tx<'_>, account: AccountId, method: MethodId, secret: &TotpSecret) -> Result<(), Fault> {
    let sealed = tx.keys.seal(tx.random, cell(account, method), secret.bytes())?;
    let row = (dsl::method_id.eq(method.to_string()), dsl::sealed.eq(sealed.0), dsl::last_step.eq(0));
    diesel::insert_into(totp::table).values(row).prepared().execute(tx.conn)?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = totp)]
struct Row {
    method_id: String,
    sealed: Vec<u8>,
    last_step: i64,
}

/// Seals and stores the secrets that come with accounts from elsewhere.
///
/// # Errors
/// `unavailable`.
pub(super) fn insert_arrivals(tx: &mut Tx<'_>, arrivals: &[Arrival]) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let Some((method, secret)) = &arrival.authenticator else { continue };
        let sealed = tx.keys.seal(tx.random, cell(arrival.id, *method), secret.bytes())?;
        rows.push(Row { method_id: method.to_string(), sealed: sealed.0, last_step: 0 });
    }
    insert_all!(tx, totp::table, &rows);
    Ok(())
}

/// Opens the secret of a method.
///
/// # Errors
/// `unreadable` when there is none or it does not open: never an absence.
pub fn open(db: &mut Db<'_>, account: AccountId, method: MethodId) -> Result<Opened, Fault> {
    let row =
        dsl::totp.filter(dsl::method_id.eq(method.to_string())).select((dsl::sealed, dsl::last_step)).first(db.conn)?;
    opened(db, account, method, row)
}

/// The authenticators of an account that are in service, each opened or not: one that cannot be opened is
/// there all the same.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn open_active(db: &mut Db<'_>, account: AccountId) -> Result<Vec<(MethodId, Openable)>, Fault> {
    type Columns = (String, Option<(Vec<u8>, i64)>);
    let rows: Vec<Columns> = method::table
        .left_join(totp::table)
        .filter(method::account_id.eq(account.to_string()))
        .filter(method::state.eq(State::Active.as_str()))
        .filter(method::kind.eq(Kind::Totp.to_string()))
        .select((method::id, (dsl::sealed, dsl::last_step).nullable()))
        .fetch(db.conn)?;
    let opened = rows.into_iter().map(|(id, row)| {
        let id = parsed(&id)?;
        let missing = || Fault::Unreadable(format!("secret of method {id}"));
        Ok((id, row.ok_or_else(missing).and_then(|row| opened(db, account, id, row))))
    });
    opened.collect()
}

/// The secrets of the authenticators in service of some accounts, one an account: of several, the one that was used
/// last. Beside each, how many others its account has.
///
/// # Errors
/// `unavailable`; `unreadable` when one does not open.
pub fn newest_of(db: &mut Db<'_>, accounts: &[AccountId]) -> Result<HashMap<AccountId, (TotpSecret, usize)>, Fault> {
    type Columns = (String, String, Option<i64>, (Vec<u8>, i64));
    let ids: Vec<String> = accounts.iter().map(AccountId::to_string).collect();
    let rows: Vec<Columns> = method::table
        .inner_join(totp::table)
        .filter(method::account_id.eq_any(ids))
        .filter(method::state.eq(State::Active.as_str()))
        .select((method::account_id, method::id, method::last_used_at, (dsl::sealed, dsl::last_step)))
        .load(db.conn)?;
    let mut newest: HashMap<AccountId, (Columns, usize)> = HashMap::new();
    for row in rows {
        match newest.entry(parsed(&row.0)?) {
            Entry::Vacant(none) => {
                none.insert((row, 0));
            }
            Entry::Occupied(mut one) => {
                let (best, others) = one.get_mut();
                *others += 1;
                if (row.2, &row.1) > (best.2, &best.1) {
                    *best = row;
                }
            }
        }
    }
    let opened = newest.into_iter().map(|(account, ((_, id, _, row), others))| {
        let opened = opened(db, account, parsed(&id)?, row)?;
        Ok((account, (opened.secret, others)))
    });
    opened.collect()
}

fn opened(db: &Db<'_>, account: AccountId, method: MethodId, row: (Vec<u8>, i64)) -> Result<Opened, Fault> {
    let (sealed, last) = row;
    let plain = db.keys.open(cell(account, method), &Sealed(sealed))?;
    let secret = TotpSecret::of_any_maker(plain.expose().clone());
    let secret = secret.ok_or_else(|| Fault::Unreadable(format!("secret of method {method}")))?;
    let last = u64::try_from(last).ok().filter(|step| *step > 0).map(Step);
    Ok(Opened { secret, last })
}

/// Uses up `step` and every earlier one of a method, unless a later one was accepted already.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn burn(tx: &mut Tx<'_>, method: MethodId, step: Step) -> Result<(), Fault> {
    match advance(tx, method, step) {
        Err(Fault::Contended(_)) => Ok(()),
        outcome => outcome,
    }
}

/// Uses up `step` and every earlier one: RFC 6238 §5.2.
///
/// # Errors
/// `contended` when a later step was accepted meanwhile.
pub fn advance(tx: &mut Tx<'_>, method: MethodId, step: Step) -> Result<(), Fault> {
    let step = i64::try_from(step.0).map_err(|_| Fault::Unreadable(format!("step {}", step.0)))?;
    let earlier = dsl::totp.filter(dsl::method_id.eq(method.to_string())).filter(dsl::last_step.lt(step));
    let rows = diesel::update(earlier).set(dsl::last_step.eq(step)).prepared().execute(tx.conn)?;
    hit_one(rows, "time step")
}
