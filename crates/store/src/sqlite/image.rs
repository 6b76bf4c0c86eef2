//! The whole file as an image sees it, see [`crate::image`]: tables as SQLite's own catalogue tells them,
//! rows of one read transaction, and a file that becomes a database.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, ToSql,
    config::DbConfig,
    params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::{Cause, restored, schema, schema::Durability};
use crate::{
    Result, StoreError,
    image::{
        BATCH_ROWS_MAX, Batch, Column, Description, Engine, Kind, Receiver, Refused, Restoring,
        Row, Rows, Table, Value, Void,
        catalogue::{Found, MARK, in_order, known, name, names, refuse_other_tables},
    },
    seal::Keys,
};

/// What stays where it is: which migrations the engine saw, which nodes serve it, and that it is half
/// copied.
const OURS: [&str; 3] = ["migration", "node", MARK];

const READING: &str = "reading the whole database";
const WRITING: &str = "writing the whole database";

fn reading(source: Cause) -> StoreError {
    StoreError {
        doing: READING,
        source,
    }
}

fn writing(source: Cause) -> StoreError {
    StoreError {
        doing: WRITING,
        source,
    }
}

/// A database file, to be read or written as a whole. Its methods wait for the disk.
pub struct Whole {
    keys: Arc<Keys>,
    path: PathBuf,
}

impl Whole {
    /// The file at this path, of an installation with these keys; there need not be one yet.
    #[must_use]
    pub fn at(path: &Path, keys: Arc<Keys>) -> Self {
        Self {
            keys,
            path: path.to_owned(),
        }
    }
}

impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Whole({})", self.path.display())
    }
}

#[async_trait]
impl Engine for Whole {
    async fn snapshot(&self) -> Result<Box<dyn Rows>> {
        let open = || {
            let conn = read_only(&self.path)?;
            // The first statement that reads fixes the moment.
            conn.execute_batch("begin")?;
            schema::pending(&conn)?;
            schema::belongs_to(&conn, &self.keys)?;
            let (description, walk) = describe(&conn)?;
            Ok(Snapshot {
                conn,
                description,
                walk,
            })
        };
        Ok(Box::new(open().map_err(reading)?))
    }

    async fn receive(&self, description: &Description) -> Result<Box<dyn Receiver>> {
        let receiver = Receiving::begin(&self.path, self.keys.clone(), description);
        Ok(Box::new(receiver.map_err(writing)?))
    }
}

fn read_only(path: &Path) -> Result<Connection, Cause> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    schema::settle(&conn, schema::READER_CACHE_KIB)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// Refuses a database that holds something other than what an attempt that broke off left.
fn refuse_not_empty(conn: &Connection) -> Result<(), Cause> {
    let is_empty = !conn.prepare("select 1 from sqlite_schema")?.exists([])?;
    match is_empty || is_half_copied(conn)? {
        true => Ok(()),
        false => Err(Refused::NotEmpty.into()),
    }
}

/// Refuses a database into which an image was not copied to its end.
pub(super) fn refuse_half_copied(conn: &Connection) -> Result<(), Cause> {
    match is_half_copied(conn)? {
        true => Err(Refused::HalfCopied.into()),
        false => Ok(()),
    }
}

fn is_half_copied(conn: &Connection) -> Result<bool, Cause> {
    let mark = "select 1 from sqlite_schema where type = 'table' and name = $1";
    Ok(conn.prepare(mark)?.exists([MARK])?)
}

/// All rows as of one moment.
struct Snapshot {
    conn: Connection,
    description: Description,
    walk: Walk,
}

#[async_trait]
impl Rows for Snapshot {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        let next = self.walk.next(&self.conn, &self.description);
        next.map_err(reading)
    }
}

/// How far a walk through all rows is.
#[derive(Default)]
struct Walk {
    /// The key of the last row; none at the beginning of a table.
    after: Option<Row>,
    table: usize,
    /// Which rows of which table are there for anybody; of those that are not named, all.
    there: HashMap<String, String>,
}

impl Walk {
    fn next(&mut self, conn: &Connection, of: &Description) -> Result<Option<Batch>, Cause> {
        while let Some(table) = of.tables.get(self.table) {
            let rows = self.rows(conn, table)?;
            match rows.last() {
                None => {
                    self.after = None;
                    self.table = self.table.saturating_add(1);
                }
                Some(last) => {
                    self.after = Some(key_of(table, last));
                    let table = self.table;
                    return Ok(Some(Batch { rows, table }));
                }
            }
        }
        Ok(None)
    }

    fn rows(&self, conn: &Connection, table: &Table) -> Result<Vec<Row>, Cause> {
        let key = names(&table.key);
        let columns: Vec<_> = table.columns.iter().map(|column| &column.name).collect();
        let there = self.there.get(&table.name).map_or("true", String::as_str);
        let behind = match &self.after {
            Some(after) => format!("and ({key}) > ({})", marks(after.len())),
            None => String::new(),
        };
        let mut find = conn.prepare_cached(&format!(
            "select {} from {} where {there} {behind} order by {key} limit {BATCH_ROWS_MAX}",
            names(&columns),
            name(&table.name),
        ))?;
        let mut rows = find.query(params_from_iter(self.after.iter().flatten()))?;
        let mut batch = vec![];
        while let Some(row) = rows.next()? {
            let values = (0..columns.len()).map(|at| value(row.get_ref(at)?));
            batch.push(values.collect::<Result<Row, Cause>>()?);
        }
        Ok(batch)
    }
}

fn key_of(table: &Table, row: &Row) -> Row {
    let of = |key: &String| {
        let column = table.columns.iter().position(|column| column.name == *key);
        column.and_then(|at| row.get(at)).cloned()
    };
    table.key.iter().filter_map(of).collect()
}

fn value(value: ValueRef<'_>) -> Result<Value, Cause> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text)?.to_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(Refused::Unreadable("a number with a fraction").into()),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn marks(number: usize) -> String {
    vec!["?"; number].join(", ")
}

/// What is in the database, as its catalogue tells, and a walk through it.
fn describe(conn: &Connection) -> Result<(Description, Walk), Cause> {
    let arriving = "select number from meta where name = 'arriving'";
    let arriving: Option<i64> = conn.query_row(arriving, [], |row| row.get(0)).optional()?;
    let (mut found, mut walk) = (vec![], Walk::default());
    for name in tables_of(conn)? {
        let references = references(conn, &name)?;
        let there = there(&name, &references, arriving);
        let table = table(conn, name, &there)?;
        walk.there.insert(table.name.clone(), there);
        let refers_to = references.into_iter().map(|one| one.table).collect();
        found.push(Found { refers_to, table });
    }
    let migrations = schema::done(conn)?.into_iter().map(|(name, _)| name);
    let description = Description {
        migrations: migrations.collect(),
        tables: in_order(found)?,
    };
    Ok((description, walk))
}

/// Which rows of a table are there: whoever an import brings is not before it ends, and neither is what
/// refers to them, see [`super::import`].
fn there(table: &str, references: &[Reference], arriving: Option<i64>) -> String {
    let Some(arriving) = arriving else {
        return "true".to_owned();
    };
    match table {
        "meta" => "name <> 'arriving'".to_owned(),
        "person" => format!("rowid <= {arriving}"),
        _ => {
            let to_person = references.iter().filter(|one| one.table == "person");
            let is_there = to_person.map(|one| {
                let column = name(&one.column);
                format!(
                    "({column} is null
                      or {column} not in (select id from person where rowid > {arriving}))"
                )
            });
            std::iter::once("true".to_owned())
                .chain(is_there)
                .collect::<Vec<_>>()
                .join(" and ")
        }
    }
}

fn tables_of(conn: &Connection) -> Result<Vec<String>, Cause> {
    let mut find = conn.prepare(
        "select name from sqlite_schema
         where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name",
    )?;
    let names = find.query_map([], |row| row.get(0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    let facts = |name: &String| !OURS.contains(&name.as_str());
    Ok(names.into_iter().filter(facts).collect())
}

fn table(conn: &Connection, table: String, there: &str) -> Result<Table, Cause> {
    let mut find =
        conn.prepare("select name, type, pk from pragma_table_info($1) order by name")?;
    let mut rows = find.query([&table])?;
    let (mut columns, mut key) = (vec![], vec![]);
    while let Some(row) = rows.next()? {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        let place: u32 = row.get(2)?;
        if place > 0 {
            key.push((place, name.clone()));
        }
        let kind = match declared.to_ascii_lowercase().as_str() {
            "blob" => Kind::Bytes,
            "integer" => Kind::Integer,
            "text" => Kind::Text,
            _ => return Err(Refused::Unreadable("a column of an unknown type").into()),
        };
        columns.push(Column { kind, name });
    }
    if key.is_empty() {
        return Err(Refused::Unreadable("a table without a primary key").into());
    }
    key.sort();
    let count = format!("select count(*) from {} where {there}", name(&table));
    let rows: i64 = conn.query_row(&count, [], |row| row.get(0))?;
    Ok(Table {
        columns,
        key: key.into_iter().map(|(_, name)| name).collect(),
        name: table,
        rows: u64::try_from(rows)?,
    })
}

/// A column that refers to a table.
struct Reference {
    column: String,
    table: String,
}

fn references(conn: &Connection, table: &str) -> Result<Vec<Reference>, Cause> {
    let mut find = conn.prepare("select \"from\", \"table\" from pragma_foreign_key_list($1)")?;
    let references = find.query_map([table], |row| {
        Ok(Reference {
            column: row.get(0)?,
            table: row.get(1)?,
        })
    })?;
    Ok(references.collect::<Result<_, _>>()?)
}

/// A file that becomes a database. Whoever opens it meanwhile finds it locked; if this ends before its
/// time, they find the mark.
struct Receiving {
    conn: Connection,
    description: Description,
    keys: Arc<Keys>,
}

impl Receiving {
    fn begin(path: &Path, keys: Arc<Keys>, description: &Description) -> Result<Self, Cause> {
        let migrations = known(description, schema::names())?;
        if path.exists() {
            // Looked at before anything of it is touched.
            refuse_not_empty(&read_only(path)?)?;
        }
        let mut conn = schema::open_writer(path, Durability::PowerCut)?;
        conn.pragma_update(None, "locking_mode", "exclusive")?;
        conn.execute_batch("begin exclusive")?;
        refuse_not_empty(&conn)?;
        conn.execute_batch("commit")?;
        empty(&conn)?;
        let mark = format!("create table {MARK} (mark integer primary key) strict");
        conn.execute_batch(&mark)?;
        schema::migrate_first(&mut conn, migrations)?;
        let (ours, _) = describe(&conn)?;
        refuse_other_tables(&ours, description)?;
        for table in ours.tables.iter().rev().filter(|table| table.rows > 0) {
            conn.execute_batch(&format!("delete from {}", name(&table.name)))?;
        }
        // The last commit waits for the disk, and all before it with that.
        schema::synchronise(&conn, Durability::PowerCut, false)?;
        Ok(Self {
            conn,
            description: description.clone(),
            keys,
        })
    }

    fn insert_all(&mut self, batch: &Batch) -> Result<(), Cause> {
        let table = self.description.tables.get(batch.table);
        let table = table.ok_or(Refused::Unreadable("a table nobody described"))?;
        let columns: Vec<_> = table.columns.iter().map(|column| &column.name).collect();
        let sql = format!(
            "insert into {} ({}) values ({})",
            name(&table.name),
            names(&columns),
            marks(columns.len()),
        );
        let all = self.conn.transaction()?;
        {
            let mut insert = all.prepare_cached(&sql)?;
            for row in &batch.rows {
                insert.execute(params_from_iter(row))?;
            }
        }
        Ok(all.commit()?)
    }

    fn end(&mut self, restoring: Option<&Restoring>) -> Result<Void, Cause> {
        schema::migrate_first(&mut self.conn, usize::MAX)?;
        schema::belongs_to(&self.conn, &self.keys)?;
        schema::synchronise(&self.conn, Durability::PowerCut, true)?;
        let all = self.conn.transaction()?;
        let void = match restoring {
            Some(restoring) => restored::make_void(&all, &self.keys, restoring)?,
            None => Void::default(),
        };
        all.execute_batch(&format!("drop table {MARK}"))?;
        all.commit()?;
        // All of it is durable; a log that is as large as the database is only not nice.
        if let Err(error) = self.conn.execute_batch("pragma wal_checkpoint(truncate)") {
            tracing::warn!(%error, "emptying the write-ahead log");
        }
        Ok(void)
    }
}

#[async_trait]
impl Receiver for Receiving {
    async fn insert(&mut self, batch: &Batch) -> Result<()> {
        self.insert_all(batch).map_err(writing)
    }

    fn read_back(&mut self) -> Box<dyn Rows + '_> {
        Box::new(ReadBack {
            receiving: self,
            walk: Walk::default(),
        })
    }

    async fn finish(&mut self, restoring: Option<&Restoring>) -> Result<Void> {
        self.end(restoring).map_err(writing)
    }
}

struct ReadBack<'a> {
    receiving: &'a mut Receiving,
    walk: Walk,
}

#[async_trait]
impl Rows for ReadBack<'_> {
    fn description(&self) -> &Description {
        &self.receiving.description
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        let Receiving {
            conn, description, ..
        } = &mut *self.receiving;
        self.walk.next(conn, description).map_err(reading)
    }
}

/// Removes everything from a database that an earlier attempt left.
fn empty(conn: &Connection) -> Result<(), Cause> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
    let emptied = conn.execute_batch("vacuum");
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)?;
    Ok(emptied?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{image, sqlite::Sqlite};

    /// A backup that an earlier version made becomes a database of this version, by the migrations that
    /// came since.
    #[tokio::test]
    async fn an_image_of_any_earlier_schema_becomes_one_of_this() {
        let keys = Arc::new(Keys::from_master(&[7; 32]));
        for number in 1..=schema::names().count() {
            let dir = tempfile::tempdir().unwrap();
            let [old, new] = ["old.db", "new.db"].map(|name| dir.path().join(name));
            let mut conn = schema::open_writer(&old, Durability::Process).unwrap();
            schema::migrate_first(&mut conn, number).unwrap();
            schema::belongs_to(&conn, &keys).unwrap();
            drop(conn);
            let [from, to] = [&old, &new].map(|path| Whole::at(path, keys.clone()));
            image::copy(&from, &to, &|_| {}).await.unwrap();
            assert!(Sqlite::migrate_plan(&new).unwrap().is_empty());
            Sqlite::open(&new, keys.clone()).unwrap();
        }
    }
}
