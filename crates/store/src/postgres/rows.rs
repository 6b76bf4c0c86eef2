//! Columns to values and back.

use serde::de::DeserializeOwned;
use tokio_postgres::{Row, types::FromSql};

use super::Cause;
use crate::forms::Unreadable;

/// The columns of a row in the order in which the statement lists them.
pub(super) struct Columns<'a> {
    at: usize,
    row: &'a Row,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a Row) -> Self {
        Self { at: 0, row }
    }

    /// The next column.
    pub(super) fn next<T: FromSql<'a>>(&mut self) -> Result<T, Cause> {
        let at = self.at;
        self.at = at.saturating_add(1);
        Ok(self.row.try_get(at)?)
    }

    /// The next column, of bytes that are always as many.
    pub(super) fn next_bytes<const N: usize>(&mut self) -> Result<[u8; N], Cause> {
        Ok(self.next::<&[u8]>()?.try_into()?)
    }

    /// The same, if there are any.
    pub(super) fn next_bytes_if_any<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Cause> {
        let bytes: Option<&[u8]> = self.next()?;
        Ok(bytes.map(<[u8; N]>::try_from).transpose()?)
    }

    /// The next column, which is 0 or 1.
    pub(super) fn next_flag(&mut self) -> Result<bool, Cause> {
        Ok(self.next::<i64>()? != 0)
    }

    /// The next column, which is never negative and small.
    pub(super) fn next_count<T: TryFrom<i64>>(&mut self) -> Result<T, Cause> {
        T::try_from(self.next()?).map_err(|_| Unreadable("a count").into())
    }

    /// The next column, which holds JSON.
    pub(super) fn next_json<T: DeserializeOwned>(&mut self) -> Result<T, Cause> {
        let json: &str = self.next()?;
        Ok(serde_json::from_str(json)?)
    }
}
