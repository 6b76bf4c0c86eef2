//! How a database becomes the one that this version knows, and which ones are refused.

use tokio_postgres::error::SqlState;

use super::{
    Address, Cause, Verdict, image,
    link::{Link, Tx},
    rows::Columns,
    upkeep,
};
use crate::{
    forms::Unreadable,
    migration::{self, Done, Migration, NEEDED},
    seal::{Keys, Purpose},
};

/// All migrations, in order.
const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001-what-is-remembered",
        sql: include_str!("../../../../migrations/postgres/0001-what-is-remembered.sql"),
    },
    Migration {
        name: "0002-nodes",
        sql: include_str!("../../../../migrations/postgres/0002-nodes.sql"),
    },
    Migration {
        name: "0004-refresh-tokens",
        sql: include_str!("../../../../migrations/postgres/0004-refresh-tokens.sql"),
    },
    Migration {
        name: "0005-participants",
        sql: include_str!("../../../../migrations/postgres/0005-participants.sql"),
    },
    Migration {
        name: "0006-consents",
        sql: include_str!("../../../../migrations/postgres/0006-consents.sql"),
    },
    Migration {
        name: "0007-device-codes",
        sql: include_str!("../../../../migrations/postgres/0007-device-codes.sql"),
    },
    Migration {
        name: "0008-recovery-codes",
        sql: include_str!("../../../../migrations/postgres/0008-recovery-codes.sql"),
    },
    Migration {
        name: "0009-eras",
        sql: include_str!("../../../../migrations/postgres/0009-eras.sql"),
    },
    Migration {
        name: "0011-registrations",
        sql: include_str!("../../../../migrations/postgres/0011-registrations.sql"),
    },
    Migration {
        name: "0012-federations",
        sql: include_str!("../../../../migrations/postgres/0012-federations.sql"),
    },
    Migration {
        name: "0013-artifacts",
        sql: include_str!("../../../../migrations/postgres/0013-artifacts.sql"),
    },
];

/// How many migrations an empty database has yet to see.
pub(super) const ALL_MIGRATIONS: usize = MIGRATIONS.len();

/// The oldest server that is tested, as PostgreSQL numbers versions.
const VERSION_MIN: i32 = 150_000;

/// The tables, and what must be allowed on them.
const TABLES: [(&str, &str); 28] = [
    ("activation", ALL),
    ("artifact", ALL),
    ("audit", "select, insert"),
    ("audit_strand", "select, update"),
    ("code", ALL),
    ("consent", ALL),
    ("device", ALL),
    ("device_code", ALL),
    ("federation", ALL),
    ("invitation", ALL),
    ("journey", ALL),
    ("lane", ALL),
    ("meta", ALL),
    ("migration", "select"),
    ("name", ALL),
    ("node", ALL),
    ("otp", ALL),
    ("outbox", ALL),
    ("participant", ALL),
    ("password_past", ALL),
    ("person", ALL),
    ("recovery_set", ALL),
    ("refresh", ALL),
    ("registration", ALL),
    ("resource", ALL),
    ("session", ALL),
    ("signing_key", ALL),
    ("used", ALL),
];
const ALL: &str = "select, insert, update, delete";

/// How long a migration waits for a table that others use, in seconds. PostgreSQL looks for a deadlock
/// after one, and is left the time to name it.
const TABLE_WAIT_S: u8 = 2;

/// Waits until nobody else makes tables; ends with the transaction.
pub(super) const ALONE: &str = "select pg_advisory_xact_lock(440213037665)";

/// Why a database is not opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "the database `{0}` holds tables that furka did not make: name an empty database, made with `createdb`"
    )]
    Foreign(String),
    #[error(
        "the database has no table `{0}`, though its migrations were run: restore a backup, or name another database"
    )]
    Incomplete(String),
    #[error("the server is PostgreSQL {0}, which is too old: furka needs version 15 or newer")]
    OldServer(String),
    #[error(
        "the database was sealed with other keys: name the key file that was in use when it was made, or another database"
    )]
    OtherKeys,
    #[error(
        "the user `{user}` may not {what} `{table}`: make it the owner with `alter table {table} owner to \"{user}\"`"
    )]
    Privilege {
        table: &'static str,
        user: String,
        what: &'static str,
    },
}

/// Refuses a server that this was never tried with.
pub(super) async fn refuse_old_server(link: &Link) -> Result<(), Cause> {
    let sql =
        "select current_setting('server_version_num')::int, current_setting('server_version')";
    let found = link.row(sql, &[]).await?.ok_or(Unreadable("version"))?;
    let mut columns = Columns::of(&found);
    Ok(refuse_version(columns.next()?, columns.next()?)?)
}

pub(super) fn refuse_version(number: i32, name: &str) -> Result<(), Refused> {
    match number < VERSION_MIN {
        true => Err(Refused::OldServer(name.to_owned())),
        false => Ok(()),
    }
}

/// The names of all migrations, in order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(|migration| migration.name)
}

/// The names of the migrations that the database has yet to see.
pub(super) async fn pending(link: &Link, address: &Address) -> Result<Vec<&'static str>, Cause> {
    image::refuse_half_copied(link).await?;
    unseen(link, address).await
}

async fn unseen(link: &Link, address: &Address) -> Result<Vec<&'static str>, Cause> {
    let done = done(link, address).await?;
    let needed = match done.is_empty() {
        true => None,
        false => needed(link).await?,
    };
    let rest = migration::unseen(MIGRATIONS, &done, needed)?;
    Ok(rest.iter().map(|migration| migration.name).collect())
}

async fn needed(link: &Link) -> Result<Option<i64>, Cause> {
    let sql = "select number from meta where name = $1";
    let found = link.row(sql, &[&NEEDED]).await?;
    found.map(|row| Columns::of(&row).next()).transpose()
}

async fn done(link: &Link, address: &Address) -> Result<Vec<Done>, Cause> {
    let sql = "select to_regclass('migration') is not null, to_regclass('person') is not null";
    let found = link.row(sql, &[]).await?.ok_or(Unreadable("tables"))?;
    let mut columns = Columns::of(&found);
    let (made, others): (bool, bool) = (columns.next()?, columns.next()?);
    if !made {
        return match others {
            true => Err(Refused::Foreign(address.database().to_owned()).into()),
            false => Ok(vec![]),
        };
    }
    let rows = link
        .rows("select name, checksum from migration order by name", &[])
        .await?;
    let migration = |row| {
        let mut columns = Columns::of(row);
        Ok((columns.next()?, columns.next_bytes()?))
    };
    rows.iter().map(migration).collect()
}

/// Brings the database to this version's schema, all of it or nothing. Of several nodes that begin at
/// once one does it, and the others see it done: the first lock is a help for that, the keys of the
/// tables are what holds.
///
/// Whoever wants a table waits behind a step that waits for it, so no step waits longer than people do.
pub(super) async fn migrate(tx: &Tx, address: &Address) -> Result<Verdict<()>, Cause> {
    tx.batch(&format!("set local statement_timeout = 0; {ALONE}"))
        .await?;
    if pending(tx, address).await?.is_empty() {
        return Ok(Verdict::Undo(()));
    }
    tx.batch(&format!("set local lock_timeout = '{TABLE_WAIT_S}s'"))
        .await?;
    migrate_first(tx, address, MIGRATIONS.len()).await?;
    Ok(Verdict::Keep(()))
}

/// Brings the database to the schema that the first so many migrations make.
pub(super) async fn migrate_first(tx: &Tx, address: &Address, number: usize) -> Result<(), Cause> {
    tx.batch("set local statement_timeout = 0").await?;
    tx.batch(
        "create table if not exists migration (
             name     text collate \"C\" not null primary key,
             checksum bytea not null check (octet_length(checksum) = 32)
         )",
    )
    .await?;
    let unseen = unseen(tx, address).await?;
    let first = MIGRATIONS.iter().take(number);
    for migration in first.filter(|one| unseen.contains(&one.name)) {
        tx.execute(
            "insert into migration (name, checksum) values ($1, $2)",
            &[&migration.name, &migration.checksum().as_slice()],
        )
        .await?;
        tx.batch(migration.sql).await?;
    }
    if !unseen.is_empty() {
        let made = MIGRATIONS.get(..number).unwrap_or(MIGRATIONS);
        tx.execute(
            "insert into meta (name, number) values ($1, $2)
             on conflict (name) do update set number = excluded.number",
            &[&NEEDED, &migration::needed(made)],
        )
        .await?;
    }
    Ok(())
}

/// Whether somebody else ran the same migration at the same moment.
pub(super) fn lost_the_race(cause: &Cause) -> bool {
    const RACES: [SqlState; 4] = [
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_TABLE,
        SqlState::INTERNAL_ERROR,
        SqlState::UNIQUE_VIOLATION,
    ];
    let error = cause.downcast_ref::<tokio_postgres::Error>();
    let code = error.and_then(tokio_postgres::Error::code);
    code.is_some_and(|code| RACES.contains(code))
}

/// Refuses a database of which something is missing or forbidden, before anybody relies on it.
pub(super) async fn refuse_incomplete(link: &Link) -> Result<(), Cause> {
    for (table, wanted) in TABLES {
        let found = link
            .row(
                "select current_user::text, to_regclass($1) is not null,
                     (select array_agg(what) from unnest(string_to_array($2, ', ')) as what
                      where not has_table_privilege(to_regclass($1), what))",
                &[&table, &wanted],
            )
            .await?;
        let found = found.ok_or(Unreadable("tables"))?;
        let mut columns = Columns::of(&found);
        let (user, exists): (String, bool) = (columns.next()?, columns.next()?);
        if !exists {
            return Err(Refused::Incomplete(table.to_owned()).into());
        }
        if columns.next::<Option<Vec<&str>>>()?.is_some() {
            let what = wanted;
            return Err(Refused::Privilege { table, user, what }.into());
        }
    }
    Ok(())
}

/// Refuses a database that other keys sealed: it would seem to work until the first secret is read.
pub(super) async fn belongs_to(tx: &Tx, keys: &Keys) -> Result<(), Cause> {
    tx.execute(
        "insert into meta (name, bytes) values ('probe', $1) on conflict (name) do nothing",
        &[&keys.seal(Purpose::Probe, b"", b"")],
    )
    .await?;
    let known = tx
        .row("select bytes from meta where name = 'probe'", &[])
        .await?
        .ok_or(Unreadable("probe"))?;
    match keys.open(Purpose::Probe, b"", Columns::of(&known).next()?) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refused::OtherKeys.into()),
    }
}

/// Refuses a database that cannot be written; waits for no disk.
pub(super) async fn refuse_read_only(tx: &Tx) -> Result<Verdict<()>, Cause> {
    upkeep::prove_writable(tx).await?;
    Ok(Verdict::Undo(()))
}
