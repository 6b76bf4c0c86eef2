//! Sessions, what hangs on them, and what is used once.

use journey::{Happened, PersonId, Place, Proof, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Cause, participants, people, refresh,
    rows::{Columns, prepare},
    trail,
};
use crate::{
    Account, By, EndSessions, NewSession, Redeemed, Redemption, SessionRecord,
    forms::{CLOCKS_APART_S, USED_WITHIN_S},
    key,
    seal::Keys,
};

/// A session for somebody who is not switched off, of a proof that still counts. Its id exists from here on and nowhere before.
pub(super) fn begin(
    conn: &Connection,
    person: PersonId,
    (place, proof): (&Place, &Proof),
    now: Timestamp,
) -> Result<Option<NewSession>, Cause> {
    let id = key::draw_secret(now);
    let begun = prepare(
        conn,
        "insert into session (key, created, epoch, person, place, proof, seen)
         select $1, $2, number, person.id, $3, $4, $2 from meta, person
         where meta.name = 'epoch' and person.id = $5 and person.disabled = 0
             and person.era = $6",
    )?
    .execute(params![
        key::of_secret(id.expose()),
        now.0,
        serde_json::to_string(place)?,
        serde_json::to_string(proof)?,
        person.0,
        proof.password().era()
    ])?;
    Ok((begun > 0).then_some(NewSession { id }))
}

pub(super) fn by_key(conn: &Connection, key: &[u8; 32]) -> Result<Option<SessionRecord>, Cause> {
    let mut find = prepare(
        conn,
        "select created, key, person, place, proof, seen from session
         where key = $1 and epoch = (select number from meta where name = 'epoch')",
    )?;
    let mut rows = find.query([key])?;
    rows.next()?.map(read).transpose()
}

fn read(row: &Row<'_>) -> Result<SessionRecord, Cause> {
    let mut columns = Columns::of(row);
    Ok(SessionRecord {
        created: Timestamp(columns.next()?),
        key: columns.next()?,
        person: PersonId(columns.next()?),
        place: columns.next_json()?,
        proof: columns.next_json()?,
        seen: Timestamp(columns.next()?),
    })
}

pub(super) fn wants_touch(session: &SessionRecord, now: Timestamp) -> bool {
    now.since(session.seen) >= USED_WITHIN_S
}

pub(super) fn touch(conn: &Connection, key: &[u8; 32], now: Timestamp) -> Result<(), Cause> {
    prepare(
        conn,
        "update session set seen = $1 where key = $2 and seen <= $3",
    )?
    .execute(params![now.0, key, now.plus(-USED_WITHIN_S).0])?;
    Ok(())
}

pub(super) fn of_person(
    conn: &Connection,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<SessionRecord>, Cause> {
    let mut find = prepare(
        conn,
        "select created, key, person, place, proof, seen from session
         where person = $1 and created <= $2
             and epoch = (select number from meta where name = 'epoch')
         order by created desc, key",
    )?;
    let rows = find.query_and_then(params![person.0, now.0], read)?;
    rows.collect()
}

pub(super) fn end(
    conn: &Connection,
    keys: &Keys,
    which: &EndSessions,
    by: &By,
) -> Result<u32, Cause> {
    let (sessions, person) = match which {
        EndSessions::All(person) => (end_all(conn, *person)?, Some(*person)),
        EndSessions::Others(person, but) => {
            let ended = end_where(
                conn,
                "delete from session where person = $1 and key <> $2",
                params![person.0, but],
            )?;
            refresh::end_of_person(conn, *person, Some(but))?;
            (ended, Some(*person))
        }
        EndSessions::One(key) => end_one(conn, key, true)?,
        EndSessions::Over(key) => end_one(conn, key, false)?,
        EndSessions::Replaced(old, new) => {
            refresh::follow(conn, old, new)?;
            end_one(conn, old, true)?
        }
    };
    participants::tell(conn, keys, which, by.at)?;
    if sessions > 0 {
        let by = By {
            person: by.person.or(person),
            ..by.clone()
        };
        trail::append(conn, &Happened::SignedOut { sessions }, &by, None)?;
    }
    Ok(sessions)
}

/// Ends all sessions of a person; how many.
pub(super) fn end_all(conn: &Connection, person: PersonId) -> Result<u32, Cause> {
    let sql = "delete from session where person = $1";
    let ended = end_where(conn, sql, params![person.0])?;
    refresh::end_of_person(conn, person, None)?;
    Ok(ended)
}

/// Ends one session, and what hangs on it, even if the session itself is over already; whose it was.
fn end_one(
    conn: &Connection,
    key: &[u8; 32],
    and_offline: bool,
) -> Result<(u32, Option<PersonId>), Cause> {
    let person = by_key(conn, key)?.map(|session| session.person);
    let ended = end_where(conn, "delete from session where key = $1", params![key])?;
    refresh::end_of_session(conn, key, and_offline)?;
    Ok((ended, person))
}

fn end_where(conn: &Connection, sql: &str, of: &[&dyn rusqlite::ToSql]) -> Result<u32, Cause> {
    Ok(u32::try_from(prepare(conn, sql)?.execute(of)?)?)
}

pub(super) fn consume(conn: &Connection, hash: &[u8; 32], until: Timestamp) -> Result<bool, Cause> {
    let consumed = prepare(
        conn,
        "insert into used (hash, until) values ($1, $2) on conflict (hash) do nothing",
    )?
    .execute(params![hash, until.plus(CLOCKS_APART_S).0])?;
    Ok(consumed > 0)
}

/// Redeems a code once. A second time voids what the first gave.
pub(super) fn redeem(
    conn: &Connection,
    redemption: &Redemption,
    by: &By,
) -> Result<Redeemed, Cause> {
    let application = redemption.application.clone();
    let first = prepare(
        conn,
        "insert into code (id, until) values ($1, $2) on conflict (id) do nothing",
    )?
    .execute(params![redemption.code, redemption.until.0])?;
    if first == 0 {
        refresh::end(conn, &redemption.code)?;
        trail::append(conn, &Happened::CodeReused { application }, by, None)?;
        return Ok(Redeemed::Reused);
    }
    let Some(session) = by_key(conn, &redemption.session)? else {
        return Ok(Redeemed::SessionOver);
    };
    if let Some(family) = &redemption.refresh {
        refresh::begin(conn, redemption, family, by.at)?;
    }
    let by = By {
        person: Some(session.person),
        ..by.clone()
    };
    let assurance = session.proof.assurance();
    let issued = Happened::TokenIssued {
        application,
        assurance,
    };
    trail::append(conn, &issued, &by, None)?;
    Ok(Redeemed::Yes)
}

pub(super) fn redeemed(
    conn: &Connection,
    keys: &Keys,
    (code, session): (&[u8; 16], &[u8; 32]),
) -> Result<Option<Account>, Cause> {
    let found = prepare(
        conn,
        "select person from session
         where key = $1 and epoch = (select number from meta where name = 'epoch')
             and (exists (select 1 from code where id = $2 and reused = 0)
                 or exists (select 1 from refresh where family = $2))
         union all
         select person from refresh
         where family = $2 and offline = 1
             and epoch = (select number from meta where name = 'epoch')
         limit 1",
    )?
    .query_row(params![session, code], |row| row.get(0).map(PersonId))
    .optional()?;
    let account = found.map(|person| people::by_id(conn, keys, person));
    Ok(account.transpose()?.flatten())
}
