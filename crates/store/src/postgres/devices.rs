//! Devices that ask to be let in: one row each, answered and asked after by one statement.

use journey::{Happened, PersonId, Timestamp};

use super::{
    Cause, consents,
    link::{Link, Tx},
    rows::Columns,
};
use crate::{
    AllowedDevice, AskedDevice, By, DeviceAnswer, DevicePoll, NewDevice,
    devices::{IN_TIME_S, PACE_S, PACE_S_MAX, SLOWER_S},
    forms::Unreadable,
};

/// A device asks; false if another one shows this code.
pub(super) async fn ask(tx: &Tx, new: &NewDevice, by: &By) -> Result<bool, Cause> {
    let asked = tx
        .execute(
            "insert into device_code
                 (key, address, application, asked, code, epoch, pace, scope, until, user_code)
             select $1::bytea, $2::text, $3::text, $4::bigint, $5::bytea, number, $6::bigint,
                 $7::text, $8::bigint, $9::text
             from meta where name = 'epoch'
             on conflict (user_code) do nothing",
            &[
                &new.key.as_slice(),
                &by.address,
                &new.application,
                &by.at.0,
                &new.code.as_slice(),
                &PACE_S,
                &new.scope,
                &new.until.0,
                &new.user_code,
            ],
        )
        .await?;
    if asked > 0 {
        let application = new.application.clone();
        tx.tell(&Happened::DeviceAsked { application }, by, None);
    }
    Ok(asked > 0)
}

/// The device that shows this code, if its time is not over.
pub(super) async fn asked(
    link: &Link,
    user_code: &str,
    now: Timestamp,
) -> Result<Option<AskedDevice>, Cause> {
    let found = link
        .row(
            "select address, answer, application, asked, scope, until from device_code
             where user_code = $1 and until > $2
                 and epoch = (select number from meta where name = 'epoch')",
            &[&user_code, &now.0],
        )
        .await?;
    let Some(row) = found else { return Ok(None) };
    let mut columns = Columns::of(&row);
    Ok(Some(AskedDevice {
        address: columns.next()?,
        allowed: AskedDevice::answered(columns.next()?),
        application: columns.next()?,
        asked: Timestamp(columns.next()?),
        scope: columns.next()?,
        until: Timestamp(columns.next()?),
        user_code: user_code.to_owned(),
    }))
}

/// Somebody answers; false if somebody did before, or it is too late, or their session is over. A session
/// that ends at this moment is met again when the device is redeemed.
pub(super) async fn answer(tx: &Tx, answer: &DeviceAnswer, by: &By) -> Result<bool, Cause> {
    let answered = tx
        .execute(
            "update device_code set answer = $1, person = $2, session = $3
             where user_code = $4 and application = $5 and answer = 0 and until > $6
                 and epoch = (select number from meta where name = 'epoch')
                 and exists (select 1 from session
                     where session.key = $3 and session.person = $2
                         and session.epoch = device_code.epoch)",
            &[
                &if answer.allowed { 1_i64 } else { 2_i64 },
                &answer.person.0.as_slice(),
                &answer.session.as_slice(),
                &answer.user_code,
                &answer.application,
                &by.at.0,
            ],
        )
        .await?;
    if answered > 0 {
        tx.tell(&answer.happened(), &by.about(answer.person), None);
        if let Some(agreed) = &answer.agreed {
            consents::give(tx, agreed, by).await?;
        }
    }
    Ok(answered > 0)
}

/// A device asks how it stands.
pub(super) async fn poll(
    tx: &Tx,
    (key, application): (&[u8; 32], &str),
    now: Timestamp,
) -> Result<DevicePoll, Cause> {
    let polled = tx
        .row(
            "update device_code
             set early = case when $1 < polled + pace - $2 then 1 else 0 end,
                 pace = case when $1 < polled + pace - $2 and pace < $3 then pace + $4 else pace end,
                 polled = case when $1 < polled + pace - $2 then polled else $1 end
             where key = $5 and application = $6
                 and epoch = (select number from meta where name = 'epoch')
             returning answer, early, until",
            &[
                &now.0,
                &IN_TIME_S,
                &PACE_S_MAX,
                &SLOWER_S,
                &key.as_slice(),
                &application,
            ],
        )
        .await?;
    let Some(row) = polled else {
        return Ok(DevicePoll::Unknown);
    };
    let mut columns = Columns::of(&row);
    let (answer, early): (i64, i64) = (columns.next()?, columns.next()?);
    let until = Timestamp(columns.next()?);
    Ok(match answer {
        _ if until <= now => DevicePoll::Over,
        2 => DevicePoll::Refused,
        _ if early > 0 => DevicePoll::Early,
        1 => DevicePoll::Allowed(allowed(tx, key).await?),
        _ => DevicePoll::Waiting,
    })
}

async fn allowed(tx: &Tx, key: &[u8; 32]) -> Result<AllowedDevice, Cause> {
    let sql = "select code, person, scope, session, until from device_code where key = $1";
    let row = tx.row(sql, &[&key.as_slice()]).await?;
    let row = row.ok_or(Unreadable("device_code"))?;
    let mut columns = Columns::of(&row);
    Ok(AllowedDevice {
        code: columns.next_bytes()?,
        person: PersonId(columns.next_bytes()?),
        scope: columns.next()?,
        session: columns.next_bytes()?,
        until: Timestamp(columns.next()?),
    })
}
