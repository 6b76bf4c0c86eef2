//! Documents and signing keys, and the number that moves when one of them changes.

use journey::{Happened, Secret, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Cause,
    rows::{from_sql, get, prepare},
    trail,
    writer::Verdict,
};
use crate::{
    By, KeyRecord, Resource, ResourceKind,
    seal::{Keys, Purpose},
};

pub(super) fn by_kind(conn: &Connection, kind: ResourceKind) -> Result<Option<Resource>, Cause> {
    let found = prepare(
        conn,
        "select contents, version from resource where kind = $1",
    )?
    .query_row([kind.name()], |row| {
        Ok(Resource {
            kind,
            text: row.get(0)?,
            version: row.get(1)?,
        })
    })
    .optional()?;
    Ok(found)
}

/// Replaces documents whose version is still the one that was read; one that is not keeps all as
/// they are.
pub(super) fn apply(
    conn: &Connection,
    documents: &[Resource],
    by: &By,
) -> Result<Verdict<bool>, Cause> {
    for document in documents {
        let sql = match document.version {
            0 => {
                "insert into resource (contents, kind, version) values ($1, $2, $3 + 1)
                 on conflict do nothing"
            }
            _ => {
                "update resource set contents = $1, version = version + 1
                 where kind = $2 and version = $3"
            }
        };
        let kind = document.kind.name();
        let replaced =
            prepare(conn, sql)?.execute(params![document.text, kind, document.version])?;
        if replaced == 0 {
            return Ok(Verdict::Undo(false));
        }
        let applied = Happened::ResourceApplied { kind: kind.into() };
        trail::append(conn, &applied, by, None)?;
    }
    if !documents.is_empty() {
        move_generation(conn)?;
    }
    Ok(Verdict::Keep(true))
}

pub(super) fn generation(conn: &Connection) -> Result<u64, Cause> {
    let number = prepare(conn, "select number from meta where name = 'generation'")?
        .query_row([], |row| row.get(0))?;
    from_sql(number)
}

pub(super) fn move_generation(conn: &Connection) -> Result<(), Cause> {
    prepare(
        conn,
        "update meta set number = number + 1 where name = 'generation'",
    )?
    .execute([])?;
    Ok(())
}

pub(super) fn signing_keys(
    conn: &Connection,
    keys: &Keys,
    now: Timestamp,
) -> Result<Vec<KeyRecord>, Cause> {
    let mut find = prepare(
        conn,
        "select * from signing_key where until is null or until > $1 order by algorithm, kid",
    )?;
    let rows = find.query_and_then([now.0], |row| read_key(row, keys))?;
    rows.collect()
}

fn read_key(row: &Row<'_>, keys: &Keys) -> Result<KeyRecord, Cause> {
    let kid: String = get(row, "kid")?;
    let sealed: Vec<u8> = get(row, "sealed")?;
    let pkcs8: Secret = keys.open(Purpose::SigningKey, kid.as_bytes(), &sealed)?;
    Ok(KeyRecord {
        algorithm: get(row, "algorithm")?,
        kid,
        pkcs8,
        until: get::<Option<_>>(row, "until")?.map(Timestamp),
    })
}

pub(super) fn rotate_key(
    conn: &Connection,
    keys: &Keys,
    (new, retire_until): (&KeyRecord, Timestamp),
    by: &By,
) -> Result<(), Cause> {
    prepare(
        conn,
        "update signing_key set until = $1
         where algorithm = $2 and (until is null or until > $1)",
    )?
    .execute(params![retire_until.0, new.algorithm])?;
    let sealed = keys.seal(Purpose::SigningKey, new.kid.as_bytes(), new.pkcs8.expose());
    prepare(
        conn,
        "insert into signing_key (kid, algorithm, sealed, until) values ($1, $2, $3, $4)",
    )?
    .execute(params![
        new.kid,
        new.algorithm,
        sealed,
        new.until.map(|until| until.0)
    ])?;
    move_generation(conn)?;
    trail::append(conn, &Happened::KeysRotated, by, None)
}
