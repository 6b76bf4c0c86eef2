//! The audit's rows. Who writes to a strand holds it until the commit; there are several, so that not
//! everybody waits for one disk and one replica. Entries with the same support code share a strand, so
//! that they are in order; those without one share that of their person.

use journey::{JourneyId, PersonId, Timestamp};
use tokio_postgres::Row;

use super::{
    Cause,
    link::{Link, Told, Tx, Uncommitted},
    rows::Columns,
};
use crate::{
    By,
    audit::{Entry, number, place_of},
    forms::Unreadable,
    seal::sha256,
};

/// How many strands are written to.
const STRANDS: u8 = 16;

/// The number of an entry, which no chain outgrows.
fn numbered(strand: u16, sequence: u64) -> Result<i64, Cause> {
    Ok(number(strand, sequence).ok_or(Unreadable("audit.number"))?)
}

/// The first number that belongs to no strand up to this one.
fn end_of(strand: u16) -> i64 {
    number(strand.saturating_add(1), 0).unwrap_or(i64::MAX)
}

/// Appends entries to one strand, and commits.
pub(super) async fn append_and_commit(tx: &Tx, told: &[Told]) -> Result<(), Uncommitted> {
    let entries = chain(tx, told).await?;
    insert_and_commit(tx, &entries).await
}

/// The entries, linked to the end of their strand, which is held from here on.
async fn chain(tx: &Tx, told: &[Told]) -> Result<Vec<Entry>, Cause> {
    let strand = told.first().map_or(0, |first| strand_of(&first.by));
    let (mut sequence, mut previous) = end(tx, strand).await?;
    let mut entries = Vec::with_capacity(told.len());
    for told in told {
        sequence = sequence.saturating_add(1);
        let mut entry = Entry {
            address: told.by.address.clone(),
            at: told.by.at,
            happened: serde_json::to_string(&told.happened)?,
            hash: [0; 32],
            journey: told.journey,
            person: told.by.person,
            place: told.by.place.id().to_owned(),
            previous,
            sequence,
            strand,
            support: told.by.support.clone(),
            through: told.by.through.clone(),
        };
        entry.hash = entry.expected_hash();
        previous = entry.hash;
        entries.push(entry);
    }
    Ok(entries)
}

/// The strand of a support code; without one, that of the person.
fn strand_of(by: &By) -> u16 {
    let owner = match &by.person {
        Some(person) if by.support.is_empty() => sha256(&person.0),
        _ => sha256(by.support.as_bytes()),
    };
    u16::from(owner[0] % STRANDS)
}

/// Holds the end of a strand: the place and the hash of its last entry.
async fn end(tx: &Tx, strand: u16) -> Result<(u64, [u8; 32]), Cause> {
    let (from, to) = (numbered(strand, 0)?, end_of(strand));
    // The second statement begins when the first one has the lock, and sees what was committed by then.
    let last = tx
        .execute_then_row(
            (
                "select 1 from audit_strand where strand = $1 for update",
                &[&i64::from(strand)],
            ),
            (
                "select number, hash from audit where number >= $1 and number < $2
                 order by number desc limit 1",
                &[&from, &to],
            ),
        )
        .await?;
    let Some(last) = last else {
        return Ok((0, [0; 32]));
    };
    let mut columns = Columns::of(&last);
    let (_, sequence) = place_of(columns.next()?).ok_or(Unreadable("audit.number"))?;
    Ok((sequence, columns.next_bytes()?))
}

async fn insert_and_commit(tx: &Tx, entries: &[Entry]) -> Result<(), Uncommitted> {
    let numbers = entries
        .iter()
        .map(|entry| numbered(entry.strand, entry.sequence))
        .collect::<Result<Vec<_>, _>>()?;
    let all = |column: fn(&Entry) -> &str| entries.iter().map(column).collect::<Vec<_>>();
    let addresses: Vec<_> = entries.iter().map(|one| one.address.as_deref()).collect();
    let times: Vec<_> = entries.iter().map(|one| one.at.0).collect();
    let hashes: Vec<_> = entries.iter().map(|one| one.hash.as_slice()).collect();
    let journeys = entries.iter().map(|one| one.journey.as_ref());
    let journeys: Vec<_> = journeys.map(|id| id.map(|id| id.0.as_slice())).collect();
    let people = entries.iter().map(|one| one.person.as_ref());
    let people: Vec<_> = people.map(|id| id.map(|id| id.0.as_slice())).collect();
    let before: Vec<_> = entries.iter().map(|one| one.previous.as_slice()).collect();
    tx.execute_and_commit(
        "insert into audit (number, address, at, happened, hash, journey, person, place, previous,
             support, through)
         select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bytea[],
             $6::bytea[], $7::bytea[], $8::text[], $9::bytea[], $10::text[], $11::text[])",
        &[
            &numbers,
            &addresses,
            &times,
            &all(|one| &one.happened),
            &hashes,
            &journeys,
            &people,
            &all(|one| &one.place),
            &before,
            &all(|one| &one.support),
            &all(|one| &one.through),
        ],
    )
    .await
}

/// The strands that have entries, found by one look each.
pub(super) async fn strands(link: &Link) -> Result<Vec<u16>, Cause> {
    let mut strands = vec![];
    let mut from = numbered(0, 0)?;
    let next = "select number from audit where number >= $1 order by number limit 1";
    while let Some(found) = link.row(next, &[&from]).await? {
        let number = Columns::of(&found).next()?;
        let (strand, _) = place_of(number).ok_or(Unreadable("audit.number"))?;
        strands.push(strand);
        from = end_of(strand);
    }
    Ok(strands)
}

macro_rules! select_entries {
    ($which:literal) => {
        concat!(
            "select number, address, at, happened, hash, journey, person, place, previous, support,
                 through
             from audit where ",
            $which
        )
    };
}

pub(super) async fn from(
    link: &Link,
    (strand, sequence): (u16, u64),
    limit: u32,
) -> Result<Vec<Entry>, Cause> {
    let from = numbered(strand, sequence)?;
    let rows = link
        .rows(
            select_entries!("number >= $1 and number < $2 order by number limit $3"),
            &[&from, &end_of(strand), &i64::from(limit)],
        )
        .await?;
    rows.iter().map(read).collect()
}

pub(super) async fn by_support(link: &Link, support: &str) -> Result<Vec<Entry>, Cause> {
    let rows = link
        .rows(
            select_entries!("support = $1 and support <> '' order by at, number"),
            &[&support],
        )
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Entry, Cause> {
    let mut columns = Columns::of(row);
    let (strand, sequence) = place_of(columns.next()?).ok_or(Unreadable("audit.number"))?;
    Ok(Entry {
        strand,
        sequence,
        address: columns.next()?,
        at: Timestamp(columns.next()?),
        happened: columns.next()?,
        hash: columns.next_bytes()?,
        journey: columns.next_bytes_if_any()?.map(JourneyId),
        person: columns.next_bytes_if_any()?.map(PersonId),
        place: columns.next()?,
        previous: columns.next_bytes()?,
        support: columns.next()?,
        through: columns.next()?,
    })
}
