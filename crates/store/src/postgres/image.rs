//! The whole database as an image sees it, see [`crate::image`]: tables as PostgreSQL's own catalogue tells
//! them, rows of one repeatable read, and a database that takes them in.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Object, PoolError};
use tokio_postgres::{Client, types::ToSql};

use super::{Address, Attempts, Cause, Postgres, link::Link, opening, restored, schema};
use crate::{
    Result, StoreError,
    image::{
        BATCH_ROWS_MAX, Batch, Column, Description, Engine, Kind, Receiver, Refused, Restoring,
        Row, Rows, Table, Value, Void,
        catalogue::{Found, MARK, in_order, known, name, names, refuse_other_tables},
    },
    seal::{Keys, Purpose},
};

/// What stays where it is: the ends of the audit's strands, which migrations the engine saw, which nodes
/// serve it, and that it is half copied.
const OURS: [&str; 4] = ["audit_strand", "migration", "node", MARK];

const READING: &str = "reading the whole database";
const WRITING: &str = "writing the whole database";

/// What takes long may take long, and whoever reads may think between two pages.
const PATIENT: &str =
    "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set lock_timeout = 0";
/// The lock of whoever writes a whole database.
const LOCK: i64 = 440_213_037_666;

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

/// Somebody else is at it.
#[derive(Debug, thiserror::Error)]
#[error("another `furka restore` or `furka store copy` writes to this database")]
struct Busy;

/// A database, to be read or written as a whole.
pub struct Whole {
    store: Arc<Postgres>,
}

impl Whole {
    /// The database at this address, of an installation with these keys; connects to nothing yet.
    ///
    /// # Errors
    /// If something that the address names cannot be read, such as the file with the password.
    pub fn at(address: &Address, keys: Arc<Keys>) -> Result<Self> {
        let store = Postgres::connect(address, keys)?;
        Ok(Self {
            store: Arc::new(store),
        })
    }
}

impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Whole")
    }
}

impl Postgres {
    async fn lent(&self) -> Result<Object, Cause> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error.into(),
            other => other.into(),
        })
    }

    /// A connection of one's own, on which nothing is hurried.
    async fn patient(&self) -> Result<ClientWrapper, Cause> {
        let conn = Object::take(self.lent().await?);
        conn.batch_execute(PATIENT).await?;
        Ok(conn)
    }

    async fn snapshot(&self) -> Result<Snapshot, Cause> {
        let link = Link::of(self.lent().await?);
        schema::refuse_old_server(&link).await?;
        schema::pending(&link, &self.address).await?;
        let conn = self.patient().await?;
        conn.batch_execute("begin isolation level repeatable read, read only")
            .await?;
        self.belongs_to(&conn).await?;
        Ok(Snapshot {
            description: describe(&conn).await?,
            conn,
            walk: Walk::default(),
        })
    }

    async fn belongs_to(&self, conn: &Client) -> Result<(), Cause> {
        let probe = "select bytes from meta where name = 'probe'";
        let found = conn.query_opt(probe, &[]).await?;
        let sealed: Option<Vec<u8>> = found.map(|row| row.try_get(0)).transpose()?;
        let opens = |sealed: Vec<u8>| self.keys.open(Purpose::Probe, b"", &sealed).is_ok();
        match sealed.is_some_and(opens) {
            true => Ok(()),
            false => Err(schema::Refused::OtherKeys.into()),
        }
    }

    /// Empties what an earlier attempt left, marks, and makes the tables of an image.
    async fn receive(&self, image: &Description) -> Result<ClientWrapper, Cause> {
        let migrations = known(image, schema::names())?;
        schema::refuse_old_server(&Link::of(self.lent().await?)).await?;
        let conn = self.patient().await?;
        let locked = "select pg_try_advisory_lock($1)";
        if !conn.query_one(locked, &[&LOCK]).await?.try_get(0)? {
            return Err(Busy.into());
        }
        // Together, so that nobody finds the database empty meanwhile and moves in.
        conn.batch_execute(&format!("begin; {}", schema::ALONE))
            .await?;
        let left = tables_of(&conn).await?;
        if !left.is_empty() && !is_half_copied(&conn).await? {
            return Err(Refused::NotEmpty.into());
        }
        let drop = left
            .iter()
            .map(|table| format!("drop table {} cascade;", name(table)));
        let drop: String = drop.collect();
        let mark = format!("{drop} create table {MARK} (mark bigint primary key); commit");
        conn.batch_execute(&mark).await?;
        let mut attempts = Attempts::at(self, WRITING);
        let tx = attempts
            .begin_long()
            .await
            .map_err(|failed| failed.source)?;
        schema::migrate_first(&tx, &self.address, migrations).await?;
        tx.commit().await?;
        let ours = describe(&conn).await?;
        refuse_other_tables(&ours, image)?;
        for table in ours.tables.iter().rev().filter(|table| table.rows > 0) {
            conn.batch_execute(&format!("delete from {}", name(&table.name)))
                .await?;
        }
        // The last commit waits for the disk, and all before it with that.
        conn.batch_execute("set synchronous_commit = off").await?;
        Ok(conn)
    }

    /// Everything is there, and belongs together.
    async fn finish(&self, conn: &Client, restoring: Option<&Restoring>) -> Result<Void, Cause> {
        let mut attempts = Attempts::at(self, WRITING);
        let tx = attempts
            .begin_long()
            .await
            .map_err(|failed| failed.source)?;
        schema::migrate_first(&tx, &self.address, usize::MAX).await?;
        tx.commit().await?;
        count_on(conn).await?;
        conn.batch_execute("analyze").await?;
        self.belongs_to(conn).await?;
        let tx = attempts
            .begin_long()
            .await
            .map_err(|failed| failed.source)?;
        tx.batch("set local statement_timeout = 0").await?;
        let void = match restoring {
            Some(restoring) => restored::make_void(&tx, &self.keys, restoring).await?,
            None => Void::default(),
        };
        tx.batch(&format!("drop table {MARK}")).await?;
        tx.commit().await?;
        Ok(void)
    }
}

#[async_trait]
impl Engine for Whole {
    async fn snapshot(&self) -> Result<Box<dyn Rows>> {
        let explain = |cause| reading(opening::explain(&self.store.address, cause));
        let snapshot = self.store.snapshot().await;
        Ok(Box::new(snapshot.map_err(explain)?))
    }

    async fn receive(&self, description: &Description) -> Result<Box<dyn Receiver>> {
        let explain = |cause| writing(opening::explain(&self.store.address, cause));
        let conn = self.store.receive(description).await.map_err(explain)?;
        Ok(Box::new(Receiving {
            conn,
            description: description.clone(),
            store: Arc::clone(&self.store),
        }))
    }
}

/// Refuses a database into which an image was not copied to its end.
pub(super) async fn refuse_half_copied(link: &Link) -> Result<(), Cause> {
    let mark = "select 1 where to_regclass($1) is not null";
    match link.exists(mark, &[&MARK]).await? {
        true => Err(Refused::HalfCopied.into()),
        false => Ok(()),
    }
}

async fn is_half_copied(conn: &Client) -> Result<bool, Cause> {
    let mark = "select to_regclass($1) is not null";
    Ok(conn.query_one(mark, &[&MARK]).await?.try_get(0)?)
}

/// All rows as of one moment.
struct Snapshot {
    conn: ClientWrapper,
    description: Description,
    walk: Walk,
}

#[async_trait]
impl Rows for Snapshot {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        let next = self.walk.next(&self.conn, &self.description).await;
        next.map_err(reading)
    }
}

/// How far a walk through all rows is; it needs a transaction.
#[derive(Default)]
struct Walk {
    /// Whether there is a cursor on the table.
    is_open: bool,
    table: usize,
}

impl Walk {
    async fn next(&mut self, conn: &Client, of: &Description) -> Result<Option<Batch>, Cause> {
        let fetch = format!("fetch {BATCH_ROWS_MAX} from walk");
        while let Some(table) = of.tables.get(self.table) {
            if !self.is_open {
                conn.batch_execute(&declare(table)).await?;
                self.is_open = true;
            }
            let found = conn.query(&fetch, &[]).await?;
            if found.is_empty() {
                conn.batch_execute("close walk").await?;
                self.is_open = false;
                self.table = self.table.saturating_add(1);
                continue;
            }
            let rows = found.iter().map(|row| values(row, table));
            return Ok(Some(Batch {
                rows: rows.collect::<Result<_, _>>()?,
                table: self.table,
            }));
        }
        Ok(None)
    }
}

/// A cursor over a table in the order of its key, in which texts compare byte by byte.
fn declare(table: &Table) -> String {
    let is_text = |key: &String| {
        let mut columns = table.columns.iter();
        columns.any(|column| column.name == *key && column.kind == Kind::Text)
    };
    let key = table.key.iter().map(|key| match is_text(key) {
        true => format!("{} collate \"C\"", name(key)),
        false => name(key),
    });
    let key: Vec<_> = key.collect();
    format!(
        "declare walk no scroll cursor for select {} from {} order by {}",
        names(table.columns.iter().map(|column| &column.name)),
        name(&table.name),
        key.join(", ")
    )
}

fn values(row: &tokio_postgres::Row, table: &Table) -> Result<Row, Cause> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (at, column) in table.columns.iter().enumerate() {
        let value = match column.kind {
            Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes),
            Kind::Integer => row.try_get::<_, Option<i64>>(at)?.map(Value::Integer),
            Kind::Text => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
        };
        values.push(value.unwrap_or(Value::Null));
    }
    Ok(values)
}

/// What is in the database, as its catalogue tells.
async fn describe(conn: &Client) -> Result<Description, Cause> {
    let mut found = vec![];
    for table in tables_of(conn).await? {
        if !OURS.contains(&table.as_str()) {
            found.push(Found {
                refers_to: list(conn, REFERS_TO, &table).await?,
                table: describe_table(conn, table).await?,
            });
        }
    }
    let migrations = "select name from migration order by name";
    let migrations = conn.query(migrations, &[]).await?;
    let migrations = migrations.iter().map(|row| row.try_get(0));
    Ok(Description {
        migrations: migrations.collect::<Result<_, _>>()?,
        tables: in_order(found)?,
    })
}

/// The tables in the schema in which ours are made.
async fn tables_of(conn: &Client) -> Result<Vec<String>, Cause> {
    let tables = "select table_name::text from information_schema.tables
         where table_schema = current_schema() and table_type = 'BASE TABLE'
         order by table_name::text collate \"C\"";
    let tables = conn.query(tables, &[]).await?;
    Ok(tables
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?)
}

const KEY: &str = "select used.column_name::text
     from information_schema.table_constraints found
     join information_schema.key_column_usage used
         using (constraint_schema, constraint_name, table_name)
     where constraint_type = 'PRIMARY KEY' and constraint_schema = current_schema()
         and table_name = $1::text
     order by ordinal_position";
const REFERS_TO: &str = "select to_table.relname::text
     from pg_constraint found join pg_class to_table on to_table.oid = found.confrelid
     where found.contype = 'f' and found.conrelid = to_regclass(quote_ident($1::text))";

async fn list(conn: &Client, sql: &str, table: &str) -> Result<Vec<String>, Cause> {
    let found = conn.query(sql, &[&table]).await?;
    Ok(found
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?)
}

async fn describe_table(conn: &Client, table: String) -> Result<Table, Cause> {
    let found = conn
        .query(
            "select column_name::text, data_type::text from information_schema.columns
             where table_schema = current_schema() and table_name = $1::text
             order by column_name::text collate \"C\"",
            &[&table],
        )
        .await?;
    let mut columns = vec![];
    for row in &found {
        let kind = match row.try_get(1)? {
            "bigint" => Kind::Integer,
            "bytea" => Kind::Bytes,
            "text" => Kind::Text,
            _ => return Err(Refused::Unreadable("a column of an unknown type").into()),
        };
        columns.push(Column {
            kind,
            name: row.try_get(0)?,
        });
    }
    let key = list(conn, KEY, &table).await?;
    if key.is_empty() {
        return Err(Refused::Unreadable("a table without a primary key").into());
    }
    let count = format!("select count(*) from {}", name(&table));
    let rows: i64 = conn.query_one(&count, &[]).await?.try_get(0)?;
    Ok(Table {
        columns,
        key,
        name: table,
        rows: u64::try_from(rows)?,
    })
}

/// Lets the numbers that the engine gives go on behind those that came.
async fn count_on(conn: &Client) -> Result<(), Cause> {
    let given = "select table_name::text, column_name::text from information_schema.columns
         where table_schema = current_schema() and is_identity = 'YES'";
    for row in conn.query(given, &[]).await? {
        let (table, column): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let set = format!(
            "select setval(pg_get_serial_sequence(quote_ident($1::text), $2::text), max({}))
             from {}",
            name(column),
            name(table)
        );
        conn.execute(&set, &[&table, &column]).await?;
    }
    Ok(())
}

/// A database that takes an image in. If this ends before its time, whoever opens it finds the mark.
struct Receiving {
    conn: ClientWrapper,
    description: Description,
    store: Arc<Postgres>,
}

impl Receiving {
    async fn insert_all(&self, batch: &Batch) -> Result<(), Cause> {
        let table = self.description.tables.get(batch.table);
        let table = table.ok_or(Refused::Unreadable("a table nobody described"))?;
        let arrays = table.columns.iter().zip(1..).map(|(column, at)| {
            let kind = match column.kind {
                Kind::Bytes => "bytea",
                Kind::Integer => "bigint",
                Kind::Text => "text",
            };
            format!("${at}::{kind}[]")
        });
        let arrays: Vec<_> = arrays.collect();
        let sql = format!(
            "insert into {} ({}) select * from unnest({})",
            name(&table.name),
            names(table.columns.iter().map(|column| &column.name)),
            arrays.join(", ")
        );
        let columns = table.columns.iter().enumerate();
        let columns = columns.map(|(at, column)| array(&batch.rows, at, column.kind));
        let columns: Vec<_> = columns.collect::<Result<_, _>>()?;
        let params = columns
            .iter()
            .map(|column| &**column as &(dyn ToSql + Sync));
        let params: Vec<_> = params.collect();
        self.conn.execute(&sql, &params).await?;
        Ok(())
    }
}

type Array<'a> = Box<dyn ToSql + Send + Sync + 'a>;

/// One column of some rows.
fn array(rows: &[Row], at: usize, kind: Kind) -> Result<Array<'_>, Refused> {
    fn all<'a, T>(
        rows: &'a [Row],
        at: usize,
        of: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Vec<Option<T>>, Refused> {
        let one = |row: &'a Row| match row.get(at) {
            Some(Value::Null) => Ok(None),
            Some(value) => of(value).map(Some).ok_or(()),
            None => Err(()),
        };
        let all = rows.iter().map(one).collect::<Result<_, _>>();
        all.map_err(|()| Refused::Unreadable("a value of another kind than its column"))
    }
    Ok(match kind {
        Kind::Bytes => Box::new(all(rows, at, |value| match value {
            Value::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        })?),
        Kind::Integer => Box::new(all(rows, at, |value| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        })?),
        Kind::Text => Box::new(all(rows, at, |value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })?),
    })
}

#[async_trait]
impl Receiver for Receiving {
    async fn insert(&mut self, batch: &Batch) -> Result<()> {
        self.insert_all(batch).await.map_err(writing)
    }

    fn read_back(&mut self) -> Box<dyn Rows + '_> {
        Box::new(ReadBack {
            has_begun: false,
            receiving: self,
            walk: Walk::default(),
        })
    }

    async fn finish(&mut self, restoring: Option<&Restoring>) -> Result<Void> {
        let finished = self.store.finish(&self.conn, restoring).await;
        finished.map_err(writing)
    }
}

struct ReadBack<'a> {
    has_begun: bool,
    receiving: &'a mut Receiving,
    walk: Walk,
}

impl ReadBack<'_> {
    async fn go_on(&mut self) -> Result<Option<Batch>, Cause> {
        let Receiving {
            conn, description, ..
        } = &*self.receiving;
        if !self.has_begun {
            conn.batch_execute("begin isolation level repeatable read, read only")
                .await?;
            self.has_begun = true;
        }
        let next = self.walk.next(conn, description).await?;
        if next.is_none() {
            conn.batch_execute("commit").await?;
        }
        Ok(next)
    }
}

#[async_trait]
impl Rows for ReadBack<'_> {
    fn description(&self) -> &Description {
        &self.receiving.description
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        self.go_on().await.map_err(reading)
    }
}
