//! What people let applications of others know about them.

use journey::{Happened, PersonId, Timestamp};
use rusqlite::{Connection, params};

use super::{Cause, refresh, rows::prepare, trail};
use crate::{By, Consent};

pub(super) fn of_person(conn: &Connection, person: PersonId) -> Result<Vec<Consent>, Cause> {
    let mut find = prepare(
        conn,
        "select application, at, scope from consent where person = $1 order by application",
    )?;
    let consents = find.query_map([person.0], |row| {
        Ok(Consent {
            application: row.get(0)?,
            at: Timestamp(row.get(1)?),
            person,
            scope: row.get(2)?,
        })
    })?;
    Ok(consents.collect::<Result<_, _>>()?)
}

pub(super) fn give(conn: &Connection, consent: &Consent, by: &By) -> Result<(), Cause> {
    prepare(
        conn,
        "insert into consent (person, application, at, scope) values ($1, $2, $3, $4)
         on conflict (person, application) do update set at = excluded.at, scope = excluded.scope",
    )?
    .execute(params![
        consent.person.0,
        consent.application,
        consent.at.0,
        consent.scope
    ])?;
    let application = consent.application.clone();
    let given = Happened::ConsentGiven { application };
    trail::append(conn, &given, &by.about(consent.person), None)
}

pub(super) fn take_back(
    conn: &Connection,
    (person, application): (PersonId, &str),
    by: &By,
) -> Result<bool, Cause> {
    let sql = "delete from consent where person = $1 and application = $2";
    let gone = prepare(conn, sql)?.execute(params![person.0, application])?;
    refresh::end_at(conn, (person, application))?;
    if gone > 0 {
        let application = application.to_owned();
        let taken = Happened::ConsentTakenBack { application };
        trail::append(conn, &taken, &by.about(person), None)?;
    }
    Ok(gone > 0)
}
