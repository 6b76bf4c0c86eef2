//! What federations last said of their members.

use journey::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Cause,
    resources::move_generation,
    rows::{get, prepare},
};
use crate::{FederationCopy, forms::FETCHES_APART_S};

/// Another copy, or the same that counts longer, takes the place of one that was fetched before it.
pub(super) fn keep(conn: &Connection, copy: &FederationCopy) -> Result<bool, Cause> {
    let kept = prepare(
        conn,
        "insert into federation (at, document, id, source, until) values ($1, $2, $3, $4, $5)
         on conflict (id) do update
         set at = excluded.at, document = excluded.document, source = excluded.source, until = excluded.until
         where (federation.at <= excluded.at or federation.at > excluded.at + $6)
           and (federation.document <> excluded.document or federation.source <> excluded.source
                or federation.until <> excluded.until)",
    )?
    .execute(params![
        copy.at.0,
        copy.document,
        copy.id,
        copy.source,
        copy.until.0,
        FETCHES_APART_S
    ])?;
    if kept > 0 {
        move_generation(conn)?;
    }
    Ok(kept > 0)
}

pub(super) fn all(conn: &Connection) -> Result<Vec<FederationCopy>, Cause> {
    let mut find = prepare(conn, "select * from federation order by id")?;
    let rows = find.query_and_then([], read)?;
    rows.collect()
}

fn read(row: &Row<'_>) -> Result<FederationCopy, Cause> {
    Ok(FederationCopy {
        at: Timestamp(get(row, "at")?),
        document: get(row, "document")?,
        id: get(row, "id")?,
        source: get(row, "source")?,
        until: Timestamp(get(row, "until")?),
    })
}
