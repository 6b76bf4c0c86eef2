//! Applications that take part in sessions, and hear when these end.

use journey::{PersonId, Timestamp};

use super::{
    Cause,
    link::{Link, Tx},
    outbox,
    rows::Columns,
};
use crate::{
    EndSessions, Message, Participant,
    forms::{Posting, SIGNED_OUT_S, signed_out_message},
    seal::Keys,
};

/// An application takes part, if the session lives. The session's row is held: whoever ends it at this
/// moment waits, and then sees the application that is to be told; or was first, and there is none.
pub(super) async fn begin(
    tx: &Tx,
    participant: &Participant,
    now: Timestamp,
) -> Result<bool, Cause> {
    let lives = tx
        .execute(
            "insert into participant (known, application, at, person, session)
             select key, $1::text, $2::bigint, person, key from session
             where key = $3 and epoch = (select number from meta where name = 'epoch')
             for share
             on conflict (known, application) do update set at = excluded.at",
            &[
                &participant.application,
                &now.0,
                &participant.session.as_slice(),
            ],
        )
        .await?;
    Ok(lives > 0)
}

/// Those that take part in a session.
pub(super) async fn of_session(link: &Link, session: &[u8; 32]) -> Result<Vec<Participant>, Cause> {
    let sql = "select application, known from participant where session = $1
               order by application collate \"C\", known";
    let rows = link.rows(sql, &[&session.as_slice()]).await?;
    let participants = rows.iter().map(|row| {
        let mut columns = Columns::of(row);
        Ok(Participant {
            application: columns.next()?,
            session: columns.next_bytes()?,
        })
    });
    participants.collect()
}

/// Takes those of one session out.
const TAKE_ONE: &str =
    "delete from participant where session = $1 returning application, known, person";

/// Tells those that took part in sessions that were ended.
pub(super) async fn tell(
    tx: &Tx,
    keys: &Keys,
    which: &EndSessions,
    now: Timestamp,
) -> Result<(), Cause> {
    let took_part = match which {
        EndSessions::All(person) => {
            let sql =
                "delete from participant where person = $1 returning application, known, person";
            tx.rows(sql, &[&person.0.as_slice()]).await?
        }
        EndSessions::Others(person, but) => {
            let sql = "delete from participant where person = $1 and session <> $2
                 returning application, known, person";
            tx.rows(sql, &[&person.0.as_slice(), &but.as_slice()])
                .await?
        }
        EndSessions::One(key) => tx.rows(TAKE_ONE, &[&key.as_slice()]).await?,
        // Who is not of the same person is told like at any other end.
        EndSessions::Replaced(old, new) => {
            follow(tx, (old, new), now).await?;
            tx.rows(TAKE_ONE, &[&old.as_slice()]).await?
        }
        // Whoever works in an application goes on, until they sign out.
        EndSessions::Over(_) => vec![],
    };
    for row in &took_part {
        let mut columns = Columns::of(row);
        let (application, session): (String, [u8; 32]) = (columns.next()?, columns.next_bytes()?);
        let person = PersonId(columns.next_bytes()?);
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
        outbox::post(tx, keys, &posting).await?;
    }
    Ok(())
}

/// They take part in the session that has taken the place of another, if both are of the same person. Its
/// row is held, as in [`begin`].
async fn follow(tx: &Tx, (old, new): (&[u8; 32], &[u8; 32]), now: Timestamp) -> Result<(), Cause> {
    let sql = "select person from session where key = $1 for share";
    let Some(row) = tx.row(sql, &[&new.as_slice()]).await? else {
        return Ok(());
    };
    let person: [u8; 16] = Columns::of(&row).next_bytes()?;
    tx.execute(
        "update participant set session = $1, at = $2 where session = $3 and person = $4",
        &[&new.as_slice(), &now.0, &old.as_slice(), &person.as_slice()],
    )
    .await?;
    Ok(())
}
