//! Deleting what is over, counting what is there, and knowing whether writing works.

use journey::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Cause,
    rows::{from_sql, prepare},
};
use crate::Counts;

/// So many rows go in one transaction: requests in between hardly wait.
pub(super) const AT_ONCE: u64 = 1000;

/// A day, in seconds.
const DAY_S: i64 = 86_400;

/// What is over, and for how long it is kept after that.
#[derive(Clone, Copy)]
pub(super) struct Over {
    kept_s: i64,
    sql: &'static str,
}

/// All that goes by itself. The audit does not.
pub(super) const OVER: [Over; 9] = [
    Over {
        kept_s: DAY_S,
        sql: "delete from journey where id in (select id from journey where until <= $1 limit $2)",
    },
    Over {
        kept_s: 0,
        sql: "delete from used where hash in (select hash from used where until <= $1 limit $2)",
    },
    Over {
        kept_s: 0,
        sql: "delete from code where hash in (select hash from code where until <= $1 limit $2)",
    },
    Over {
        kept_s: 0,
        sql: "delete from access_token
              where hash in (select hash from access_token where until <= $1 limit $2)",
    },
    Over {
        kept_s: 0,
        sql: "delete from lane where hash in (select hash from lane where rests_at <= $1 limit $2)",
    },
    Over {
        kept_s: DAY_S,
        sql: "delete from outbox where id in (
                  select id from outbox where sealed is null and until <= $1 limit $2)",
    },
    // No policy lets a session live that long.
    Over {
        kept_s: 30 * DAY_S,
        sql: "delete from session where hash in (select hash from session where seen <= $1 limit $2)",
    },
    Over {
        kept_s: 400 * DAY_S,
        sql: "delete from device where (person, device) in (
                  select person, device from device where seen <= $1 limit $2)",
    },
    Over {
        kept_s: 30 * DAY_S,
        sql: "delete from activation
              where id in (select id from activation where until <= $1 limit $2)",
    },
];

/// Deletes some of what is over; how many.
pub(super) fn delete(conn: &Connection, over: &Over, now: Timestamp) -> Result<u64, Cause> {
    let deleted =
        prepare(conn, over.sql)?.execute(params![now.plus(-over.kept_s).0, AT_ONCE as i64])?;
    Ok(u64::try_from(deleted)?)
}

pub(super) fn counts(conn: &Connection, now: Timestamp) -> Result<Counts, Cause> {
    let count = |row: &Row<'_>, column: usize| -> Result<u64, Cause> { from_sql(row.get(column)?) };
    let mut find = prepare(
        conn,
        "select count(password), count(*),
             count(case when method = 'sms' and phone is not null and phone_confirmed = 1
                     or method in ('app', 'token') and exists (
                         select 1 from otp where otp.person = person.id and carrier = method)
                 then 1 end),
             (select count(*) from session
              where seen > $1 and epoch = (select number from meta where name = 'epoch')),
             (select count(*) from otp where carrier = 'token')
         from person",
    )?;
    let mut rows = find.query([now.plus(-DAY_S).0])?;
    let Some(row) = rows.next()? else {
        return Ok(Counts::default());
    };
    Ok(Counts {
        activated: count(row, 0)?,
        enrolled: count(row, 2)?,
        people: count(row, 1)?,
        sessions: count(row, 3)?,
        tokens: count(row, 4)?,
    })
}

pub(super) fn prove_writable(conn: &Connection) -> Result<(), Cause> {
    prepare(
        conn,
        "update meta set number = number + 1 where name = 'ready'",
    )?
    .execute([])?;
    Ok(())
}

pub(super) fn begin_epoch(conn: &Connection) -> Result<(), Cause> {
    conn.execute(
        "update meta set number = number + 1 where name in ('epoch', 'generation')",
        [],
    )?;
    Ok(())
}
