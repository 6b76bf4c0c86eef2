//! Applications that take part in sessions, and hear when these end.

use journey::{PersonId, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{Cause, outbox, rows::prepare};
use crate::{
    EndSessions, Message, Participant,
    forms::{Posting, SIGNED_OUT_S, signed_out_message},
    seal::Keys,
};

/// An application takes part, if the session lives.
pub(super) fn begin(
    conn: &Connection,
    participant: &Participant,
    now: Timestamp,
) -> Result<bool, Cause> {
    let lives = prepare(
        conn,
        "insert into participant (known, application, at, person, session)
         select key, $1, $2, person, key from session
         where key = $3 and epoch = (select number from meta where name = 'epoch')
         on conflict (known, application) do update set at = excluded.at",
    )?
    .execute(params![participant.application, now.0, participant.session])?;
    Ok(lives > 0)
}

/// Those that take part in a session.
pub(super) fn of_session(conn: &Connection, session: &[u8; 32]) -> Result<Vec<Participant>, Cause> {
    let sql =
        "select application, known from participant where session = $1 order by application, known";
    let read = |row: &Row<'_>| {
        Ok(Participant {
            application: row.get(0)?,
            session: row.get(1)?,
        })
    };
    let mut find = prepare(conn, sql)?;
    let found = find.query_map(params![session], read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Tells those that took part in sessions that were ended.
pub(super) fn tell(
    conn: &Connection,
    keys: &Keys,
    which: &EndSessions,
    now: Timestamp,
) -> Result<(), Cause> {
    let took_part = match which {
        EndSessions::All(person) => take(
            conn,
            "delete from participant where person = $1 returning application, known, person",
            params![person.0],
        )?,
        EndSessions::Others(person, but) => take(
            conn,
            "delete from participant where person = $1 and session <> $2
             returning application, known, person",
            params![person.0, but],
        )?,
        EndSessions::One(key) => take_one(conn, key)?,
        // Who is not of the same person is told like at any other end.
        EndSessions::Replaced(old, new) => {
            follow(conn, (old, new), now)?;
            take_one(conn, old)?
        }
        // Whoever works in an application goes on, until they sign out.
        EndSessions::Over(_) => vec![],
    };
    for (participant, person) in took_part {
        let Participant {
            application,
            session,
        } = participant;
        let reference = signed_out_message(&application, &session);
        let posting = Posting {
            journey: None,
            message: &Message::SignedOut {
                application,
                session,
            },
            now,
            person,
            reference,
            until: now.plus(SIGNED_OUT_S),
        };
        outbox::post(conn, keys, &posting)?;
    }
    Ok(())
}

/// They take part in the session that has taken the place of another, if both are of the same person.
fn follow(
    conn: &Connection,
    (old, new): (&[u8; 32], &[u8; 32]),
    now: Timestamp,
) -> Result<(), Cause> {
    prepare(
        conn,
        "update participant set session = $1, at = $2 where session = $3 and exists (
             select 1 from session
             where session.key = $1 and session.person = participant.person)",
    )?
    .execute(params![new, now.0, old])?;
    Ok(())
}

/// Takes those of one session out.
fn take_one(conn: &Connection, session: &[u8; 32]) -> Result<Vec<(Participant, PersonId)>, Cause> {
    take(
        conn,
        "delete from participant where session = $1 returning application, known, person",
        params![session],
    )
}

/// Takes them out.
fn take(
    conn: &Connection,
    sql: &str,
    of: &[&dyn rusqlite::ToSql],
) -> Result<Vec<(Participant, PersonId)>, Cause> {
    let read = |row: &Row<'_>| {
        let participant = Participant {
            application: row.get(0)?,
            session: row.get(1)?,
        };
        Ok((participant, PersonId(row.get(2)?)))
    };
    let mut take = prepare(conn, sql)?;
    let taken = take.query_map(of, read)?;
    Ok(taken.collect::<Result<_, _>>()?)
}
