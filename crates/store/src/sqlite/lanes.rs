//! Budgets, and the devices that have their own.
//!
//! A budget is read and written in one transaction of the one writer, so that of many tries at once
//! each sees what the others spent. Engines with several writers lock the row.

use journey::{
    PersonId, Timestamp,
    limit::{Lane, Rule, Wait},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Cause, rows::prepare};
use crate::forms::SEEN_WITHIN_S;

pub(super) fn read(conn: &Connection, lane: &[u8; 32]) -> Result<Lane, Cause> {
    let found = prepare(conn, "select at, tries from lane where hash = $1")?
        .query_row([lane], |row| {
            Ok(Lane {
                at: Timestamp(row.get(0)?),
                tries: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub(super) fn spend(
    conn: &Connection,
    lane: &[u8; 32],
    rule: &Rule,
    now: Timestamp,
) -> Result<Result<Lane, Wait>, Cause> {
    let spent = match read(conn, lane)?.spend(rule, now) {
        Ok(spent) => spent,
        Err(wait) => return Ok(Err(wait)),
    };
    let rests_at = spent
        .at
        .plus(i64::from(spent.tries).saturating_mul(rule.forget_s));
    prepare(
        conn,
        "insert into lane (hash, at, rests_at, tries) values ($1, $2, $3, $4)
         on conflict (hash) do update
         set at = excluded.at, rests_at = excluded.rests_at, tries = excluded.tries",
    )?
    .execute(params![lane, spent.at.0, rests_at.0, spent.tries])?;
    Ok(Ok(spent))
}

/// A budget of which nothing is spent any more is not kept: so the table stays as small as there are
/// people who are just trying.
pub(super) fn refund(conn: &Connection, lane: &[u8; 32]) -> Result<(), Cause> {
    let gone = prepare(conn, "delete from lane where hash = $1 and tries <= 1")?.execute([lane])?;
    if gone == 0 {
        prepare(conn, "update lane set tries = tries - 1 where hash = $1")?.execute([lane])?;
    }
    Ok(())
}

pub(super) fn knows_device(
    conn: &Connection,
    person: PersonId,
    device: &[u8; 32],
) -> Result<bool, Cause> {
    let found = prepare(
        conn,
        "select 1 from device where person = $1 and device = $2",
    )?
    .exists(params![person.0, device])?;
    Ok(found)
}

/// Remembers a device, unless it came within the day.
pub(super) fn remember_device(
    conn: &Connection,
    person: PersonId,
    device: &[u8; 32],
    now: Timestamp,
) -> Result<(), Cause> {
    prepare(
        conn,
        "insert into device (person, device, seen) values ($1, $2, $3)
         on conflict (person, device) do update set seen = excluded.seen where seen <= $4",
    )?
    .execute(params![person.0, device, now.0, now.plus(-SEEN_WITHIN_S).0])?;
    Ok(())
}
