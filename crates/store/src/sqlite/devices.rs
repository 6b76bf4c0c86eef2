//! Devices that ask to be let in: one row each, answered and asked after by one statement.

use journey::{Happened, PersonId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Cause, consents, rows::prepare, trail};
use crate::{
    AllowedDevice, AskedDevice, By, DeviceAnswer, DevicePoll, NewDevice,
    devices::{IN_TIME_S, PACE_S, PACE_S_MAX, SLOWER_S},
};

/// A device asks; false if another one shows this code.
pub(super) fn ask(conn: &Connection, new: &NewDevice, by: &By) -> Result<bool, Cause> {
    let asked = prepare(
        conn,
        "insert into device_code
             (key, address, application, asked, code, epoch, pace, scope, until, user_code)
         select $1, $2, $3, $4, $5, number, $6, $7, $8, $9 from meta where name = 'epoch'
         on conflict (user_code) do nothing",
    )?
    .execute(params![
        new.key,
        by.address,
        new.application,
        by.at.0,
        new.code,
        PACE_S,
        new.scope,
        new.until.0,
        new.user_code
    ])?;
    if asked > 0 {
        let application = new.application.clone();
        trail::append(conn, &Happened::DeviceAsked { application }, by, None)?;
    }
    Ok(asked > 0)
}

/// The device that shows this code, if its time is not over.
pub(super) fn asked(
    conn: &Connection,
    user_code: &str,
    now: Timestamp,
) -> Result<Option<AskedDevice>, Cause> {
    let found = prepare(
        conn,
        "select address, answer, application, asked, scope, until from device_code
         where user_code = $1 and until > $2
             and epoch = (select number from meta where name = 'epoch')",
    )?
    .query_row(params![user_code, now.0], |row| {
        Ok(AskedDevice {
            address: row.get(0)?,
            allowed: AskedDevice::answered(row.get(1)?),
            application: row.get(2)?,
            asked: Timestamp(row.get(3)?),
            scope: row.get(4)?,
            until: Timestamp(row.get(5)?),
            user_code: user_code.to_owned(),
        })
    })
    .optional()?;
    Ok(found)
}

/// Somebody answers; false if somebody did before, or it is too late, or their session is over.
pub(super) fn answer(conn: &Connection, answer: &DeviceAnswer, by: &By) -> Result<bool, Cause> {
    let answered = prepare(
        conn,
        "update device_code set answer = $1, person = $2, session = $3
         where user_code = $4 and application = $5 and answer = 0 and until > $6
             and epoch = (select number from meta where name = 'epoch')
             and exists (select 1 from session
                 where session.key = $3 and session.person = $2
                     and session.epoch = device_code.epoch)",
    )?
    .execute(params![
        if answer.allowed { 1 } else { 2 },
        answer.person.0,
        answer.session,
        answer.user_code,
        answer.application,
        by.at.0
    ])?;
    if answered > 0 {
        trail::append(conn, &answer.happened(), &by.about(answer.person), None)?;
        if let Some(agreed) = &answer.agreed {
            consents::give(conn, agreed, by)?;
        }
    }
    Ok(answered > 0)
}

/// A device asks how it stands.
pub(super) fn poll(
    conn: &Connection,
    (key, application): (&[u8; 32], &str),
    now: Timestamp,
) -> Result<DevicePoll, Cause> {
    let polled = prepare(
        conn,
        "update device_code
         set early = case when $1 < polled + pace - $2 then 1 else 0 end,
             pace = case when $1 < polled + pace - $2 and pace < $3 then pace + $4 else pace end,
             polled = case when $1 < polled + pace - $2 then polled else $1 end
         where key = $5 and application = $6
             and epoch = (select number from meta where name = 'epoch')
         returning answer, code, early, person, scope, session, until",
    )?
    .query_row(
        params![now.0, IN_TIME_S, PACE_S_MAX, SLOWER_S, key, application],
        |row| {
            let (answer, early): (i64, bool) = (row.get(0)?, row.get(2)?);
            let until = Timestamp(row.get(6)?);
            Ok(match answer {
                _ if until <= now => DevicePoll::Over,
                2 => DevicePoll::Refused,
                _ if early => DevicePoll::Early,
                1 => DevicePoll::Allowed(AllowedDevice {
                    code: row.get(1)?,
                    person: PersonId(row.get(3)?),
                    scope: row.get(4)?,
                    session: row.get(5)?,
                    until,
                }),
                _ => DevicePoll::Waiting,
            })
        },
    )
    .optional()?;
    Ok(polled.unwrap_or(DevicePoll::Unknown))
}
