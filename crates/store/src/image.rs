//! The whole database as a stream of rows, as of one moment: what a backup holds, and what moves when an
//! installation outgrows its engine.
//!
//! An [`Engine`] tells its tables from its own catalogue, so that nothing here knows a column and
//! nothing here changes when a table does. On it stand [`backup`], [`restore`] and [`copy`]. What is
//! read is summed up table by table, in the order of the keys; what was written is read back and must
//! have the same sums. `docs/decisions/0015-one-image-for-backup-and-copy.md` says why.
//!
//! Deliberately absent: SQL, and what a restore makes void, which both are the engines'.

pub(crate) mod catalogue;
mod chunks;
pub(crate) mod factor;
mod file;
mod row;

use std::{io::BufRead, path::Path};

use async_trait::async_trait;
use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use journey::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::row::{Row, Value};
use crate::{By, Result, StoreError, seal::Keys};

/// Most rows of a [`Batch`].
pub const BATCH_ROWS_MAX: u32 = 1000;

/// What kind of values a column holds, whatever an engine calls it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Bytes.
    Bytes,
    /// A whole number of 64 bits; also yes (1) and no (0).
    Integer,
    /// UTF-8.
    Text,
}

/// A column.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Column {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

/// A table.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Table {
    /// In the order of their names, so that it does not matter when one was added.
    pub columns: Vec<Column>,
    /// The columns of the primary key, in its order.
    pub key: Vec<String>,
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
}

/// What an image is of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Description {
    /// The names of the migrations that made the tables, in order.
    pub migrations: Vec<String>,
    /// Whatever holds business facts; a table stands after those it refers to.
    pub tables: Vec<Table>,
}

/// Some rows of one table.
#[derive(Debug)]
pub struct Batch {
    /// The rows, 1 to [`BATCH_ROWS_MAX`]. Values stand in the order of [`Table::columns`].
    pub rows: Vec<Row>,
    /// Which table of [`Description::tables`].
    pub table: usize,
}

/// An engine's database, as a whole. This is all that an engine must offer.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Everything as of one moment. Whoever writes does not wait for it.
    async fn snapshot(&self) -> Result<Box<dyn Rows>>;

    /// Begins to take an image in: makes the tables as they were after the image's migrations, and
    /// marks the database as half taken in, so that nothing serves from it before
    /// [`Receiver::finish`]. What an earlier attempt left is removed first.
    ///
    /// # Errors
    /// With [`Refused`] as the cause and the database as it was, if there is something in it, or if the
    /// image's tables are not those of this engine.
    async fn receive(&self, description: &Description) -> Result<Box<dyn Receiver>>;
}

/// Rows of all tables: in the order of the description, within a table in the order of its key, where
/// numbers compare as numbers, and texts and bytes byte by byte.
#[async_trait]
pub trait Rows: Send {
    /// What they are of.
    fn description(&self) -> &Description;

    /// The next rows; none at the end.
    async fn next(&mut self) -> Result<Option<Batch>>;
}

/// A database that takes an image in.
#[async_trait]
pub trait Receiver: Send {
    /// Writes rows, in the order of [`Rows`].
    async fn insert(&mut self, batch: &Batch) -> Result<()>;

    /// All that was written, in the order of the image.
    fn read_back(&mut self) -> Box<dyn Rows + '_>;

    /// Everything is there: brings the schema up to date, makes void what a restore makes void, and
    /// removes the mark, in this order; durable when it returns.
    async fn finish(&mut self, restoring: Option<&Restoring>) -> Result<Void>;
}

/// What is to be known of a restore, for the audit and for what it makes void.
#[derive(Clone, Debug)]
pub struct Restoring {
    /// When the backup was made.
    pub backup_of: Timestamp,
    /// Who restores it, and when.
    pub by: By,
    /// The system user who restores it.
    pub user: String,
}

/// What a restore made void, because nobody knows what became of it after the backup. Sessions,
/// journeys and all that hangs on them are void without being counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Void {
    /// Activation codes that were open.
    pub activations: u64,
    /// Hardware tokens with a button that were moved forward.
    pub buttons: u64,
    /// Messages that waited.
    pub messages: u64,
    /// People whose recovery codes were made void.
    pub recovery_sets: u64,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What is being done.
    pub doing: &'static str,
    /// How many rows are done.
    pub done: u64,
    /// Of how many.
    pub of: u64,
}

/// Whoever wants to know how far it is; called every few hundred rows.
pub type Told<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// What is in a table: how much, and of which bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sum {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over all rows in the order of the key, in hexadecimal.
    pub sha256: String,
    /// Its name.
    pub table: String,
}

/// What a backup says of itself.
#[derive(Clone, Debug)]
pub struct Contents {
    /// When it was made.
    pub at: Timestamp,
    /// What is in it.
    pub sums: Vec<Sum>,
}

/// Why an image is not made or not believed. Nothing was changed then, unless the sentence says so.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// A part does not open where it stands.
    #[error("part {0} of it was changed, moved or cut short")]
    Changed(u64),
    /// Its last part is not there.
    #[error("its end is missing: it was not copied completely")]
    CutOff,
    /// What is in the tables afterwards is not what was read.
    #[error(
        "the table `{0}` does not hold what was to be written; the database is left half copied"
    )]
    Differs(String),
    /// The target is marked.
    #[error(
        "the database is half copied: a `furka restore` or `furka store copy` into it did not come to its end"
    )]
    HalfCopied,
    /// It was written while it was copied.
    #[error(
        "the table `{0}` was written to while it was copied: something still serves from the old database; \
         the new one is left half copied"
    )]
    Moved(String),
    /// Its format is of a later version.
    #[error("it is a backup of a newer format ({0}) than this version of furka reads")]
    NewerFormat(u32),
    /// Its tables are of a later version.
    #[error("it holds the migration `{0}`, which this version of furka does not know")]
    NewerSchema(String),
    /// The target holds something.
    #[error("the database is not empty, and nothing is ever overwritten")]
    NotEmpty,
    /// Some other file.
    #[error("it is no backup that furka made")]
    NotOne,
    /// Its key does not open.
    #[error("another key file made it, or its first bytes were changed")]
    OtherKey,
    /// The engines do not agree about a table.
    #[error("the table `{0}` is not the same in both databases")]
    OtherTable(String),
    /// It opens, and makes no sense.
    #[error("what it holds is not understood: {0}")]
    Unreadable(&'static str),
}

impl Refused {
    /// Why this was refused; none if it failed for another reason.
    #[must_use]
    pub fn of(error: &StoreError) -> Option<&Self> {
        error.source.downcast_ref()
    }

    fn when(self, doing: &'static str) -> StoreError {
        StoreError {
            doing,
            source: self.into(),
        }
    }
}

/// Writes everything in a database into a new file, encrypted under a key that only these keys open.
/// The file appears when it is complete, and not at all otherwise.
///
/// # Errors
/// If there is a file already, it cannot be written, or the database cannot be read.
pub async fn backup(
    engine: &dyn Engine,
    keys: &Keys,
    (to, at): (&Path, Timestamp),
    told: Told<'_>,
) -> Result<Contents> {
    let mut rows = engine.snapshot().await?;
    let mut file = file::Making::begin(to, keys, at, rows.description())?;
    let sums = pour(&mut *rows, &mut file, ("writing the backup", told)).await?;
    file.finish(&sums)?;
    Ok(Contents { at, sums })
}

/// Reads a backup to its end and believes nothing before that; changes nothing.
///
/// # Errors
/// With [`Refused`] as the cause if any byte is not as it was made.
pub async fn verify(from: &Path, keys: &Keys, told: Told<'_>) -> Result<Contents> {
    check(file::Made::open(from, keys)?, told).await
}

async fn check<R: BufRead + Send>(mut file: file::Made<R>, told: Told<'_>) -> Result<Contents> {
    let sums = pour(&mut file, &mut Nowhere, ("checking the backup", told)).await?;
    if file.sums() != Some(sums.as_slice()) {
        return Err(Refused::Unreadable("its sums are wrong").when(file::READING));
    }
    Ok(Contents {
        at: file.at(),
        sums,
    })
}

/// Puts a backup into an empty database and begins a new epoch. The whole backup is checked before
/// anything is changed, and what was written is read back.
///
/// # Errors
/// With [`Refused`] as the cause if the backup is not as it was made or the database is not empty.
pub async fn restore(
    from: &Path,
    keys: &Keys,
    engine: &dyn Engine,
    (by, user): (&By, &str),
    told: Told<'_>,
) -> Result<(Contents, Void)> {
    let verified = verify(from, keys, told).await?;
    let mut file = file::Made::open(from, keys)?;
    let mut receiver = engine.receive(file.description()).await?;
    let sums = pour(&mut file, &mut *receiver, ("writing the database", told)).await?;
    same(&verified.sums, &sums, Refused::Differs)?;
    let written = sums_of(&mut *receiver.read_back(), ("checking the database", told)).await?;
    same(&sums, &written, Refused::Differs)?;
    let restoring = Restoring {
        backup_of: verified.at,
        by: by.clone(),
        user: user.to_owned(),
    };
    let void = receiver.finish(Some(&restoring)).await?;
    Ok((verified, void))
}

/// Copies everything from one database into another, empty one; what is spent stays spent, and who is
/// signed in stays so. Nothing may write to the old one meanwhile: it is read twice, and must be the
/// same.
///
/// # Errors
/// With [`Refused`] as the cause if the target is not empty, the source was written to, or something
/// did not arrive as it was. The target is left marked then, and a further attempt starts afresh.
pub async fn copy(from: &dyn Engine, to: &dyn Engine, told: Told<'_>) -> Result<Vec<Sum>> {
    let mut rows = from.snapshot().await?;
    let mut receiver = to.receive(rows.description()).await?;
    let read = pour(&mut *rows, &mut *receiver, ("copying", told)).await?;
    drop(rows);
    let written = sums_of(&mut *receiver.read_back(), ("checking the copy", told)).await?;
    same(&read, &written, Refused::Differs)?;
    let mut again = from.snapshot().await?;
    let after = sums_of(&mut *again, ("checking that nothing moved", told)).await?;
    same(&read, &after, Refused::Moved)?;
    receiver.finish(None).await?;
    Ok(written)
}

/// Where rows go.
#[async_trait]
trait Sink: Send {
    async fn take(&mut self, batch: &Batch) -> Result<()>;
}

/// Rows that are only summed up.
struct Nowhere;

#[async_trait]
impl Sink for Nowhere {
    async fn take(&mut self, _: &Batch) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Sink for dyn Receiver + '_ {
    async fn take(&mut self, batch: &Batch) -> Result<()> {
        self.insert(batch).await
    }
}

/// What the tables hold.
async fn sums_of(rows: &mut dyn Rows, told: (&'static str, Told<'_>)) -> Result<Vec<Sum>> {
    pour(rows, &mut Nowhere, told).await
}

/// Brings all rows to where they go, and sums them up.
async fn pour<S: Sink + ?Sized>(
    rows: &mut (dyn Rows + '_),
    into: &mut S,
    (doing, told): (&'static str, Told<'_>),
) -> Result<Vec<Sum>> {
    let tables = rows.description().tables.clone();
    let of = tables.iter().map(|table| table.rows).sum();
    let mut sums: Vec<_> = tables
        .iter()
        .map(|_| (0_u64, Context::new(&SHA256)))
        .collect();
    let mut done = 0_u64;
    told(Progress { doing, done, of });
    while let Some(batch) = rows.next().await? {
        let (count, digest) = (sums.get_mut(batch.table))
            .ok_or_else(|| Refused::Unreadable("a table nobody described").when(doing))?;
        let mut bytes = Vec::with_capacity(256);
        for row in &batch.rows {
            bytes.clear();
            row::encode(row, &mut bytes);
            digest.update(&bytes);
        }
        let some = batch.rows.len() as u64;
        *count = count.saturating_add(some);
        done = done.saturating_add(some);
        into.take(&batch).await?;
        told(Progress { doing, done, of });
    }
    let sums = sums.into_iter().zip(tables);
    Ok(sums
        .map(|((rows, digest), table)| Sum {
            rows,
            sha256: HEXLOWER.encode(digest.finish().as_ref()),
            table: table.name,
        })
        .collect())
}

fn same(expected: &[Sum], found: &[Sum], refused: fn(String) -> Refused) -> Result<()> {
    let differs = expected
        .iter()
        .find(|sum| !found.contains(sum))
        .or_else(|| found.iter().find(|sum| !expected.contains(sum)));
    match differs {
        None => Ok(()),
        Some(sum) => Err(refused(sum.table.clone()).when("comparing the databases")),
    }
}

#[cfg(test)]
mod tests;
