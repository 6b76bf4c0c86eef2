//! Deleting what is over, counting what is there, and knowing whether writing works.

use journey::Timestamp;
use tokio_postgres::types::ToSql;

use super::{
    Cause,
    link::{Link, Tx},
    rows::Columns,
};
use crate::{Counts, forms::Unreadable, key};

/// So many rows go in one transaction: requests in between hardly wait.
pub(super) const AT_ONCE: u64 = 1000;

/// A day, in seconds.
const DAY_S: i64 = 86_400;

/// What is over, and for how long it is kept after that. `$1` is the moment before which it was over,
/// `$2` how many go at once. Rows that somebody holds stay until the next time.
pub(super) struct Over {
    delete: &'static str,
    kept_s: i64,
    /// Whether `$1` is the first key of that moment instead.
    by_key: bool,
}

macro_rules! over {
    ($table:literal, $id:literal, $is_over:literal, kept $days:literal days) => {
        Over {
            delete: concat!(
                "delete from ",
                $table,
                " where (",
                $id,
                ") in (select ",
                $id,
                " from ",
                $table,
                " where ",
                $is_over,
                " limit $2 for update skip locked)"
            ),
            kept_s: $days * DAY_S,
            by_key: false,
        }
    };
}

/// All that goes by itself. The audit does not.
pub(super) const OVER: [Over; 13] = [
    over!("journey", "id", "until <= $1", kept 1 days),
    over!("used", "hash", "until <= $1", kept 0 days),
    // The oldest first: behind one that is not over lie few that are.
    over!("code", "id", "until <= $1 order by id", kept 0 days),
    over!("lane", "hash", "rests_at <= $1", kept 0 days),
    over!("refresh", "family", "until <= $1", kept 0 days),
    over!("outbox", "id", "sealed is null and until <= $1", kept 1 days),
    // No policy lets a session live that long.
    Over {
        by_key: true,
        ..over!("session", "key", "key < $1", kept 30 days)
    },
    // As long as their sessions at most.
    over!("participant", "known, application", "at <= $1", kept 30 days),
    over!("device", "person, device", "seen <= $1", kept 400 days),
    over!("activation", "id", "until <= $1", kept 30 days),
    over!("node", "id", "seen <= $1", kept 1 days),
    over!("artifact", "key", "until <= $1", kept 0 days),
    // Who asks after one that is over is told so for a while.
    over!("device_code", "key", "until <= $1", kept 1 days),
];

/// Deletes some of what is over; how many.
pub(super) async fn delete(tx: &Tx, over: &Over, now: Timestamp) -> Result<u64, Cause> {
    let before = now.plus(-over.kept_s);
    let first = key::first::<32>(before);
    let before: &(dyn ToSql + Sync) = match over.by_key {
        true => &first.as_slice(),
        false => &before.0,
    };
    tx.execute(over.delete, &[before, &i64::try_from(AT_ONCE)?])
        .await
}

/// Counts everybody: of millions, that takes longer than any other statement may.
pub(super) async fn counts(tx: &Tx, now: Timestamp) -> Result<Counts, Cause> {
    tx.batch("set local statement_timeout = '1min'").await?;
    let found = tx
        .row(
            "select count(password), count(*),
                 count(case when method = 'sms' and phone is not null and phone_confirmed = 1
                         or method in ('app', 'token') and exists (
                             select 1 from otp where otp.person = person.id and carrier = method)
                     then 1 end),
                 (select count(*) from session
                  where seen > $1 and epoch = (select number from meta where name = 'epoch')),
                 (select count(*) from otp where carrier = 'token')
             from person",
            &[&now.plus(-DAY_S).0],
        )
        .await?
        .ok_or(Unreadable("count"))?;
    let mut columns = Columns::of(&found);
    Ok(Counts {
        activated: columns.next_count()?,
        people: columns.next_count()?,
        enrolled: columns.next_count()?,
        sessions: columns.next_count()?,
        tokens: columns.next_count()?,
    })
}

/// The server's clock.
pub(super) async fn clock(link: &Link) -> Result<Timestamp, Cause> {
    let sql = "select floor(extract(epoch from clock_timestamp()))::bigint";
    let found = link.row(sql, &[]).await?.ok_or(Unreadable("clock"))?;
    Ok(Timestamp(Columns::of(&found).next()?))
}

pub(super) async fn prove_writable(tx: &Tx) -> Result<(), Cause> {
    let sql = "update meta set number = number + 1 where name = 'ready'";
    tx.execute(sql, &[]).await?;
    Ok(())
}

pub(super) async fn begin_epoch(tx: &Tx) -> Result<(), Cause> {
    let sql = "update meta set number = number + 1 where name in ('epoch', 'generation')";
    tx.execute(sql, &[]).await?;
    Ok(())
}
