//! Messages on their way out: put in with the step that wants them, taken out by a job.

use journey::{JourneyId, PersonId, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{
    Cause, people,
    rows::{Unreadable, from_sql, get, prepare},
};
use crate::{
    MessageId, MessageState, Outcome, Outgoing,
    forms::{self, CLAIM_S, Posting},
    seal::Keys,
};

/// Puts a message in.
pub(super) fn post(conn: &Connection, keys: &Keys, posting: &Posting<'_>) -> Result<(), Cause> {
    let sealed = forms::seal_message(keys, &posting.reference, posting.message)?;
    prepare(
        conn,
        "insert into outbox (due_at, journey, person, reference, sealed, state, until)
         values ($1, $2, $3, $4, $5, 'waiting', $6)",
    )?
    .execute(params![
        posting.now.0,
        posting.journey.map(|id| id.0),
        posting.person.0,
        posting.reference,
        sealed,
        posting.until.0,
    ])?;
    Ok(())
}

pub(super) fn anything_due(conn: &Connection, now: Timestamp) -> Result<bool, Cause> {
    let due = prepare(
        conn,
        "select 1 from outbox where sealed is not null and due_at <= $1 limit 1",
    )?
    .exists([now.0])?;
    Ok(due)
}

pub(super) fn claim(
    conn: &Connection,
    keys: &Keys,
    now: Timestamp,
    limit: u16,
) -> Result<Vec<Outgoing>, Cause> {
    prepare(
        conn,
        "update outbox set state = 'failed', note = 'its time was over', sealed = null
         where sealed is not null and due_at <= $1 and until <= $1",
    )?
    .execute([now.0])?;
    let mut claim = prepare(
        conn,
        "update outbox set attempts = attempts + 1, due_at = $1
         where id in (
             select id from outbox where sealed is not null and due_at <= $2
             order by until, id limit $3
         )
         returning *",
    )?;
    let rows = claim.query_and_then(params![now.plus(CLAIM_S).0, now.0, limit], read)?;
    let mut claimed = rows.collect::<Result<Vec<_>, Cause>>()?;
    claimed.sort_by_key(|claimed| claimed.id.0);
    let opened = claimed
        .into_iter()
        .map(|claimed| claimed.open(conn, keys, now));
    opened.filter_map(Result::transpose).collect()
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

fn read(row: &Row<'_>) -> Result<Claimed, Cause> {
    let attempts: u32 = get(row, "attempts")?;
    Ok(Claimed {
        attempts: attempts.saturating_sub(1),
        id: MessageId(get(row, "id")?),
        journey: get::<Option<_>>(row, "journey")?.map(JourneyId),
        person: PersonId(get(row, "person")?),
        reference: get(row, "reference")?,
        sealed: get(row, "sealed")?,
        until: Timestamp(get(row, "until")?),
    })
}

impl Claimed {
    /// The message in clear. One that does not open fails for itself, so that it holds up no others.
    fn open(
        self,
        conn: &Connection,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Option<Outgoing>, Cause> {
        let message = match forms::open_message(keys, &self.reference, &self.sealed) {
            Ok(message) => message,
            Err(cause) => {
                tracing::error!(reference = self.reference, error = %cause, "opening a message");
                let refused = Outcome::Refused(cause.to_string());
                settle(conn, self.id, &refused, now)?;
                return Ok(None);
            }
        };
        let person = people::by_id(conn, keys, self.person)
            .and_then(|person| person.ok_or_else(|| Unreadable("person").into()));
        let person = match person {
            Ok(person) => person,
            // It waits until its person can be read, or its time is over; the others leave.
            Err(cause) => {
                tracing::error!(reference = self.reference, error = %cause, "reading whom a message is for");
                return Ok(None);
            }
        };
        Ok(Some(Outgoing {
            attempts: self.attempts,
            id: self.id,
            journey: self.journey,
            message,
            person: person.person,
            reference: self.reference,
            until: self.until,
        }))
    }
}

pub(super) fn settle(
    conn: &Connection,
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
    prepare(
        conn,
        "update outbox set state = $1, note = $2, due_at = coalesce($3, $4),
             sealed = case when $3 is null then null else sealed end
         where id = $5 and sealed is not null",
    )?
    .execute(params![state, note, again, now.0, id.0])?;
    Ok(())
}

pub(super) fn of_journey(
    conn: &Connection,
    journey: JourneyId,
) -> Result<Vec<MessageState>, Cause> {
    let mut find = prepare(
        conn,
        "select state from outbox where journey = $1 order by id",
    )?;
    let rows = find.query_and_then([journey.0], |row| {
        let state: String = row.get(0)?;
        forms::message_state(&state)
    })?;
    rows.collect()
}

pub(super) fn next_due(conn: &Connection) -> Result<Option<Timestamp>, Cause> {
    let due: Option<i64> = prepare(
        conn,
        "select min(due_at) from outbox where sealed is not null",
    )?
    .query_row([], |row| row.get(0))?;
    Ok(due.map(Timestamp))
}

pub(super) fn depth(conn: &Connection) -> Result<u64, Cause> {
    let count = prepare(conn, "select count(*) from outbox where sealed is not null")?
        .query_row([], |row| row.get(0))?;
    from_sql(count)
}
