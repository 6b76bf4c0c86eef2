//! What federations last said of their members.

use journey::Timestamp;
use tokio_postgres::Row;

use super::{
    Cause,
    link::{Link, Tx},
    resources::move_generation,
    rows::Columns,
};
use crate::{FederationCopy, forms::FETCHES_APART_S};

/// Another copy, or the same that counts longer, takes the place of one that was fetched before it.
pub(super) async fn keep(tx: &Tx, copy: &FederationCopy) -> Result<bool, Cause> {
    let kept = tx
        .execute(
            "insert into federation (at, document, id, source, until) values ($1, $2, $3, $4, $5)
             on conflict (id) do update
             set at = excluded.at, document = excluded.document, source = excluded.source,
                 until = excluded.until
             where (federation.at <= excluded.at or federation.at > excluded.at + $6)
               and (federation.document <> excluded.document or federation.source <> excluded.source
                    or federation.until <> excluded.until)",
            &[
                &copy.at.0,
                &copy.document,
                &copy.id,
                &copy.source.as_slice(),
                &copy.until.0,
                &FETCHES_APART_S,
            ],
        )
        .await?;
    if kept > 0 {
        move_generation(tx).await?;
    }
    Ok(kept > 0)
}

pub(super) async fn all(link: &Link) -> Result<Vec<FederationCopy>, Cause> {
    let sql = "select at, document, id, source, until from federation order by id";
    let rows = link.rows(sql, &[]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<FederationCopy, Cause> {
    let mut columns = Columns::of(row);
    Ok(FederationCopy {
        at: Timestamp(columns.next()?),
        document: columns.next()?,
        id: columns.next()?,
        source: columns.next_bytes()?,
        until: Timestamp(columns.next()?),
    })
}
