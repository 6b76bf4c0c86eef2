//! Columns to values and back.

use std::{error::Error, fmt};

use rusqlite::{CachedStatement, Connection, Row, types::FromSql};
use serde::{
    Deserialize, Serialize,
    de::DeserializeOwned,
    de::value::{Error as WordError, StrDeserializer},
};

use super::Cause;

/// A column that does not hold what only this crate writes there.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) &'static str);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the column `{}` holds something else", self.0)
    }
}

impl Error for Unreadable {}

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

/// The word of a variant, as serde spells it.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, Cause> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(word) => Ok(word),
        _ => Err(Unreadable("word").into()),
    }
}

/// The variant of a word.
pub(super) fn variant<'a, T: Deserialize<'a>>(word: &'a str) -> Result<T, Cause> {
    let word: StrDeserializer<'a, WordError> = StrDeserializer::new(word);
    Ok(T::deserialize(word)?)
}

/// A counter as SQL knows numbers; one that no token reaches in this universe fails.
pub(super) fn to_sql(counter: u64) -> Result<i64, Cause> {
    Ok(i64::try_from(counter)?)
}

/// A count from SQL.
pub(super) fn from_sql(number: i64) -> Result<u64, Cause> {
    Ok(u64::try_from(number)?)
}
