//! What relies on which key, and sealing a few rows again.

use journey::Timestamp;
use tokio_postgres::{Row, types::ToSql};

use super::{
    Cause,
    link::{Link, Tx},
    rows::Columns,
};
use crate::{
    forms::Unreadable,
    reseal::{Again, Found, ROWS_AT_ONCE, Reliance, Relying, RowKey, Sealed, Tally},
    seal::{Keys, mac_front},
};

const CODES: &str = "select count(*) from activation where used_at is null and until > $1";
const CODES_OF: &str = "select count(*) from activation
     where used_at is null and until > $1 and substr(mac, 1, 4) = $2";
const SETS: &str = "select count(*) from recovery_set";
const SETS_OF: &str = "select count(*) from recovery_set where substr(macs, 1, 4) = $1";
const FAMILIES: &str = "select count(*) from refresh where until > $1 and renewed < $2";
const PASSWORDS_OF: &str = "select count(*) from person where position($1 in password) > 0";
const FORMER_OF: &str = "select count(*) from password_past where position($1 in hash) > 0";

impl RowKey {
    fn param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Id(id) => id,
            Self::Name(name) => name,
        }
    }
}

/// Counts everything: of millions, that takes longer than any other statement may.
pub(super) async fn reliance(tx: &Tx, keys: &Keys, now: Timestamp) -> Result<Vec<Reliance>, Cause> {
    tx.batch("set local statement_timeout = '1min'").await?;
    let mut tally = Tally::default();
    for table in Sealed::ALL {
        for row in tx.rows(table.statements().count, &[]).await? {
            let mut columns = Columns::of(&row);
            let [key] = columns.next_bytes()?;
            tally.add(table.what(), key, columns.next_count()?);
        }
    }
    for (key, keyid) in keys.keyids() {
        let passwords = count(tx, PASSWORDS_OF, &[&keyid]).await?;
        tally.add(Relying::Password, key, passwords);
        let former = count(tx, FORMER_OF, &[&keyid]).await?;
        tally.add(Relying::FormerPassword, key, former);
        if let Some(front) = mac_front(key) {
            let codes = count(tx, CODES_OF, &[&now.0, &front.as_slice()]).await?;
            tally.add(Relying::ActivationCode, key, codes);
            let sets = count(tx, SETS_OF, &[&front.as_slice()]).await?;
            tally.add(Relying::RecoveryCodes, key, sets);
        }
    }
    tally.add_of_first(Relying::ActivationCode, count(tx, CODES, &[&now.0]).await?);
    tally.add_of_first(Relying::RecoveryCodes, count(tx, SETS, &[]).await?);
    Ok(tally.end())
}

/// How many families of refresh tokens were last renewed before a time.
pub(super) async fn renewed_before(tx: &Tx, at: Timestamp, now: Timestamp) -> Result<u64, Cause> {
    tx.batch("set local statement_timeout = '1min'").await?;
    count(tx, FAMILIES, &[&now.0, &at.0]).await
}

async fn count(tx: &Tx, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, Cause> {
    let found = tx.row(sql, params).await?.ok_or(Unreadable("count"))?;
    Columns::of(&found).next_count()
}

/// The next rows behind this one that another key sealed.
pub(super) async fn find(
    link: &Link,
    table: Sealed,
    after: &RowKey,
    current: u8,
) -> Result<Vec<Found>, Cause> {
    let current = [current];
    let rows = link
        .rows(
            table.statements().find,
            &[after.param(), &current.as_slice(), &i64::from(ROWS_AT_ONCE)],
        )
        .await?;
    rows.iter().map(|row| read(row, table)).collect()
}

fn read(row: &Row, table: Sealed) -> Result<Found, Cause> {
    let mut columns = Columns::of(row);
    let key = match table.start() {
        RowKey::Id(_) => RowKey::Id(columns.next()?),
        RowKey::Name(_) => RowKey::Name(columns.next()?),
    };
    let sealed = columns.next()?;
    let (person, serial) = match table {
        Sealed::Factors => (columns.next_bytes_if_any()?, columns.next()?),
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
pub(super) async fn replace(tx: &Tx, table: Sealed, rows: &[Again]) -> Result<u64, Cause> {
    let mut replaced = 0_u64;
    for row in rows {
        let wrote = tx
            .execute(
                table.statements().replace,
                &[&row.to, row.key.param(), &row.from],
            )
            .await?;
        replaced = replaced.saturating_add(wrote);
    }
    Ok(replaced)
}
