//! The audit's rows. The chain is made here, in the transaction that does what it tells of.

use journey::{Happened, JourneyId, PersonId, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{
    Cause,
    rows::{from_sql, get, prepare, to_sql},
};
use crate::{By, audit::Entry};

/// Appends an entry.
pub(super) fn append(
    conn: &Connection,
    happened: &Happened,
    by: &By,
    journey: Option<JourneyId>,
) -> Result<(), Cause> {
    let mut head = prepare(
        conn,
        "update audit_head set sequence = sequence + 1 where only = 1 returning sequence, hash",
    )?;
    let (sequence, previous) =
        head.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
    let mut entry = Entry {
        address: by.address.clone(),
        at: by.at,
        happened: serde_json::to_string(happened)?,
        hash: [0; 32],
        journey,
        person: by.person,
        place: by.place.id().to_owned(),
        previous,
        sequence: from_sql(sequence)?,
        support: by.support.clone(),
        through: by.through.clone(),
    };
    entry.hash = entry.expected_hash();
    prepare(conn, "update audit_head set hash = $1 where only = 1")?.execute([entry.hash])?;
    insert(conn, &entry)
}

fn insert(conn: &Connection, entry: &Entry) -> Result<(), Cause> {
    prepare(
conn,
        "insert into audit (sequence, address, at, happened, hash, journey, person, place, previous,
             support, through)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )?
    .execute(params![
        to_sql(entry.sequence)?,
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

pub(super) fn from(conn: &Connection, sequence: u64, limit: u32) -> Result<Vec<Entry>, Cause> {
    let mut find = prepare(
        conn,
        "select * from audit where sequence >= $1 order by sequence limit $2",
    )?;
    let rows = find.query_and_then(params![to_sql(sequence)?, limit], read)?;
    rows.collect()
}

pub(super) fn by_support(conn: &Connection, support: &str) -> Result<Vec<Entry>, Cause> {
    let mut find = prepare(
        conn,
        "select * from audit where support = $1 and support <> '' order by sequence",
    )?;
    let rows = find.query_and_then([support], read)?;
    rows.collect()
}

fn read(row: &Row<'_>) -> Result<Entry, Cause> {
    Ok(Entry {
        address: get(row, "address")?,
        at: Timestamp(get(row, "at")?),
        happened: get(row, "happened")?,
        hash: get(row, "hash")?,
        journey: get::<Option<_>>(row, "journey")?.map(JourneyId),
        person: get::<Option<_>>(row, "person")?.map(PersonId),
        place: get(row, "place")?,
        previous: get(row, "previous")?,
        sequence: from_sql(get(row, "sequence")?)?,
        support: get(row, "support")?,
        through: get(row, "through")?,
    })
}
