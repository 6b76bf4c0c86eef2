//! Apps and hardware tokens. Counters only ever rise.

use std::collections::HashSet;

use journey::{FactorId, Happened, JourneyId, Otp, PersonId, Place, Timestamp};

use super::{
    Cause, Verdict,
    link::{Link, Tx},
    people, recovery,
    rows::Columns,
};
use crate::{
    AssignToken, By, Conflict, NewToken, TokenRecord,
    forms::{self, Bound, Unreadable, seal_otp, to_sql},
    seal::Keys,
};

type Import = Result<u32, Vec<(usize, Conflict)>>;

/// Takes in all tokens or none. How many are new.
pub(super) async fn import(
    tx: &Tx,
    keys: &Keys,
    tokens: &[NewToken],
    by: &By,
) -> Result<Verdict<Import>, Cause> {
    let mut conflicts = vec![];
    let mut serials = HashSet::new();
    let mut count = 0_u32;
    for (at, new) in tokens.iter().enumerate() {
        if !serials.insert(&new.serial) {
            conflicts.push((at, Conflict::Twice(new.serial.clone())));
            continue;
        }
        if insert(tx, keys, new).await? {
            count = count.saturating_add(1);
            continue;
        }
        let known = by_serial(tx, keys, &new.serial).await?;
        if !known.is_some_and(|known| known.otp.secret.matches(new.otp.secret.expose())) {
            conflicts.push((at, Conflict::TokenTaken(new.serial.clone())));
        }
    }
    if !conflicts.is_empty() {
        return Ok(Verdict::Undo(Err(conflicts)));
    }
    tx.tell(&Happened::TokensImported { count }, by, None);
    Ok(Verdict::Keep(Ok(count)))
}

async fn insert(tx: &Tx, keys: &Keys, new: &NewToken) -> Result<bool, Cause> {
    let inserted = tx
        .execute(
            "insert into otp (id, carrier, drift, last_counter, sealed, serial)
             values ($1, 'token', $2, $3, $4, $5) on conflict (serial) do nothing",
            &[
                &new.otp.id.0.as_slice(),
                &new.otp.drift,
                &new.otp.last_counter.map(to_sql).transpose()?,
                &seal_otp(keys, &forms::token_aad(&new.serial), &new.otp)?,
                &new.serial,
            ],
        )
        .await?;
    Ok(inserted > 0)
}

pub(super) async fn by_serial(
    link: &Link,
    keys: &Keys,
    serial: &str,
) -> Result<Option<TokenRecord>, Cause> {
    let sql = "select person, sealed, drift, last_counter from otp where serial = $1";
    let Some(found) = link.row(sql, &[&serial]).await? else {
        return Ok(None);
    };
    let mut columns = Columns::of(&found);
    let assigned_to = columns.next_bytes_if_any()?.map(PersonId);
    let bound = Bound {
        sealed: columns.next()?,
        drift: columns.next()?,
        last_counter: columns.next()?,
    };
    let otp = bound.open(keys, Some(forms::token_aad(serial)))?;
    Ok(otp.map(|otp| TokenRecord {
        assigned_to,
        otp,
        serial: serial.to_owned(),
    }))
}

/// The token that comes with a person of an import. Whether anything changed.
pub(super) async fn bring(
    tx: &Tx,
    person: PersonId,
    serial: &str,
    (keys, by): (&Keys, &By),
) -> Result<Result<bool, Conflict>, Cause> {
    let holder = holder(tx, serial).await?;
    if holder == Some(Some(person)) {
        return Ok(Ok(false));
    }
    match holder {
        None => Ok(Err(Conflict::NoSuchToken(serial.to_owned()))),
        Some(Some(_)) => Ok(Err(Conflict::TokenTaken(serial.to_owned()))),
        Some(None) => {
            let token = AssignToken {
                counter: None,
                person,
                serial: serial.to_owned(),
            };
            let assigned = assign_and_tell(tx, keys, &token, by).await?;
            Ok(match assigned {
                true => Ok(true),
                false => Err(Conflict::TokenTaken(serial.to_owned())),
            })
        }
    }
}

/// Whose a token is, if it is known at all.
async fn holder(tx: &Tx, serial: &str) -> Result<Option<Option<PersonId>>, Cause> {
    let sql = "select person from otp where serial = $1";
    let found = tx.row(sql, &[&serial]).await?;
    let holder = found.map(|row| Columns::of(&row).next_bytes_if_any());
    Ok(holder.transpose()?.map(|person| person.map(PersonId)))
}

/// Puts a token that somebody held back into stock, unless it is this one.
pub(super) async fn release(tx: &Tx, person: PersonId, keep: &str) -> Result<bool, Cause> {
    let released = tx
        .execute(
            "update otp set person = null, bound_at = null, bound_place = null
             where person = $1 and carrier = 'token' and serial <> $2",
            &[&person.0.as_slice(), &keep],
        )
        .await?;
    Ok(released > 0)
}

/// Why a token was not assigned.
pub(super) enum NotAssigned {
    /// The counter, or a later one, was used before.
    CounterSpent,
    /// Nobody knows it, or it is somebody else's.
    Taken,
}

/// Gives a free token, or the person's own, to the person, and spends the counter.
pub(super) async fn assign(
    tx: &Tx,
    keys: &Keys,
    assign: &AssignToken,
    by: &By,
    journey: Option<JourneyId>,
) -> Result<Result<(), NotAssigned>, Cause> {
    let counter = assign
        .counter
        .map(|(counter, _)| to_sql(counter))
        .transpose()?;
    let drift = assign.counter.map(|(_, drift)| drift);
    let replaced = release(tx, assign.person, &assign.serial).await?;
    let assigned = tx
        .execute(
            "update otp set bound_at = $1, bound_place = $2, drift = coalesce($3, drift),
                 last_counter = coalesce($4, last_counter), person = $5
             where serial = $6 and carrier = 'token' and (person is null or person = $5)
                 and ($4::bigint is null or last_counter is null or last_counter < $4)",
            &[
                &by.at.0,
                &by.place.id(),
                &drift,
                &counter,
                &assign.person.0.as_slice(),
                &assign.serial,
            ],
        )
        .await?;
    if assigned > 0 {
        if replaced {
            people::next_era(tx, assign.person).await?;
            people::forget_devices(tx, assign.person).await?;
            recovery::make_void(tx, assign.person).await?;
            people::end_everything(tx, keys, assign.person, (journey, by.at)).await?;
        }
        return Ok(Ok(()));
    }
    let holder = holder(tx, &assign.serial).await?;
    let free = holder.is_some_and(|holder| holder.is_none_or(|of| of == assign.person));
    Ok(Err(match free {
        true => NotAssigned::CounterSpent,
        false => NotAssigned::Taken,
    }))
}

/// An assignment by the desk or a command.
pub(super) async fn assign_by_desk(
    tx: &Tx,
    keys: &Keys,
    token: &AssignToken,
    by: &By,
) -> Result<Verdict<bool>, Cause> {
    Ok(match assign_and_tell(tx, keys, token, by).await? {
        true => Verdict::Keep(true),
        false => Verdict::Undo(false),
    })
}

async fn assign_and_tell(
    tx: &Tx,
    keys: &Keys,
    token: &AssignToken,
    by: &By,
) -> Result<bool, Cause> {
    let by = By {
        person: Some(token.person),
        ..by.clone()
    };
    let assigned = assign(tx, keys, token, &by, None).await?.is_ok();
    if assigned {
        let serial = token.serial.clone();
        tx.tell(&Happened::TokenAssigned { serial }, &by, None);
    }
    Ok(assigned)
}

pub(super) async fn resync(
    tx: &Tx,
    serial: &str,
    (counter, drift): (u64, i64),
    by: &By,
) -> Result<bool, Cause> {
    let moved = tx
        .execute(
            "update otp set last_counter = $1, drift = $2
             where serial = $3 and (last_counter is null or last_counter < $1)",
            &[&to_sql(counter)?, &drift, &serial],
        )
        .await?;
    if moved > 0 {
        let serial = serial.to_owned();
        tx.tell(&Happened::TokenResynchronised { serial }, by, None);
    }
    Ok(moved > 0)
}

/// Spends a counter of somebody's factor: false if it or a later one was spent before.
pub(super) async fn spend_counter(
    tx: &Tx,
    factor: FactorId,
    person: Option<PersonId>,
    (counter, drift): (u64, i64),
) -> Result<bool, Cause> {
    let spent = tx
        .execute(
            "update otp set last_counter = $1, drift = $2
             where id = $3 and person = coalesce($4, person)
                 and (last_counter is null or last_counter < $1)",
            &[
                &to_sql(counter)?,
                &drift,
                &factor.0.as_slice(),
                &person.as_ref().map(|id| id.0.as_slice()),
            ],
        )
        .await?;
    Ok(spent > 0)
}

/// Binds an app: false if the person has one.
pub(super) async fn enrol_app(
    tx: &Tx,
    keys: &Keys,
    (person, otp): (PersonId, &Otp),
    (place, now): (&Place, Timestamp),
) -> Result<bool, Cause> {
    let last_counter = otp.last_counter.ok_or(Unreadable("last_counter"))?;
    let bound = tx
        .execute(
            "insert into otp (id, bound_at, bound_place, carrier, drift, last_counter, person, sealed)
             values ($1, $2, $3, 'app', $4, $5, $6, $7)
             on conflict do nothing",
            &[
                &otp.id.0.as_slice(),
                &now.0,
                &place.id(),
                &otp.drift,
                &to_sql(last_counter)?,
                &person.0.as_slice(),
                &seal_otp(keys, &forms::app_aad(otp.id.0, person), otp)?,
            ],
        )
        .await?;
    Ok(bound > 0)
}
