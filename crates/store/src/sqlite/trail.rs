//! The audit's rows. The chain is made here, in the transaction that does what it tells of; the one
//! writer needs one strand.

use journey::{Happened, JourneyId, PersonId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Cause,
    rows::{Unreadable, get, prepare},
};
use crate::{
    By,
    audit::{Entry, number, place_of},
};

/// The strand to which this engine appends. Those of a database that came from an engine with many
/// writers stay as they are.
const STRAND: u16 = 0;

/// The number of an entry, which no chain outgrows.
fn numbered(strand: u16, sequence: u64) -> Result<i64, Cause> {
    Ok(number(strand, sequence).ok_or(Unreadable("audit.number"))?)
}

/// Appends an entry.
pub(super) fn append(
    conn: &Connection,
    happened: &Happened,
    by: &By,
    journey: Option<JourneyId>,
) -> Result<(), Cause> {
    let last = prepare(
        conn,
        "select number, hash from audit where number < $1 order by number desc limit 1",
    )?
    .query_row([numbered(STRAND + 1, 0)?], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
    .optional()?;
    let (last, previous) = last.unwrap_or((numbered(STRAND, 0)?, [0; 32]));
    let (_, before) = place_of(last).ok_or(Unreadable("audit.number"))?;
    let mut entry = Entry {
        address: by.address.clone(),
        at: by.at,
        happened: serde_json::to_string(happened)?,
        hash: [0; 32],
        journey,
        person: by.person,
        place: by.place.id().to_owned(),
        previous,
        sequence: before.saturating_add(1),
        strand: STRAND,
        support: by.support.clone(),
        through: by.through.clone(),
    };
    entry.hash = entry.expected_hash();
    insert(conn, &entry)
}

fn insert(conn: &Connection, entry: &Entry) -> Result<(), Cause> {
    prepare(
        conn,
        "insert into audit (number, address, at, happened, hash, journey, person, place, previous,
             support, through)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )?
    .execute(params![
        numbered(entry.strand, entry.sequence)?,
        entry.address,
        entry.at.0,
        entry.happened,
        entry.hash,
        entry.journey.map(|id| id.0),
        entry.person.map(|id| id.0),
        entry.place,
        entry.previous,
        entry.support,
        entry.through,
    ])?;
    Ok(())
}

/// The strands that have entries, found by one look each.
pub(super) fn strands(conn: &Connection) -> Result<Vec<u16>, Cause> {
    let mut find = prepare(
        conn,
        "select number from audit where number >= $1 order by number limit 1",
    )?;
    let mut strands = vec![];
    let mut from = numbered(0, 0)?;
    while let Some(found) = find.query_row([from], |row| row.get(0)).optional()? {
        let (strand, _) = place_of(found).ok_or(Unreadable("audit.number"))?;
        strands.push(strand);
        let Some(next) = number(strand.saturating_add(1), 0) else {
            break;
        };
        from = next;
    }
    Ok(strands)
}

pub(super) fn from(
    conn: &Connection,
    (strand, sequence): (u16, u64),
    limit: u32,
) -> Result<Vec<Entry>, Cause> {
    let end = number(strand.saturating_add(1), 0).unwrap_or(i64::MAX);
    let mut find = prepare(
        conn,
        "select * from audit where number >= $1 and number < $2 order by number limit $3",
    )?;
    let from = numbered(strand, sequence)?;
    let rows = find.query_and_then(params![from, end, limit], read)?;
    rows.collect()
}

pub(super) fn by_support(conn: &Connection, support: &str) -> Result<Vec<Entry>, Cause> {
    let mut find = prepare(
        conn,
        "select * from audit where support = $1 and support <> '' order by at, number",
    )?;
    let rows = find.query_and_then([support], read)?;
    rows.collect()
}

fn read(row: &Row<'_>) -> Result<Entry, Cause> {
    let (strand, sequence) = place_of(get(row, "number")?).ok_or(Unreadable("audit.number"))?;
    Ok(Entry {
        address: get(row, "address")?,
        at: Timestamp(get(row, "at")?),
        happened: get(row, "happened")?,
        hash: get(row, "hash")?,
        journey: get::<Option<_>>(row, "journey")?.map(JourneyId),
        person: get::<Option<_>>(row, "person")?.map(PersonId),
        place: get(row, "place")?,
        previous: get(row, "previous")?,
        sequence,
        strand,
        support: get(row, "support")?,
        through: get(row, "through")?,
    })
}
