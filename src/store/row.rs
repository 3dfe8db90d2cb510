//! Columns to values: what does not parse is a fault, never a default.

use crate::domain::refusal::Fault;
use jiff::Timestamp;
use std::str::FromStr;

/// A moment from its column: milliseconds since 1970.
pub fn moment(column: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_millisecond(column).map_err(|_| Fault::Unreadable(format!("moment {column}")))
}

/// A moment that may be missing.
pub fn moment_or_none(column: Option<i64>) -> Result<Option<Timestamp>, Fault> {
    column.map(moment).transpose()
}

/// A value from its text.
pub fn parsed<T: FromStr>(column: &str) -> Result<T, Fault> {
    column.parse().map_err(|_| Fault::Unreadable(format!("{} {column:?}", std::any::type_name::<T>())))
}

/// A value that may be missing.
pub fn parsed_or_none<T: FromStr>(column: Option<&str>) -> Result<Option<T>, Fault> {
    column.map(parsed).transpose()
}

/// That a conditional statement hit its one row: compare and set.
pub fn hit_one(rows: usize, what: &str) -> Result<(), Fault> {
    if rows == 1 { Ok(()) } else { Err(Fault::Contended(what.to_owned())) }
}
