//! Deleting what is over, counting what is there, and knowing whether writing works.

use journey::Timestamp;
use rusqlite::{Connection, Row, params, params_from_iter, types::Value};

use super::{
    Cause,
    people::is_here,
    rows::{from_sql, prepare},
};
use crate::{Counts, key};

/// So many rows go in one transaction: requests in between hardly wait.
pub(super) const AT_ONCE: usize = 1000;

/// A day, in seconds.
const DAY_S: i64 = 86_400;

/// What is over, and for how long it is kept after that. `$1` is the moment before which it was over,
/// `$2` how many are found at once.
#[derive(Clone, Copy)]
pub(super) struct Over {
    find: &'static str,
    delete: &'static str,
    kept_s: i64,
    /// Whether `$1` is the first key of that moment instead.
    by_key: bool,
}

macro_rules! over {
    ($table:literal, $id:literal, $is_over:literal) => {
        over!($table, $id, $is_over, order: "")
    };
    ($table:literal, $id:literal, $is_over:literal, order: $order:literal) => {
        Over {
            find: concat!(
                "select ", $id, " from ", $table, " where ", $is_over, " ", $order, " limit $2"
            ),
            delete: concat!("delete from ", $table, " where ", $is_over, " and ", $id, " = $2"),
            kept_s: 0,
            by_key: false,
        }
    };
}

/// All that goes by itself. The audit does not.
pub(super) const OVER: [Over; 13] = [
    Over {
        kept_s: DAY_S,
        ..over!("journey", "id", "until <= $1")
    },
    over!("used", "hash", "until <= $1"),
    // The oldest first: behind one that is not over lie few that are.
    over!("code", "id", "until <= $1", order: "order by id"),
    over!("lane", "hash", "rests_at <= $1"),
    over!("refresh", "family", "until <= $1"),
    Over {
        kept_s: DAY_S,
        ..over!("outbox", "id", "sealed is null and until <= $1")
    },
    // No policy lets a session live that long.
    Over {
        kept_s: 30 * DAY_S,
        by_key: true,
        ..over!("session", "key", "key < $1")
    },
    // As long as their sessions at most.
    Over {
        by_key: false,
        delete: "delete from participant where at <= $1 and known = $2 and application = $3",
        find: "select known, application from participant where at <= $1 limit $2",
        kept_s: 30 * DAY_S,
    },
    Over {
        by_key: false,
        delete: "delete from device where seen <= $1 and person = $2 and device = $3",
        find: "select person, device from device where seen <= $1 limit $2",
        kept_s: 400 * DAY_S,
    },
    Over {
        kept_s: 30 * DAY_S,
        ..over!("activation", "id", "until <= $1")
    },
    Over {
        kept_s: DAY_S,
        ..over!("node", "id", "seen <= $1")
    },
    over!("artifact", "key", "until <= $1"),
    // Who asks after one that is over is told so for a while.
    Over {
        kept_s: DAY_S,
        ..over!("device_code", "key", "until <= $1")
    },
];

impl Over {
    fn before(&self, now: Timestamp) -> Value {
        let before = now.plus(-self.kept_s);
        match self.by_key {
            true => Value::Blob(key::first::<32>(before).to_vec()),
            false => Value::Integer(before.0),
        }
    }
}

/// The primary key of a row.
pub(super) type Id = Vec<Value>;

/// The ids of some of what is over.
pub(super) fn find(conn: &Connection, over: &Over, now: Timestamp) -> Result<Vec<Id>, Cause> {
    let mut find = prepare(conn, over.find)?;
    let columns = find.column_count();
    let found = find.query_map(params![over.before(now), AT_ONCE as i64], |row| {
        (0..columns).map(|column| row.get(column)).collect()
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Deletes those of them that still are; how many.
pub(super) fn delete(
    conn: &Connection,
    over: &Over,
    found: &[Id],
    now: Timestamp,
) -> Result<u64, Cause> {
    let mut delete = prepare(conn, over.delete)?;
    let mut deleted = 0_u64;
    for id in found {
        let before = std::iter::once(over.before(now));
        let gone = delete.execute(params_from_iter(before.chain(id.iter().cloned())))?;
        deleted = deleted.saturating_add(u64::try_from(gone)?);
    }
    Ok(deleted)
}

pub(super) fn counts(conn: &Connection, now: Timestamp) -> Result<Counts, Cause> {
    let count = |row: &Row<'_>, column: usize| -> Result<u64, Cause> { from_sql(row.get(column)?) };
    let mut find = prepare(
        conn,
        concat!(
            "select count(password), count(*),
             count(case when method = 'sms' and phone is not null and phone_confirmed = 1
                     or method in ('app', 'token') and exists (
                         select 1 from otp where otp.person = person.id and carrier = method)
                 then 1 end),
             (select count(*) from session
              where seen > $1 and epoch = (select number from meta where name = 'epoch')),
             (select count(*) from otp where carrier = 'token')
         from person where ",
            is_here!()
        ),
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
