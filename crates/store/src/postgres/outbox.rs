//! Messages on their way out: put in with the step that wants them, taken out by a job.

use std::collections::HashMap;

use journey::{JourneyId, PersonId, Timestamp};
use tokio_postgres::Row;

use super::{
    Cause,
    link::{Link, Tx},
    people,
    rows::Columns,
};
use crate::{
    Account, MessageId, MessageState, Outcome, Outgoing,
    forms::{self, CLAIM_S, Posting, Unreadable},
    seal::Keys,
};

/// Puts a message in.
pub(super) async fn post(tx: &Tx, keys: &Keys, posting: &Posting<'_>) -> Result<(), Cause> {
    let sealed = forms::seal_message(keys, &posting.reference, posting.message)?;
    tx.execute(
        "insert into outbox (due_at, journey, person, reference, sealed, state, until)
         values ($1, $2, $3, $4, $5, 'waiting', $6)",
        &[
            &posting.now.0,
            &posting.journey.as_ref().map(|id| id.0.as_slice()),
            &posting.person.0.as_slice(),
            &posting.reference,
            &sealed,
            &posting.until.0,
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn anything_due(link: &Link, now: Timestamp) -> Result<bool, Cause> {
    link.exists(
        "select 1 from outbox where sealed is not null and due_at <= $1 limit 1",
        &[&now.0],
    )
    .await
}

/// Claims what is due and nobody else is just claiming.
pub(super) async fn claim(
    tx: &Tx,
    keys: &Keys,
    now: Timestamp,
    limit: u16,
) -> Result<Vec<Outgoing>, Cause> {
    tx.execute(
        "with late as materialized (
             select id from outbox where sealed is not null and due_at <= $1 and until <= $1
             for update skip locked
         )
         update outbox set state = 'failed', note = 'its time was over', sealed = null
         from late where outbox.id = late.id",
        &[&now.0],
    )
    .await?;
    let rows = tx
        .rows(
            "with due as materialized (
                 select id from outbox
                 where sealed is not null and due_at <= $2 and until > $2
                 order by until, id limit $3 for update skip locked
             )
             update outbox set attempts = attempts + 1, due_at = $1
             from due where outbox.id = due.id
             returning attempts, outbox.id, journey, person, reference, sealed, until",
            &[&now.plus(CLAIM_S).0, &now.0, &i64::from(limit)],
        )
        .await?;
    let mut claimed = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    claimed.sort_by_key(|claimed| claimed.id.0);
    let of = claimed.iter().map(|claimed| claimed.person);
    let mut people = people::by_ids(tx, keys, of).await?;
    let mut outgoing = Vec::with_capacity(claimed.len());
    for claimed in claimed {
        outgoing.extend(claimed.open(tx, keys, &mut people, now).await?);
    }
    Ok(outgoing)
}

struct Claimed {
    attempts: u32,
    id: MessageId,
    journey: Option<JourneyId>,
    person: PersonId,
    reference: String,
    sealed: Vec<u8>,
    until: Timestamp,
}

fn read(row: &Row) -> Result<Claimed, Cause> {
    let mut columns = Columns::of(row);
    let attempts: u32 = columns.next_count()?;
    Ok(Claimed {
        attempts: attempts.saturating_sub(1),
        id: MessageId(columns.next()?),
        journey: columns.next_bytes_if_any()?.map(JourneyId),
        person: PersonId(columns.next_bytes()?),
        reference: columns.next()?,
        sealed: columns.next()?,
        until: Timestamp(columns.next()?),
    })
}

/// The people of some messages, or why they cannot be read.
pub(super) type People = HashMap<PersonId, Result<Account, Cause>>;

impl Claimed {
    /// The message in clear. One that does not open fails for itself, so that it holds up no others.
    async fn open(
        self,
        tx: &Tx,
        keys: &Keys,
        people: &mut People,
        now: Timestamp,
    ) -> Result<Option<Outgoing>, Cause> {
        let message = match forms::open_message(keys, &self.reference, &self.sealed) {
            Ok(message) => message,
            Err(cause) => {
                tracing::error!(reference = self.reference, error = %cause, "opening a message");
                let refused = Outcome::Refused(cause.to_string());
                settle(tx, self.id, &refused, now).await?;
                return Ok(None);
            }
        };
        let person = match people.get(&self.person) {
            Some(Ok(account)) => account.person.clone(),
            // It waits until its person can be read, or its time is over; the others leave.
            unreadable => {
                let cause = match unreadable {
                    Some(Err(cause)) => cause.to_string(),
                    _ => Unreadable("person").to_string(),
                };
                tracing::error!(reference = self.reference, error = %cause, "reading whom a message is for");
                return Ok(None);
            }
        };
        Ok(Some(Outgoing {
            attempts: self.attempts,
            id: self.id,
            journey: self.journey,
            message,
            person,
            reference: self.reference,
            until: self.until,
        }))
    }
}

pub(super) async fn settle(
    tx: &Tx,
    id: MessageId,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), Cause> {
    let (state, note, again) = match outcome {
        Outcome::Refused(why) => ("failed", Some(why), None),
        Outcome::Retry(at, why) => ("trouble", Some(why), Some(at.0)),
        Outcome::Sent => ("sent", None, None),
    };
    // What was settled stays settled: a late second outcome changes nothing.
    tx.execute(
        "update outbox set state = $1, note = $2, due_at = coalesce($3::bigint, $4),
             sealed = case when $3::bigint is null then null else sealed end
         where id = $5 and sealed is not null",
        &[&state, &note, &again, &now.0, &id.0],
    )
    .await?;
    Ok(())
}

pub(super) async fn of_journey(
    link: &Link,
    journey: JourneyId,
) -> Result<Vec<MessageState>, Cause> {
    let sql = "select state from outbox where journey = $1 order by id";
    let rows = link.rows(sql, &[&journey.0.as_slice()]).await?;
    let states = rows.iter().map(|row| Columns::of(row).next());
    states.map(|state| forms::message_state(state?)).collect()
}

pub(super) async fn next_due(link: &Link) -> Result<Option<Timestamp>, Cause> {
    let sql = "select min(due_at) from outbox where sealed is not null";
    let due = link.row(sql, &[]).await?.ok_or(Unreadable("a minimum"))?;
    Ok(Columns::of(&due).next::<Option<i64>>()?.map(Timestamp))
}

pub(super) async fn depth(link: &Link) -> Result<u64, Cause> {
    let sql = "select count(*) from outbox where sealed is not null";
    let count = link.row(sql, &[]).await?.ok_or(Unreadable("count"))?;
    Columns::of(&count).next_count()
}
