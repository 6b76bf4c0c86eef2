//! Columns to values and back.

use rusqlite::{CachedStatement, Connection, Row, types::FromSql};
use serde::de::DeserializeOwned;

use super::Cause;
pub(super) use crate::forms::{Unreadable, from_sql, to_sql, variant, word};

/// A statement, parsed once per connection.
///
/// SQLite numbers `$1`, `$2` … in the order in which they first appear, PostgreSQL by their digits: a
/// text means the same to both only if they first appear in the order of their digits.
pub(super) fn prepare<'a>(conn: &'a Connection, sql: &str) -> Result<CachedStatement<'a>, Cause> {
    let statement = conn.prepare_cached(sql)?;
    let mut named = (1..=statement.parameter_count()).map(|at| (at, statement.parameter_name(at)));
    debug_assert!(
        named.all(|(at, name)| name == Some(&format!("${at}"))),
        "parameters out of order: {sql}"
    );
    Ok(statement)
}

/// The columns of a row in the order in which the statement lists them: what is read at every request
/// does not look names up.
pub(super) struct Columns<'a> {
    at: usize,
    row: &'a Row<'a>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a Row<'a>) -> Self {
        Self { at: 0, row }
    }

    /// The next column.
    pub(super) fn next<T: FromSql>(&mut self) -> Result<T, Cause> {
        let at = self.at;
        self.at = at.saturating_add(1);
        Ok(self.row.get(at)?)
    }

    /// The next column, which holds JSON.
    pub(super) fn next_json<T: DeserializeOwned>(&mut self) -> Result<T, Cause> {
        let json: String = self.next()?;
        Ok(serde_json::from_str(&json)?)
    }
}

/// The value of a column, by name.
pub(super) fn get<T: FromSql>(row: &Row<'_>, column: &'static str) -> Result<T, Cause> {
    Ok(row.get(column)?)
}
