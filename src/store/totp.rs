//! Authenticator apps: the sealed secret, and the last accepted time step.

use super::{
    Db, Tx,
    connection::{Fetch, Prepare},
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
        totp::{SECRET_BYTES, Step, TotpSecret},
    },
};
use diesel::prelude::*;

/// What an authenticator app's row holds, opened.
pub struct Opened {
    /// The shared secret.
    pub secret: TotpSecret,
    /// The last accepted step.
    pub last: Option<Step>,
}

/// What became of opening a secret.
pub type Openable = Result<Opened, Fault>;

fn cell(account: AccountId, method: MethodId) -> Cell {
    Cell { account, method, column: "totp.secret" }
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

fn opened(db: &Db<'_>, account: AccountId, method: MethodId, row: (Vec<u8>, i64)) -> Result<Opened, Fault> {
    let (sealed, last) = row;
    let plain = db.keys.open(cell(account, method), &Sealed(sealed))?;
    let bytes = <[u8; SECRET_BYTES]>::try_from(plain.expose().as_slice());
    let bytes = bytes.map_err(|_| Fault::Unreadable(format!("secret of method {method}")))?;
    let last = u64::try_from(last).ok().filter(|step| *step > 0).map(Step);
    Ok(Opened { secret: TotpSecret::from_bytes(bytes), last })
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
