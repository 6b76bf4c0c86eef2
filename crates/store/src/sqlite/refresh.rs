//! Families of refresh tokens: one row each, moved on by one statement.

use journey::{Happened, PersonId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Cause, rows::prepare, trail};
use crate::{
    By, NewFamily, Redemption, Renewal, Renewed, Revocation,
    forms::{RENEWED_AGAIN_S, alive_family},
};

/// A family begins with a code, if its session lives.
pub(super) fn begin(
    conn: &Connection,
    redemption: &Redemption,
    family: &NewFamily,
    now: Timestamp,
) -> Result<bool, Cause> {
    let begun = prepare(
        conn,
        "insert into refresh (family, application, epoch, offline, person, renewed, session, until)
         select $1, $2, epoch, $3, person, $4, key, $5 from session
         where key = $6 and epoch = (select number from meta where name = 'epoch')",
    )?
    .execute(params![
        redemption.code,
        redemption.application,
        family.offline,
        now.0,
        family.until.0,
        redemption.session
    ])?;
    Ok(begun > 0)
}

/// Moves a family on. A number that was used up ends it.
pub(super) fn renew(conn: &Connection, renewal: &Renewal, by: &By) -> Result<Renewed, Cause> {
    let moved: Option<(bool, [u8; 16])> = prepare(
        conn,
        concat!(
            "update refresh
             set again = case when number = $1 then 0 else 1 end,
                 renewed = case when number = $1 then $2 else renewed end,
                 number = $1 + 1
             where family = $3
                 and (number = $1 or number = $1 + 1 and again = 0 and renewed > $4) and ",
            alive_family!("$2"),
            " returning again, person"
        ),
    )?
    .query_row(
        params![
            renewal.number,
            by.at.0,
            renewal.family,
            by.at.plus(-RENEWED_AGAIN_S).0
        ],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .optional()?;
    let application = renewal.application.clone();
    if let Some((again, person)) = moved {
        let renewed = Happened::TokenRenewed { application, again };
        trail::append(conn, &renewed, &by.about(PersonId(person)), None)?;
        return Ok(Renewed::Yes);
    }
    let known: Option<[u8; 16]> = prepare(
        conn,
        concat!(
            "select person from refresh where family = $1 and ",
            alive_family!("$2")
        ),
    )?
    .query_row(params![renewal.family, by.at.0], |row| row.get(0))
    .optional()?;
    let Some(person) = known else {
        return Ok(Renewed::Over);
    };
    if !end(conn, &renewal.family)? {
        return Ok(Renewed::Over);
    }
    let reused = Happened::RefreshReused { application };
    trail::append(conn, &reused, &by.about(PersonId(person)), None)?;
    Ok(Renewed::Reused)
}

/// The number that is due, if the family may still be renewed.
pub(super) fn due(
    conn: &Connection,
    family: &[u8; 16],
    now: Timestamp,
) -> Result<Option<u32>, Cause> {
    let due = prepare(
        conn,
        concat!(
            "select number from refresh where family = $1 and ",
            alive_family!("$2")
        ),
    )?
    .query_row(params![family, now.0], |row| row.get(0))
    .optional()?;
    Ok(due)
}

/// Takes back all that a code gave, and what was renewed since; whether there was anything.
pub(super) fn revoke(conn: &Connection, revocation: &Revocation, by: &By) -> Result<bool, Cause> {
    let ended = end(conn, &revocation.code)?;
    if ended {
        let application = revocation.application.clone();
        let revoked = Happened::TokenRevoked { application };
        trail::append(conn, &revoked, by, None)?;
    }
    Ok(ended)
}

/// Ends a family, and what the code gave with which it began.
pub(super) fn end(conn: &Connection, family: &[u8; 16]) -> Result<bool, Cause> {
    let ended = prepare(conn, "delete from refresh where family = $1")?.execute([family])?;
    let code = prepare(
        conn,
        "update code set reused = 1 where id = $1 and reused = 0",
    )?
    .execute([family])?;
    Ok(ended > 0 || code > 0)
}

/// Ends the families of a session; those that outlive its limits only if it is more than these.
pub(super) fn end_of_session(
    conn: &Connection,
    session: &[u8; 32],
    and_offline: bool,
) -> Result<(), Cause> {
    prepare(
        conn,
        "delete from refresh where session = $1 and offline <= $2",
    )?
    .execute(params![session, and_offline])?;
    Ok(())
}

/// Those that outlive a session's limits hang on the session that takes its place, if both are of the
/// same person.
pub(super) fn follow(conn: &Connection, old: &[u8; 32], new: &[u8; 32]) -> Result<(), Cause> {
    prepare(
        conn,
        "update refresh set session = $1
         where session = $2 and offline = 1
             and person = (select person from session where key = $1)",
    )?
    .execute(params![new, old])?;
    Ok(())
}

/// Ends the families of a person at one application, and what their codes gave.
pub(super) fn end_at(
    conn: &Connection,
    (person, application): (PersonId, &str),
) -> Result<(), Cause> {
    let sql = "delete from refresh where person = $1 and application = $2 returning family";
    let mut gone = prepare(conn, sql)?;
    let families = gone.query_map(params![person.0, application], |row| row.get(0))?;
    for family in families.collect::<Result<Vec<[u8; 16]>, _>>()? {
        end(conn, &family)?;
    }
    Ok(())
}

/// Ends all families of an application, and what their codes gave.
pub(super) fn end_of_application(conn: &Connection, application: &str) -> Result<(), Cause> {
    let sql = "delete from refresh where application = $1 returning family";
    let mut gone = prepare(conn, sql)?;
    let families = gone.query_map([application], |row| row.get(0))?;
    for family in families.collect::<Result<Vec<[u8; 16]>, _>>()? {
        end(conn, &family)?;
    }
    Ok(())
}

/// Ends the families of a person, but those of one session if there is one.
pub(super) fn end_of_person(
    conn: &Connection,
    person: PersonId,
    but: Option<&[u8; 32]>,
) -> Result<(), Cause> {
    prepare(
        conn,
        "delete from refresh where person = $1 and session is not $2",
    )?
    .execute(params![person.0, but])?;
    Ok(())
}
