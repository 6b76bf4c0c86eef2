//! Apps and hardware tokens. Counters only ever rise.

use std::collections::HashSet;

use journey::{FactorId, Happened, JourneyId, Otp, PersonId, Place, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Cause, people, recovery,
    rows::{Columns, Unreadable, prepare, to_sql},
    trail,
    writer::Verdict,
};
use crate::{
    AssignToken, By, Conflict, NewToken, TokenRecord,
    forms::{Bound, app_aad, seal_otp, token_aad},
    seal::Keys,
};

/// What is bound, from the columns `sealed`, `drift`, `last_counter`.
pub(super) fn bound(columns: &mut Columns<'_>) -> Result<Bound, Cause> {
    Ok(Bound {
        sealed: columns.next()?,
        drift: columns.next()?,
        last_counter: columns.next()?,
    })
}

type Import = Result<u32, Vec<(usize, Conflict)>>;

/// Takes in all tokens or none. How many are new.
pub(super) fn import(
    conn: &Connection,
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
        if insert(conn, keys, new)? {
            count = count.saturating_add(1);
            continue;
        }
        let known = by_serial(conn, keys, &new.serial)?;
        if !known.is_some_and(|known| known.otp.secret.matches(new.otp.secret.expose())) {
            conflicts.push((at, Conflict::TokenTaken(new.serial.clone())));
        }
    }
    if !conflicts.is_empty() {
        return Ok(Verdict::Undo(Err(conflicts)));
    }
    trail::append(conn, &Happened::TokensImported { count }, by, None)?;
    Ok(Verdict::Keep(Ok(count)))
}

fn insert(conn: &Connection, keys: &Keys, new: &NewToken) -> Result<bool, Cause> {
    let inserted = prepare(
        conn,
        "insert into otp (id, carrier, drift, last_counter, sealed, serial)
         values ($1, 'token', $2, $3, $4, $5) on conflict (serial) do nothing",
    )?
    .execute(params![
        new.otp.id.0,
        new.otp.drift,
        new.otp.last_counter.map(to_sql).transpose()?,
        seal_otp(keys, &token_aad(&new.serial), &new.otp)?,
        new.serial,
    ])?;
    Ok(inserted > 0)
}

pub(super) fn by_serial(
    conn: &Connection,
    keys: &Keys,
    serial: &str,
) -> Result<Option<TokenRecord>, Cause> {
    let mut find = prepare(
        conn,
        "select person, sealed, drift, last_counter from otp where serial = $1",
    )?;
    let mut rows = find.query([serial])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut columns = Columns::of(row);
    let assigned_to: Option<_> = columns.next()?;
    let otp = bound(&mut columns)?.open(keys, Some(token_aad(serial)))?;
    Ok(otp.map(|otp| TokenRecord {
        assigned_to: assigned_to.map(PersonId),
        otp,
        serial: serial.to_owned(),
    }))
}

/// The token that comes with a person of an import. Whether anything changed.
pub(super) fn bring(
    conn: &Connection,
    person: PersonId,
    serial: &str,
    (keys, by): (&Keys, &By),
) -> Result<Result<bool, Conflict>, Cause> {
    let holder = holder(conn, serial)?;
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
            let assigned = assign_and_tell(conn, keys, &token, by)?;
            Ok(match assigned {
                true => Ok(true),
                false => Err(Conflict::TokenTaken(serial.to_owned())),
            })
        }
    }
}

/// Whose a token is, if it is known at all.
fn holder(conn: &Connection, serial: &str) -> Result<Option<Option<PersonId>>, Cause> {
    let holder: Option<Option<[u8; 16]>> =
        prepare(conn, "select person from otp where serial = $1")?
            .query_row([serial], |row| row.get(0))
            .optional()?;
    Ok(holder.map(|person| person.map(PersonId)))
}

/// Puts a token that somebody held back into stock, unless it is this one.
pub(super) fn release(conn: &Connection, person: PersonId, keep: &str) -> Result<bool, Cause> {
    let released = prepare(
        conn,
        "update otp set person = null, bound_at = null, bound_place = null
         where person = $1 and carrier = 'token' and serial <> $2",
    )?
    .execute(params![person.0, keep])?;
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
pub(super) fn assign(
    conn: &Connection,
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
    let replaced = release(conn, assign.person, &assign.serial)?;
    let assigned = prepare(
        conn,
        "update otp set bound_at = $1, bound_place = $2, drift = coalesce($3, drift),
             last_counter = coalesce($4, last_counter), person = $5
         where serial = $6 and carrier = 'token' and (person is null or person = $5)
             and ($4 is null or last_counter is null or last_counter < $4)",
    )?
    .execute(params![
        by.at.0,
        by.place.id(),
        drift,
        counter,
        assign.person.0,
        assign.serial
    ])?;
    if assigned > 0 {
        if replaced {
            people::next_era(conn, assign.person)?;
            people::forget_devices(conn, assign.person)?;
            recovery::make_void(conn, assign.person)?;
            people::end_everything(conn, keys, assign.person, (journey, by.at))?;
        }
        return Ok(Ok(()));
    }
    let free = holder(conn, &assign.serial)?
        .is_some_and(|holder| holder.is_none_or(|of| of == assign.person));
    Ok(Err(match free {
        true => NotAssigned::CounterSpent,
        false => NotAssigned::Taken,
    }))
}

/// An assignment by the desk or a command.
pub(super) fn assign_by_desk(
    conn: &Connection,
    keys: &Keys,
    token: &AssignToken,
    by: &By,
) -> Result<Verdict<bool>, Cause> {
    Ok(match assign_and_tell(conn, keys, token, by)? {
        true => Verdict::Keep(true),
        false => Verdict::Undo(false),
    })
}

fn assign_and_tell(
    conn: &Connection,
    keys: &Keys,
    token: &AssignToken,
    by: &By,
) -> Result<bool, Cause> {
    let by = By {
        person: Some(token.person),
        ..by.clone()
    };
    let assigned = assign(conn, keys, token, &by, None)?.is_ok();
    if assigned {
        let serial = token.serial.clone();
        trail::append(conn, &Happened::TokenAssigned { serial }, &by, None)?;
    }
    Ok(assigned)
}

pub(super) fn resync(
    conn: &Connection,
    serial: &str,
    (counter, drift): (u64, i64),
    by: &By,
) -> Result<bool, Cause> {
    let moved = prepare(
        conn,
        "update otp set last_counter = $1, drift = $2
         where serial = $3 and (last_counter is null or last_counter < $1)",
    )?
    .execute(params![to_sql(counter)?, drift, serial])?;
    if moved > 0 {
        let serial = serial.to_owned();
        trail::append(conn, &Happened::TokenResynchronised { serial }, by, None)?;
    }
    Ok(moved > 0)
}

/// Spends a counter of somebody's factor: false if it or a later one was spent before.
pub(super) fn spend_counter(
    conn: &Connection,
    factor: FactorId,
    person: Option<PersonId>,
    (counter, drift): (u64, i64),
) -> Result<bool, Cause> {
    let spent = prepare(
        conn,
        "update otp set last_counter = $1, drift = $2
         where id = $3 and person = coalesce($4, person)
             and (last_counter is null or last_counter < $1)",
    )?
    .execute(params![
        to_sql(counter)?,
        drift,
        factor.0,
        person.map(|id| id.0)
    ])?;
    Ok(spent > 0)
}

/// Binds an app: false if the person has one.
pub(super) fn enrol_app(
    conn: &Connection,
    keys: &Keys,
    (person, otp): (PersonId, &Otp),
    (place, now): (&Place, Timestamp),
) -> Result<bool, Cause> {
    let last_counter = otp.last_counter.ok_or(Unreadable("last_counter"))?;
    let bound = prepare(
        conn,
        "insert into otp (id, bound_at, bound_place, carrier, drift, last_counter, person, sealed)
         values ($1, $2, $3, 'app', $4, $5, $6, $7)
         on conflict do nothing",
    )?
    .execute(params![
        otp.id.0,
        now.0,
        place.id(),
        otp.drift,
        to_sql(last_counter)?,
        person.0,
        seal_otp(keys, &app_aad(otp.id.0, person), otp)?,
    ])?;
    Ok(bound > 0)
}
