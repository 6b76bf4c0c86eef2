//! How a database file is opened, and how it becomes the one that this version knows.

use std::{fs::OpenOptions, io::ErrorKind, path::Path, time::Duration};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension, TransactionBehavior, config::DbConfig, params,
};

use super::{Cause, image, upkeep};
use crate::{
    migration::{self, Done, Migration, NEEDED},
    seal::{Keys, Purpose},
};

/// All migrations, in order.
const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001-what-is-remembered",
        sql: include_str!("../../../../migrations/sqlite/0001-what-is-remembered.sql"),
    },
    Migration {
        name: "0002-nodes",
        sql: include_str!("../../../../migrations/sqlite/0002-nodes.sql"),
    },
    Migration {
        name: "0004-refresh-tokens",
        sql: include_str!("../../../../migrations/sqlite/0004-refresh-tokens.sql"),
    },
    Migration {
        name: "0005-participants",
        sql: include_str!("../../../../migrations/sqlite/0005-participants.sql"),
    },
    Migration {
        name: "0006-consents",
        sql: include_str!("../../../../migrations/sqlite/0006-consents.sql"),
    },
    Migration {
        name: "0007-device-codes",
        sql: include_str!("../../../../migrations/sqlite/0007-device-codes.sql"),
    },
    Migration {
        name: "0008-recovery-codes",
        sql: include_str!("../../../../migrations/sqlite/0008-recovery-codes.sql"),
    },
    Migration {
        name: "0009-eras",
        sql: include_str!("../../../../migrations/sqlite/0009-eras.sql"),
    },
    Migration {
        name: "0011-registrations",
        sql: include_str!("../../../../migrations/sqlite/0011-registrations.sql"),
    },
    Migration {
        name: "0012-federations",
        sql: include_str!("../../../../migrations/sqlite/0012-federations.sql"),
    },
    Migration {
        name: "0013-artifacts",
        sql: include_str!("../../../../migrations/sqlite/0013-artifacts.sql"),
    },
];

/// How long a connection waits for another process, such as an import from the command line.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a connection that writes looks whether the other one has ended.
const MOMENT: Duration = Duration::from_millis(1);
/// Pages kept by the writer, in KiB.
pub(super) const WRITER_CACHE_KIB: i64 = 4096;
/// Pages kept by each reader, in KiB: the system keeps them too.
pub(super) const READER_CACHE_KIB: i64 = 256;
/// Small pages: a sign-in writes a few short rows to as many places, and a page is the least that is
/// written.
const PAGE_BYTES: i64 = 1024;
/// How long the log is made.
const WAL_BYTES: i64 = 8 << 20;
/// At this length, what the log holds moves to its place: the later, the more often a page was written that moves
/// once. The rest is for those who read meanwhile, and keep it from beginning again.
const WAL_MOVED_BYTES: i64 = WAL_BYTES / 8 * 7;

/// How much a commit must survive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Durability {
    /// A power cut: each commit is on the disk.
    PowerCut,
    /// The end of the process and no more, for tests in memory.
    Process,
}

/// Why a database is not opened.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(
        "the database was sealed with other keys: name the key file that was in use when it was made"
    )]
    OtherKeys,
}

/// Opens the connection that writes; makes the file, readable by its owner only, if there is none.
pub(super) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, Cause> {
    match create_private(path) {
        Err(cause) if cause.kind() != ErrorKind::AlreadyExists => return Err(cause.into()),
        _ => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    settle(&conn, WRITER_CACHE_KIB)?;
    conn.busy_handler(Some(wait_a_moment))?;
    conn.pragma_update(None, "page_size", PAGE_BYTES)?;
    conn.pragma_update(None, "journal_mode", "wal")?;
    conn.pragma_update(None, "wal_autocheckpoint", WAL_MOVED_BYTES / PAGE_BYTES)?;
    synchronise(&conn, durability, true)?;
    Ok(conn)
}

/// SQLite's own patience looks again ever more rarely, and would miss the gaps that an import in another
/// process leaves.
fn wait_a_moment(times: i32) -> bool {
    std::thread::sleep(MOMENT);
    MOMENT.saturating_mul(times.unsigned_abs()) < PATIENCE
}

/// Says whether commits wait for the disk. One that does takes along all that were made before it,
/// because they stand before it in the same log.
pub(super) fn synchronise(
    conn: &Connection,
    durability: Durability,
    each: bool,
) -> rusqlite::Result<()> {
    let synchronous = match (durability, each) {
        (Durability::PowerCut, true) => "full",
        (Durability::PowerCut, false) => "normal",
        (Durability::Process, _) => "off",
    };
    conn.pragma_update(None, "synchronous", synchronous)
}

/// What holds for every connection.
pub(super) fn settle(conn: &Connection, cache_kib: i64) -> Result<(), Cause> {
    conn.busy_timeout(PATIENCE)?;
    conn.set_prepared_statement_cache_capacity(128);
    // Else a statement is parsed again whenever another value might deserve another plan.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    conn.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// A new and empty file, readable by its owner only.
pub(super) fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The names of the migrations that the database has yet to see.
pub(super) fn pending(conn: &Connection) -> Result<Vec<&'static str>, Cause> {
    image::refuse_half_copied(conn)?;
    unseen(conn)
}

fn unseen(conn: &Connection) -> Result<Vec<&'static str>, Cause> {
    let done = done(conn)?;
    let needed = match done.is_empty() {
        true => None,
        false => needed(conn)?,
    };
    let rest = migration::unseen(MIGRATIONS, &done, needed)?;
    Ok(rest.iter().map(|migration| migration.name).collect())
}

fn needed(conn: &Connection) -> Result<Option<i64>, Cause> {
    let sql = "select number from meta where name = $1";
    Ok(conn.query_row(sql, [NEEDED], |row| row.get(0)).optional()?)
}

/// The migrations that the database has seen, with their checksums.
pub(super) fn done(conn: &Connection) -> Result<Vec<Done>, Cause> {
    let made = "select 1 from sqlite_schema where type = 'table' and name = 'migration'";
    if conn.query_row(made, [], |_| Ok(())).optional()?.is_none() {
        return Ok(vec![]);
    }
    let mut rows = conn.prepare("select name, checksum from migration order by name")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The names of all migrations, in order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(|migration| migration.name)
}

/// Brings the database to this version's schema, all of it or nothing.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), Cause> {
    image::refuse_half_copied(conn)?;
    migrate_first(conn, MIGRATIONS.len())
}

/// Brings an empty database to the schema that the first so many migrations make.
pub(super) fn migrate_first(conn: &mut Connection, number: usize) -> Result<(), Cause> {
    let all = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    all.execute_batch(
        "create table if not exists migration (
             name     text not null primary key,
             checksum blob not null check (length(checksum) = 32)
         ) strict, without rowid",
    )?;
    let unseen = unseen(&all)?;
    let first = MIGRATIONS.iter().take(number);
    for migration in first.filter(|one| unseen.contains(&one.name)) {
        all.execute_batch(migration.sql)?;
        all.execute(
            "insert into migration (name, checksum) values ($1, $2)",
            params![migration.name, migration.checksum()],
        )?;
    }
    if !unseen.is_empty() {
        let made = MIGRATIONS.get(..number).unwrap_or(MIGRATIONS);
        all.execute(
            "insert into meta (name, number) values ($1, $2)
             on conflict (name) do update set number = excluded.number",
            params![NEEDED, migration::needed(made)],
        )?;
    }
    Ok(all.commit()?)
}

/// Refuses a database that other keys sealed: it would seem to work until the first secret is read.
pub(super) fn belongs_to(conn: &Connection, keys: &Keys) -> Result<(), Cause> {
    let probe = "select bytes from meta where name = 'probe'";
    let known: Option<Vec<u8>> = conn.query_row(probe, [], |row| row.get(0)).optional()?;
    match known {
        Some(sealed) => match keys.open(Purpose::Probe, b"", &sealed) {
            Ok(_) => Ok(()),
            Err(_) => Err(Refused::OtherKeys.into()),
        },
        None => {
            conn.execute(
                "insert into meta (name, bytes) values ('probe', $1)",
                [keys.seal(Purpose::Probe, b"", b"")],
            )?;
            Ok(())
        }
    }
}

/// Refuses a database that cannot be written, before anybody relies on it; waits for no disk.
pub(super) fn refuse_read_only(conn: &Connection) -> Result<(), Cause> {
    conn.execute_batch("begin immediate")?;
    let written = upkeep::prove_writable(conn);
    conn.execute_batch("rollback")?;
    written
}

/// Grows the write-ahead log once. A sync that changes a file's size waits for the file system's
/// journal, which makes commits many times slower; so the size changes here.
pub(super) fn grow_log(conn: &Connection) -> Result<(), Cause> {
    if log_bytes(conn) >= WAL_BYTES.unsigned_abs() {
        return Ok(());
    }
    // What does not fit into the cache spills into the log, and stays nothing: it is rolled back.
    conn.execute_batch("begin immediate; create table log_grower (bytes blob)")?;
    let grown = conn.execute(
        "insert into log_grower (bytes) values (zeroblob($1))",
        [WAL_BYTES + (WRITER_CACHE_KIB << 10)],
    );
    conn.execute_batch("rollback")?;
    grown?;
    upkeep::prove_writable(conn)
}

/// How long the write-ahead log is: a process that was killed leaves it at its full length.
fn log_bytes(conn: &Connection) -> u64 {
    let log = conn.path().map(|path| format!("{path}-wal"));
    let found = log.and_then(|log| std::fs::metadata(log).ok());
    found.map_or(0, |found| found.len())
}

#[cfg(test)]
pub(super) mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    fn fresh(dir: &tempfile::TempDir) -> Connection {
        let path = dir.path().join("furka.db");
        let mut conn = open_writer(&path, Durability::PowerCut).unwrap();
        migrate(&mut conn).unwrap();
        conn
    }

    fn pragma(conn: &Connection, name: &str) -> String {
        let value =
            conn.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        format!("{:?}", value.unwrap())
    }

    /// [P03] A commit is on the disk before anybody hears of it: `synchronous` is `FULL`.
    #[test]
    fn the_writer_syncs_every_commit() {
        let dir = tempfile::tempdir().unwrap();
        let conn = fresh(&dir);
        assert_eq!(pragma(&conn, "synchronous"), "Integer(2)");
        assert_eq!(pragma(&conn, "journal_mode"), "Text(\"wal\")");
        assert_eq!(pragma(&conn, "foreign_keys"), "Integer(1)");
        assert_eq!(pragma(&conn, "trusted_schema"), "Integer(0)");
    }

    #[test]
    fn a_statement_is_parsed_once_whatever_it_is_asked() {
        let dir = tempfile::tempdir().unwrap();
        let conn = fresh(&dir);
        let sql = "select 1 from name where person = $1 and alias = 1";
        for number in 0..3 {
            let mut statement = conn.prepare_cached(sql).unwrap();
            assert!(!statement.exists([[number; 16]]).unwrap());
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        }
    }

    #[test]
    fn the_log_has_its_size_before_the_first_request() {
        let dir = tempfile::tempdir().unwrap();
        let conn = fresh(&dir);
        grow_log(&conn).unwrap();
        let len = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().len();
        assert!(len("furka.db-wal") >= WAL_BYTES.unsigned_abs());
        assert!(len("furka.db") < 1 << 20);
    }

    #[test]
    fn the_log_keeps_its_size_however_much_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let conn = fresh(&dir);
        synchronise(&conn, Durability::PowerCut, false).unwrap();
        grow_log(&conn).unwrap();
        let grown = log_bytes(&conn);
        conn.execute_batch("create table many (bytes blob)")
            .unwrap();
        for _ in 0..3 * WAL_BYTES / (64 << 10) {
            let sql = "insert into many (bytes) values (zeroblob(65536))";
            conn.execute(sql, []).unwrap();
        }
        assert_eq!(log_bytes(&conn), grown);
    }

    #[test]
    fn a_migration_runs_once_and_none_is_pending_after() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = open_writer(&dir.path().join("furka.db"), Durability::Process).unwrap();
        assert_eq!(pending(&conn).unwrap().len(), MIGRATIONS.len());
        migrate(&mut conn).unwrap();
        migrate(&mut conn).unwrap();
        assert!(pending(&conn).unwrap().is_empty());
    }

    #[test]
    fn a_newer_database_is_refused_with_the_cure() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = fresh(&dir);
        let newer = "insert into migration (name, checksum) values ('9999-later', zeroblob(32))";
        conn.execute(newer, []).unwrap();
        conn.execute("update meta set number = 99 where name = 'needed'", [])
            .unwrap();
        let refused = migrate(&mut conn).unwrap_err().to_string();
        assert!(
            refused.contains("`9999-later`") && refused.contains("install the newer version"),
            "{refused}"
        );
    }

    #[test]
    fn a_newer_database_that_only_has_more_is_served() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = fresh(&dir);
        let newer = "insert into migration (name, checksum) values ('9999-later', zeroblob(32))";
        conn.execute(newer, []).unwrap();
        assert!(pending(&conn).unwrap().is_empty());
        migrate(&mut conn).unwrap();
        let still = conn.query_row("select number from meta where name = 'needed'", [], |row| {
            row.get::<_, i64>(0)
        });
        assert_eq!(still.unwrap(), migration::needed(MIGRATIONS));
    }

    #[test]
    fn a_migration_that_was_changed_afterwards_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = fresh(&dir);
        conn.execute("update migration set checksum = zeroblob(32)", [])
            .unwrap();
        assert!(
            migrate(&mut conn)
                .unwrap_err()
                .to_string()
                .contains("differs")
        );
    }

    #[test]
    fn a_database_of_other_keys_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let conn = fresh(&dir);
        let ours = Keys::from_master(&[1; 32]);
        belongs_to(&conn, &ours).unwrap();
        belongs_to(&conn, &Keys::from_master(&[1; 32]).and_newer(&[2; 32])).unwrap();
        let refused = belongs_to(&conn, &Keys::from_master(&[2; 32])).unwrap_err();
        assert!(refused.to_string().contains("key file"), "{refused}");
    }

    /// [O07] Nobody but the owner of the process reads the file.
    #[cfg(unix)]
    #[test]
    fn the_file_is_readable_by_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let _conn = fresh(&dir);
        assert_private(&dir.path().join("furka.db"));
        assert_private(&dir.path().join("furka.db-wal"));
    }

    #[cfg(unix)]
    pub(in crate::sqlite) fn assert_private(path: &Path) {
        let mode = std::fs::metadata(path).unwrap().permissions();
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode);
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}
