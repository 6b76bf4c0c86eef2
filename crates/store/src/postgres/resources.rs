//! Documents and signing keys, and the number that moves when one of them changes.

use journey::{Happened, Secret, Timestamp};
use tokio_postgres::Row;

use super::{
    Cause, Verdict,
    link::{Link, Tx},
    rows::Columns,
};
use crate::{
    By, KeyRecord, Resource, ResourceKind,
    forms::Unreadable,
    seal::{Keys, Purpose},
};

pub(super) async fn by_kind(link: &Link, kind: ResourceKind) -> Result<Option<Resource>, Cause> {
    let sql = "select contents, version from resource where kind = $1";
    let Some(found) = link.row(sql, &[&kind.name()]).await? else {
        return Ok(None);
    };
    let mut columns = Columns::of(&found);
    Ok(Some(Resource {
        kind,
        text: columns.next()?,
        version: columns.next_count()?,
    }))
}

/// Replaces documents whose version is still the one that was read; one that is not keeps all as
/// they are.
pub(super) async fn apply(
    tx: &Tx,
    documents: &[Resource],
    by: &By,
) -> Result<Verdict<bool>, Cause> {
    for document in documents {
        let sql = match document.version {
            0 => {
                "insert into resource (contents, kind, version) values ($1, $2, $3::bigint + 1)
                 on conflict do nothing"
            }
            _ => {
                "update resource set contents = $1, version = version + 1
                 where kind = $2 and version = $3"
            }
        };
        let kind = document.kind.name();
        let version = i64::from(document.version);
        let replaced = tx.execute(sql, &[&document.text, &kind, &version]).await?;
        if replaced == 0 {
            return Ok(Verdict::Undo(false));
        }
        tx.tell(&Happened::ResourceApplied { kind: kind.into() }, by, None);
    }
    if !documents.is_empty() {
        move_generation(tx).await?;
    }
    Ok(Verdict::Keep(true))
}

pub(super) async fn generation(link: &Link) -> Result<u64, Cause> {
    let sql = "select number from meta where name = 'generation'";
    let found = link.row(sql, &[]).await?;
    Columns::of(&found.ok_or(Unreadable("generation"))?).next_count()
}

pub(super) async fn move_generation(tx: &Tx) -> Result<(), Cause> {
    let sql = "update meta set number = number + 1 where name = 'generation'";
    tx.execute(sql, &[]).await?;
    Ok(())
}

pub(super) async fn signing_keys(
    link: &Link,
    keys: &Keys,
    now: Timestamp,
) -> Result<Vec<KeyRecord>, Cause> {
    let rows = link
        .rows(
            "select kid, algorithm, sealed, until from signing_key
             where until is null or until > $1 order by algorithm, kid",
            &[&now.0],
        )
        .await?;
    rows.iter().map(|row| read_key(row, keys)).collect()
}

fn read_key(row: &Row, keys: &Keys) -> Result<KeyRecord, Cause> {
    let mut columns = Columns::of(row);
    let kid: String = columns.next()?;
    let algorithm = columns.next()?;
    let pkcs8: Secret = keys.open(Purpose::SigningKey, kid.as_bytes(), columns.next()?)?;
    Ok(KeyRecord {
        algorithm,
        kid,
        pkcs8,
        until: columns.next::<Option<_>>()?.map(Timestamp),
    })
}

pub(super) async fn rotate_key(
    tx: &Tx,
    keys: &Keys,
    (new, retire_until): (&KeyRecord, Timestamp),
    by: &By,
) -> Result<(), Cause> {
    tx.execute(
        "update signing_key set until = $1
         where algorithm = $2 and (until is null or until > $1)",
        &[&retire_until.0, &new.algorithm],
    )
    .await?;
    let sealed = keys.seal(Purpose::SigningKey, new.kid.as_bytes(), new.pkcs8.expose());
    tx.execute(
        "insert into signing_key (kid, algorithm, sealed, until) values ($1, $2, $3, $4)",
        &[
            &new.kid,
            &new.algorithm,
            &sealed,
            &new.until.map(|until| until.0),
        ],
    )
    .await?;
    move_generation(tx).await?;
    tx.tell(&Happened::KeysRotated, by, None);
    Ok(())
}
