//! Recovery codes: one set a person, replaced by one statement and spent by another.

use journey::{
    Happened, JourneyId, Notice, Otp, PersonId, Place, SavedCode, Timestamp,
    factor::recovery::CODES,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Cause, outbox, people, rows::prepare, tokens, trail};
use crate::{
    By, Message, NewRecoverySet, RecoverySet,
    forms::{self, NOTICE_S, Posting},
    seal::Keys,
};

/// The set of somebody, if they have one.
pub(super) fn of_person(conn: &Connection, person: PersonId) -> Result<Option<RecoverySet>, Cause> {
    let found = prepare(
        conn,
        "select id, macs, made_at, used from recovery_set where person = $1",
    )?
    .query_row([person.0], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })
    .optional()?;
    let set = |(id, macs, made, used): (_, Vec<u8>, _, i64)| {
        forms::recovery_set(id, &macs, (Timestamp(made), used))
    };
    found.map(set).transpose()
}

/// A set takes the place of the one that was read; false if that is not the one of now.
pub(super) fn make(
    conn: &Connection,
    keys: &Keys,
    new: &NewRecoverySet,
    by: &By,
) -> Result<bool, Cause> {
    let macs = new.macs.concat();
    let made = match new.instead_of {
        None => prepare(
            conn,
            "insert into recovery_set (person, id, macs, made_at)
             select id, $1, $2, $3 from person
             where id = $4 and disabled = 0 and era = $5
             on conflict (person) do nothing",
        )?
        .execute(params![new.id, macs, by.at.0, new.person.0, new.era])?,
        Some(former) => prepare(
            conn,
            "update recovery_set set id = $1, macs = $2, made_at = $3, used = 0
             where person = $4 and id = $5
               and exists (select 1 from person where id = $4 and disabled = 0 and era = $6)",
        )?
        .execute(params![
            new.id,
            macs,
            by.at.0,
            new.person.0,
            former,
            new.era
        ])?,
    };
    if made == 0 {
        return Ok(false);
    }
    let happened = Happened::RecoveryCodesMade { count: CODES };
    trail::append(conn, &happened, &by.about(new.person), None)?;
    let posting = Posting {
        journey: None,
        message: &Message::Notice(Notice::RecoveryCodesMade { at: by.at }),
        now: by.at,
        person: new.person,
        reference: forms::change_message(&new.id, 0),
        until: by.at.plus(NOTICE_S),
    };
    outbox::post(conn, keys, &posting)?;
    Ok(true)
}

/// Uses a code up; false if it was used before, or its set is void.
pub(super) fn spend(conn: &Connection, person: PersonId, code: &SavedCode) -> Result<bool, Cause> {
    let spent = prepare(
        conn,
        "update recovery_set set used = used | $1
         where person = $2 and id = $3 and (used & $1) = 0",
    )?
    .execute(params![forms::recovery_bit(code)?, person.0, code.set])?;
    Ok(spent > 0)
}

/// What somebody kept is worth nothing from here on.
pub(super) fn make_void(conn: &Connection, person: PersonId) -> Result<(), Cause> {
    prepare(conn, "delete from recovery_set where person = $1")?.execute([person.0])?;
    Ok(())
}

/// A new app takes the place of whatever somebody proved with, and all that they had begun with that ends,
/// but for the journey that asks for it. False if they were switched off.
pub(super) fn replace_with_app(
    conn: &Connection,
    keys: &Keys,
    (person, otp): (PersonId, &Otp),
    (place, now, journey): (&Place, Timestamp, JourneyId),
) -> Result<bool, Cause> {
    let replaced = prepare(
        conn,
        "update person set method = 'app', era = era + 1 where id = $1 and disabled = 0",
    )?
    .execute([person.0])?;
    if replaced == 0 {
        return Ok(false);
    }
    let sql = "delete from otp where person = $1 and carrier = 'app'";
    prepare(conn, sql)?.execute([person.0])?;
    people::end_everything(conn, keys, person, (Some(journey), now))?;
    people::forget_devices(conn, person)?;
    tokens::release(conn, person, "")?;
    tokens::enrol_app(conn, keys, (person, otp), (place, now))
}
