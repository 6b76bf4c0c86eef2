//! Recovery codes: one set a person, replaced by one statement and spent by another.

use journey::{
    Happened, JourneyId, Notice, Otp, PersonId, Place, SavedCode, Timestamp,
    factor::recovery::CODES,
};

use super::{
    Cause,
    link::{Link, Tx},
    outbox, people,
    rows::Columns,
    tokens,
};
use crate::{
    By, Message, NewRecoverySet, RecoverySet,
    forms::{self, NOTICE_S, Posting},
    seal::Keys,
};

/// The set of somebody, if they have one.
pub(super) async fn of_person(link: &Link, person: PersonId) -> Result<Option<RecoverySet>, Cause> {
    let sql = "select id, macs, made_at, used from recovery_set where person = $1";
    let Some(row) = link.row(sql, &[&person.0.as_slice()]).await? else {
        return Ok(None);
    };
    let mut columns = Columns::of(&row);
    let (id, macs) = (columns.next_bytes()?, columns.next()?);
    let made = Timestamp(columns.next()?);
    forms::recovery_set(id, macs, (made, columns.next()?)).map(Some)
}

/// A set takes the place of the one that was read; false if that is not the one of now.
pub(super) async fn make(
    tx: &Tx,
    keys: &Keys,
    new: &NewRecoverySet,
    by: &By,
) -> Result<bool, Cause> {
    let (id, macs, person) = (
        new.id.as_slice(),
        new.macs.concat(),
        new.person.0.as_slice(),
    );
    // Their row is held: a reset at this moment is done before, and its era is another, or comes after, and
    // takes these away.
    let era = i64::from(new.era);
    let made = match &new.instead_of {
        None => {
            let sql = "insert into recovery_set (person, id, macs, made_at)
                 select id, $1::bytea, $2::bytea, $3::bigint from person
                 where id = $4 and disabled = 0 and era = $5 for share
                 on conflict (person) do nothing";
            tx.execute(sql, &[&id, &macs, &by.at.0, &person, &era])
                .await?
        }
        Some(former) => {
            let sql = "update recovery_set set id = $1, macs = $2, made_at = $3, used = 0
                 where person = $4 and id = $5
                   and exists (select 1 from person where id = $4 and disabled = 0 and era = $6)";
            let former = former.as_slice();
            tx.execute(sql, &[&id, &macs, &by.at.0, &person, &former, &era])
                .await?
        }
    };
    if made == 0 {
        return Ok(false);
    }
    let happened = Happened::RecoveryCodesMade { count: CODES };
    tx.tell(&happened, &by.about(new.person), None);
    let posting = Posting {
        journey: None,
        message: &Message::Notice(Notice::RecoveryCodesMade { at: by.at }),
        now: by.at,
        person: new.person,
        reference: forms::change_message(&new.id, 0),
        until: by.at.plus(NOTICE_S),
    };
    outbox::post(tx, keys, &posting).await?;
    Ok(true)
}

/// Uses a code up; false if it was used before, or its set is void.
pub(super) async fn spend(tx: &Tx, person: PersonId, code: &SavedCode) -> Result<bool, Cause> {
    let spent = tx
        .execute(
            "update recovery_set set used = used | $1
             where person = $2 and id = $3 and (used & $1) = 0",
            &[
                &forms::recovery_bit(code)?,
                &person.0.as_slice(),
                &code.set.as_slice(),
            ],
        )
        .await?;
    Ok(spent > 0)
}

/// What somebody kept is worth nothing from here on.
pub(super) async fn make_void(tx: &Tx, person: PersonId) -> Result<(), Cause> {
    let sql = "delete from recovery_set where person = $1";
    tx.execute(sql, &[&person.0.as_slice()]).await?;
    Ok(())
}

/// A new app takes the place of whatever somebody proved with, and all that they had begun with that ends,
/// but for the journey that asks for it. False if they were switched off.
pub(super) async fn replace_with_app(
    tx: &Tx,
    keys: &Keys,
    (person, otp): (PersonId, &Otp),
    (place, now, journey): (&Place, Timestamp, JourneyId),
) -> Result<bool, Cause> {
    // Their row is held first: whoever signs them in at this moment is done before, and ends, or comes
    // after, and is of an era that is over.
    let sql = "update person set method = 'app', era = era + 1 where id = $1 and disabled = 0";
    if tx.execute(sql, &[&person.0.as_slice()]).await? == 0 {
        return Ok(false);
    }
    let sql = "delete from otp where person = $1 and carrier = 'app'";
    tx.execute(sql, &[&person.0.as_slice()]).await?;
    people::end_everything(tx, keys, person, (Some(journey), now)).await?;
    people::forget_devices(tx, person).await?;
    tokens::release(tx, person, "").await?;
    tokens::enrol_app(tx, keys, (person, otp), (place, now)).await
}
