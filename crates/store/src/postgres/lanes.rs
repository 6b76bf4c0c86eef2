//! Budgets, and the devices that have their own.
//!
//! Whoever spends holds the budget's row until the commit, so that of many tries at once each sees what
//! the others spent.

use journey::{
    PersonId, Timestamp,
    limit::{Lane, Rule, Wait},
};
use tokio_postgres::Row;

use super::{
    Cause,
    link::{Link, Tx},
    rows::Columns,
};
use crate::forms::SEEN_WITHIN_S;

fn read_row(row: &Row) -> Result<Lane, Cause> {
    let mut columns = Columns::of(row);
    Ok(Lane {
        at: Timestamp(columns.next()?),
        tries: columns.next_count()?,
    })
}

pub(super) async fn read(link: &Link, lane: &[u8; 32]) -> Result<Lane, Cause> {
    let found = link
        .row(
            "select at, tries from lane where hash = $1",
            &[&lane.as_slice()],
        )
        .await?;
    Ok(found
        .as_ref()
        .map(read_row)
        .transpose()?
        .unwrap_or_default())
}

pub(super) async fn spend(
    tx: &Tx,
    lane: &[u8; 32],
    rule: &Rule,
    now: Timestamp,
) -> Result<Result<Lane, Wait>, Cause> {
    loop {
        let held = tx
            .row(
                "select at, tries from lane where hash = $1 for update",
                &[&lane.as_slice()],
            )
            .await?;
        let before = held.as_ref().map(read_row).transpose()?;
        let spent = match before.unwrap_or_default().spend(rule, now) {
            Ok(spent) => spent,
            Err(wait) => return Ok(Err(wait)),
        };
        let sql = match before {
            Some(_) => "update lane set at = $2, rests_at = $3, tries = $4 where hash = $1",
            None => {
                "insert into lane (hash, at, rests_at, tries) values ($1, $2, $3, $4)
                 on conflict (hash) do nothing"
            }
        };
        let rests_at = spent
            .at
            .plus(i64::from(spent.tries).saturating_mul(rule.forget_s));
        let written = tx
            .execute(
                sql,
                &[
                    &lane.as_slice(),
                    &spent.at.0,
                    &rests_at.0,
                    &i64::from(spent.tries),
                ],
            )
            .await?;
        // Nothing was written if another first try came in between: that one is there now.
        if written > 0 {
            return Ok(Ok(spent));
        }
    }
}

/// A budget of which nothing is spent any more is not kept: so the table stays as small as there are
/// people who are just trying.
pub(super) async fn refund(tx: &Tx, lane: &[u8; 32]) -> Result<(), Cause> {
    let lane: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[&lane.as_slice()];
    let gone = tx
        .execute("delete from lane where hash = $1 and tries <= 1", lane)
        .await?;
    if gone == 0 {
        tx.execute("update lane set tries = tries - 1 where hash = $1", lane)
            .await?;
    }
    Ok(())
}

pub(super) async fn knows_device(
    link: &Link,
    person: PersonId,
    device: &[u8; 32],
) -> Result<bool, Cause> {
    link.exists(
        "select 1 from device where person = $1 and device = $2",
        &[&person.0.as_slice(), &device.as_slice()],
    )
    .await
}

/// Remembers that a device has signed in. One that came yesterday, too, costs no write.
pub(super) async fn remember_device(
    tx: &Tx,
    person: PersonId,
    device: &[u8; 32],
    now: Timestamp,
) -> Result<(), Cause> {
    tx.execute(
        "insert into device (person, device, seen) values ($1, $2, $3)
         on conflict (person, device) do update set seen = excluded.seen where device.seen <= $4",
        &[
            &person.0.as_slice(),
            &device.as_slice(),
            &now.0,
            &now.plus(-SEEN_WITHIN_S).0,
        ],
    )
    .await?;
    Ok(())
}
