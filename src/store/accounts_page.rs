//! Many accounts at once, a page at a time.

use super::{Db, accounts::Row, row::moment, schema::account::dsl};
use crate::domain::{account::Account, id::AccountId, refusal::Fault};
use diesel::prelude::*;
use jiff::Timestamp;

/// An account, and what only its operator asks of it.
pub struct Listed {
    /// The account.
    pub account: Account,
    /// When it was added.
    pub created_at: Timestamp,
}

/// At most `limit` accounts after the one with id `after`, in the order of their ids; where `part` is given, those
/// alone whose address contains it.
///
/// # Errors
/// `unavailable`, `unreadable`.
pub fn page(db: &mut Db<'_>, after: Option<AccountId>, part: Option<&str>, limit: i64) -> Result<Vec<Listed>, Fault> {
    // No id is empty.
    let after = after.map_or_else(String::new, |id| id.to_string());
    let mut rows = dsl::account.filter(dsl::id.gt(after)).order(dsl::id).limit(limit).into_boxed();
    if let Some(part) = part {
        rows = rows.filter(dsl::email.like(containing(part)).escape('!'));
    }
    let rows: Vec<Row> = rows.select(Row::as_select()).load(db.conn)?;
    rows.into_iter().map(listed).collect()
}

fn listed(row: Row) -> Result<Listed, Fault> {
    let created_at = moment(row.created_at())?;
    Ok(Listed { account: row.try_into()?, created_at })
}

/// The pattern of `LIKE` that finds `part`, to the letter, in an address, which is in lower case.
fn containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for c in part.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + "%"
}
