//! An image in a file: a backup.
//!
//! In the open stand the words `furka backup`, the version of the format (4 bytes, the highest first),
//! and the file's own key, sealed by the installation's keys together with what stands before it. What
//! follows is sealed under that key, see [`super::chunks`]: a description; the rows of its tables, in
//! batches with their number before them and a zero behind the last of a table; the sums.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use journey::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    BATCH_ROWS_MAX, Batch, Description, Refused, Row, Rows, Sink, Sum,
    chunks::{Opening, Sealing, Stopped},
    row,
};
use crate::{
    Result, StoreError,
    seal::{Keys, Purpose, draw},
};

const WORDS: &[u8; 12] = b"furka backup";
const FORMAT: u32 = 1;
/// Words and format.
const FRONT: usize = 16;
/// A key of 32 bytes, as [`Keys::seal`] makes it.
const SEALED_KEY: usize = 1 + 12 + 32 + 16;
/// Longest description and sums, in bytes.
const JSON_BYTES_MAX: u32 = 1 << 20;

const WRITING: &str = "writing the backup";
pub(super) const READING: &str = "reading the backup";

/// What stands before the rows.
#[derive(Deserialize, Serialize)]
struct Head {
    at: Timestamp,
    description: Description,
}

/// A backup that is being made, under another name until it is complete.
pub(super) struct Making {
    ended: usize,
    partial: Partial,
    sealing: Sealing<BufWriter<File>>,
    tables: usize,
    to: PathBuf,
}

impl Making {
    pub(super) fn begin(
        to: &Path,
        keys: &Keys,
        at: Timestamp,
        description: &Description,
    ) -> Result<Self> {
        let failed = |source: io::Error| StoreError {
            doing: WRITING,
            source: source.into(),
        };
        refuse_existing(to).map_err(failed)?;
        let (partial, file) = Partial::beside(to).map_err(failed)?;
        let front = front();
        let key = draw();
        let sealed = keys.seal(Purpose::Backup, &front, key.expose());
        let mut file = BufWriter::new(file);
        let in_the_open = file
            .write_all(&front)
            .and_then(|()| file.write_all(&sealed));
        in_the_open.map_err(failed)?;
        let mut making = Self {
            ended: 0,
            partial,
            sealing: Sealing::new(&row::array(key.expose()), file),
            tables: description.tables.len(),
            to: to.to_owned(),
        };
        making.json(&Head {
            at,
            description: description.clone(),
        })?;
        Ok(making)
    }

    /// The file is complete: it is on the disk, and gets its name.
    pub(super) fn finish(mut self, sums: &[Sum]) -> Result<()> {
        self.end_tables(self.tables)?;
        self.json(&sums)?;
        let Self {
            partial,
            sealing,
            to,
            ..
        } = self;
        // The file is open, and with that locked, until it has its name.
        let finish = || {
            let file = sealing.finish()?.into_inner()?;
            file.sync_all()?;
            partial.becomes(&to)
        };
        finish().map_err(|source| StoreError {
            doing: WRITING,
            source: source.into(),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sealing.write(bytes).map_err(|source| StoreError {
            doing: WRITING,
            source: source.into(),
        })
    }

    fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let json = serde_json::to_vec(value).map_err(|source| StoreError {
            doing: WRITING,
            source: source.into(),
        })?;
        self.write(&(json.len() as u64).to_be_bytes())?;
        self.write(&json)
    }

    /// Writes the zeros behind the tables before this one.
    fn end_tables(&mut self, before: usize) -> Result<()> {
        while self.ended < before {
            self.write(&0_u32.to_be_bytes())?;
            self.ended = self.ended.saturating_add(1);
        }
        Ok(())
    }
}

#[async_trait]
impl Sink for Making {
    async fn take(&mut self, batch: &Batch) -> Result<()> {
        self.end_tables(batch.table)?;
        let mut bytes = (batch.rows.len() as u32).to_be_bytes().to_vec();
        for row in &batch.rows {
            row::encode(row, &mut bytes);
        }
        self.write(&bytes)
    }
}

/// A file that goes, unless it got its name.
struct Partial {
    path: Option<PathBuf>,
}

impl Partial {
    /// Makes it, readable by its owner only. What an attempt that was killed left is removed; of two
    /// attempts at once one is refused.
    fn beside(to: &Path) -> io::Result<(Self, File)> {
        let mut name = to.as_os_str().to_owned();
        name.push(".partial");
        let path = PathBuf::from(name);
        if path.symlink_metadata().is_ok() {
            let _left = locked(File::open(&path)?)?;
            fs::remove_file(&path)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = locked(options.open(&path)?)?;
        Ok((Self { path: Some(path) }, file))
    }

    fn becomes(mut self, to: &Path) -> io::Result<()> {
        refuse_existing(to)?;
        if let Some(path) = &self.path {
            fs::rename(path, to)?;
        }
        self.path = None;
        sync_folder(to)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.path.take().map(fs::remove_file) {
            tracing::warn!(%error, "removing what was written of a backup");
        }
    }
}

fn locked(file: File) -> io::Result<File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => {
            let sentence = "another `furka backup` writes the same file";
            Err(io::Error::new(io::ErrorKind::ResourceBusy, sentence))
        }
    }
}

fn refuse_existing(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(_) => {
            let sentence = format!("`{}` exists, and is not overwritten", path.display());
            Err(io::Error::new(io::ErrorKind::AlreadyExists, sentence))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// A name is durable when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn front() -> [u8; FRONT] {
    row::array(&[&WORDS[..], &FORMAT.to_be_bytes()].concat())
}

/// A backup that was made.
pub(super) struct Made<R> {
    head: Head,
    opening: Opening<R>,
    sums: Option<Vec<Sum>>,
    table: usize,
}

impl Made<BufReader<File>> {
    /// Opens it and reads its description.
    pub(super) fn open(path: &Path, keys: &Keys) -> Result<Self> {
        let file = File::open(path).map_err(|error| told(error.into()))?;
        Self::read(BufReader::new(file), keys)
    }
}

impl<R: BufRead> Made<R> {
    /// Reads its description.
    pub(super) fn read(mut from: R, keys: &Keys) -> Result<Self> {
        let begin = || {
            let key = front_key(&mut from, keys)?;
            let mut opening = Opening::new(&key, from);
            Ok(Self {
                head: json(&mut opening)?,
                opening,
                sums: None,
                table: 0,
            })
        };
        begin().map_err(told)
    }

    pub(super) fn at(&self) -> Timestamp {
        self.head.at
    }

    /// The sums that stand at the end, once that was reached.
    pub(super) fn sums(&self) -> Option<&[Sum]> {
        self.sums.as_deref()
    }

    fn read_on(&mut self) -> Result<Option<Batch>, Stopped> {
        if self.sums.is_some() {
            return Ok(None);
        }
        while let Some(table) = self.head.description.tables.get(self.table) {
            let number = u32::from_be_bytes(row::array(&self.opening.take(4)?));
            if number == 0 {
                self.table = self.table.saturating_add(1);
                continue;
            }
            if number > BATCH_ROWS_MAX {
                return Err(Refused::Unreadable("a batch that is too long").into());
            }
            let columns = table.columns.len();
            let rows = (0..number).map(|_| read_row(&mut self.opening, columns));
            return Ok(Some(Batch {
                rows: rows.collect::<Result<_, _>>()?,
                table: self.table,
            }));
        }
        self.sums = Some(json(&mut self.opening)?);
        self.opening.end()?;
        Ok(None)
    }
}

#[async_trait]
impl<R: BufRead + Send> Rows for Made<R> {
    fn description(&self) -> &Description {
        &self.head.description
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        self.read_on().map_err(told)
    }
}

/// The key of the file, from its first bytes.
fn front_key(from: &mut impl BufRead, keys: &Keys) -> Result<[u8; 32], Stopped> {
    let front = up_to(from, FRONT)?;
    let format = match front.split_first_chunk() {
        Some((WORDS, format)) => format,
        _ => return Err(Refused::NotOne.into()),
    };
    let Ok(format) = format.try_into().map(u32::from_be_bytes) else {
        return Err(Refused::CutOff.into());
    };
    match format {
        0 => return Err(Refused::NotOne.into()),
        FORMAT => {}
        newer => return Err(Refused::NewerFormat(newer).into()),
    }
    let sealed = up_to(from, SEALED_KEY)?;
    if sealed.len() < SEALED_KEY {
        return Err(Refused::CutOff.into());
    }
    let key = keys.open(Purpose::Backup, &front, &sealed);
    let key = key.map_err(|_| Refused::OtherKey)?;
    Ok(row::array(key.expose()))
}

/// The next bytes; fewer at the end.
fn up_to(from: &mut impl BufRead, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most);
    from.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_row(opening: &mut Opening<impl BufRead>, columns: usize) -> Result<Row, Stopped> {
    let values = (0..columns).map(|_| row::decode(|len| opening.take(len)));
    values.collect()
}

fn json<T: DeserializeOwned>(opening: &mut Opening<impl BufRead>) -> Result<T, Stopped> {
    let len = u64::from_be_bytes(row::array(&opening.take(8)?));
    let len = u32::try_from(len).ok().filter(|len| *len <= JSON_BYTES_MAX);
    let len = len.ok_or(Refused::Unreadable("a description that is too long"))?;
    let json = opening.take(len as usize)?;
    serde_json::from_slice(&json)
        .map_err(|_| Refused::Unreadable("a description in other words").into())
}

fn told(stopped: Stopped) -> StoreError {
    match stopped {
        Stopped::Failed(error) => StoreError {
            doing: READING,
            source: error.into(),
        },
        Stopped::Refused(refused) => refused.when(READING),
    }
}
