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
    seal::{Keys, Purpose, sha256},
};

/// All migrations, in order. What was published is never changed, only followed.
const MIGRATIONS: [Migration; 1] = [Migration {
    name: "0001-what-is-remembered",
    sql: include_str!("../../../../migrations/postgres/0001-what-is-remembered.sql"),
}];

/// How many migrations an empty database has yet to see.
pub(super) const ALL_MIGRATIONS: usize = MIGRATIONS.len();

/// The oldest server that is tested, as PostgreSQL numbers versions.
const VERSION_MIN: i32 = 150_000;

/// The tables, and what must be allowed on them.
const TABLES: [(&str, &str); 17] = [
    ("activation", ALL),
    ("audit", "select, insert"),
    ("audit_strand", "select, update"),
    ("code", ALL),
    ("device", ALL),
    ("journey", ALL),
    ("lane", ALL),
    ("meta", ALL),
    ("migration", "select"),
    ("name", ALL),
    ("otp", ALL),
    ("outbox", ALL),
    ("password_past", ALL),
    ("person", ALL),
    ("resource", ALL),
    ("session", ALL),
    ("signing_key", ALL),
];
const ALL: &str = "select, insert, update, delete";

/// Waits until nobody else makes tables; ends with the transaction.
pub(super) const ALONE: &str = "select pg_advisory_xact_lock(440213037665)";

struct Migration {
    name: &'static str,
    sql: &'static str,
}

/// Why a database is not opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "migration `{0}` of the database differs from the one in this binary: install the version that made the database"
    )]
    Changed(String),
    #[error(
        "the database `{0}` holds tables that furka did not make: name an empty database, made with `createdb`"
    )]
    Foreign(String),
    #[error(
        "the database has no table `{0}`, though its migrations were run: restore a backup, or name another database"
    )]
    Incomplete(String),
    #[error(
        "the database has migration `{0}`, which this version does not know: install the newer version that made it, or restore an older backup"
    )]
    Newer(String),
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
    for (at, (name, checksum)) in done.iter().enumerate() {
        match MIGRATIONS.get(at) {
            None => return Err(Refused::Newer(name.clone()).into()),
            Some(known) if known.name != name || sha256(known.sql.as_bytes()) != *checksum => {
                return Err(Refused::Changed(name.clone()).into());
            }
            Some(_) => {}
        }
    }
    let names = MIGRATIONS.iter().skip(done.len());
    Ok(names.map(|migration| migration.name).collect())
}

async fn done(link: &Link, address: &Address) -> Result<Vec<(String, [u8; 32])>, Cause> {
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
pub(super) async fn migrate(tx: &Tx, address: &Address) -> Result<Verdict<()>, Cause> {
    tx.batch(&format!("set local statement_timeout = 0; {ALONE}"))
        .await?;
    if pending(tx, address).await?.is_empty() {
        return Ok(Verdict::Undo(()));
    }
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
            &[
                &migration.name,
                &sha256(migration.sql.as_bytes()).as_slice(),
            ],
        )
        .await?;
        tx.batch(migration.sql).await?;
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
