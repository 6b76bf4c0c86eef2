//! What relies on which key, and sealing a few rows again.

use journey::Timestamp;
use rusqlite::{Connection, Row, ToSql, params, types::ToSqlOutput};

use super::{
    Cause,
    rows::{Columns, from_sql, prepare},
};
use crate::{
    reseal::{Again, Found, ROWS_AT_ONCE, Reliance, Relying, RowKey, Sealed, Tally},
    seal::{Keys, mac_front},
};

const CODES: &str = "select count(*) from activation where used_at is null and until > $1";
const CODES_OF: &str = "select count(*) from activation
     where used_at is null and until > $1 and substr(mac, 1, 4) = $2";
const SETS: &str = "select count(*) from recovery_set";
const SETS_OF: &str = "select count(*) from recovery_set where substr(macs, 1, 4) = $1";
const FAMILIES: &str = "select count(*) from refresh where until > $1 and renewed < $2";
const PASSWORDS_OF: &str = "select count(*) from person where instr(password, $1) > 0";
const FORMER_OF: &str = "select count(*) from password_past where instr(hash, $1) > 0";

impl ToSql for RowKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Id(id) => id.to_sql(),
            Self::Name(name) => name.to_sql(),
        }
    }
}

pub(super) fn reliance(
    conn: &Connection,
    keys: &Keys,
    now: Timestamp,
) -> Result<Vec<Reliance>, Cause> {
    let mut tally = Tally::default();
    for table in Sealed::ALL {
        let mut find = prepare(conn, table.statements().count)?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let [key]: [u8; 1] = columns.next()?;
            tally.add(table.what(), key, from_sql(columns.next()?)?);
        }
    }
    for (key, keyid) in keys.keyids() {
        let passwords = count(conn, PASSWORDS_OF, params![keyid])?;
        tally.add(Relying::Password, key, passwords);
        let former = count(conn, FORMER_OF, params![keyid])?;
        tally.add(Relying::FormerPassword, key, former);
        if let Some(front) = mac_front(key) {
            let codes = count(conn, CODES_OF, params![now.0, front])?;
            tally.add(Relying::ActivationCode, key, codes);
            let sets = count(conn, SETS_OF, params![front])?;
            tally.add(Relying::RecoveryCodes, key, sets);
        }
    }
    tally.add_of_first(Relying::ActivationCode, count(conn, CODES, params![now.0])?);
    tally.add_of_first(Relying::RecoveryCodes, count(conn, SETS, params![])?);
    Ok(tally.end())
}

/// How many families of refresh tokens were last renewed before a time.
pub(super) fn renewed_before(
    conn: &Connection,
    at: Timestamp,
    now: Timestamp,
) -> Result<u64, Cause> {
    count(conn, FAMILIES, params![now.0, at.0])
}

fn count(conn: &Connection, sql: &str, params: &[&dyn ToSql]) -> Result<u64, Cause> {
    from_sql(prepare(conn, sql)?.query_row(params, |row| row.get(0))?)
}

/// The next rows behind this one that another key sealed.
pub(super) fn find(
    conn: &Connection,
    table: Sealed,
    after: &RowKey,
    current: u8,
) -> Result<Vec<Found>, Cause> {
    let mut find = prepare(conn, table.statements().find)?;
    let rows = find.query_and_then(params![after, [current], ROWS_AT_ONCE], |row| {
        read(row, table)
    })?;
    rows.collect()
}

fn read(row: &Row<'_>, table: Sealed) -> Result<Found, Cause> {
    let mut columns = Columns::of(row);
    let key = match table.start() {
        RowKey::Id(_) => RowKey::Id(columns.next()?),
        RowKey::Name(_) => RowKey::Name(columns.next()?),
    };
    let sealed = columns.next()?;
    let (person, serial) = match table {
        Sealed::Factors => (columns.next()?, columns.next()?),
        _ => (None, None),
    };
    Ok(Found {
        key,
        person,
        sealed,
        serial,
    })
}

/// Writes what is sealed again, where nobody else wrote meanwhile; how many.
pub(super) fn replace(conn: &Connection, table: Sealed, rows: &[Again]) -> Result<u64, Cause> {
    let mut replace = prepare(conn, table.statements().replace)?;
    let mut replaced = 0;
    for row in rows {
        replaced += replace.execute(params![row.to, row.key, row.from])?;
    }
    Ok(u64::try_from(replaced)?)
}
