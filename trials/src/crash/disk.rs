//! A disk that loses at a power cut what was not synced: the library that watches a program's files
//! (`powercut.c`), and the undoing of what its journal holds.
//!
//! Deliberately absent: what programs write, and whether that was allowed to be lost.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::dice::Dice;
use crate::Trouble;

/// The library's text; it describes the same layout as the constants here.
const LIBRARY: &str = include_str!("powercut.c");
const HEADER_BYTES: usize = 4096;
/// Where the header says whether syncs are true.
const LIES_AT: u64 = 24;
const FILES: usize = 256;
const FILE_BYTES: usize = 512;
const ARENA_AT: usize = HEADER_BYTES + FILES * FILE_BYTES;
/// More than is ever written between two syncs: a log that grows to its full length.
const ARENA_BYTES: usize = 128 << 20;
const RECORD_BYTES: usize = 56;

/// What a power cut does to writes that no sync has made durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cut {
    /// None of them ever reached the disk.
    All,
    /// Chance decides for each block of so many bytes how far it got; a write may be torn.
    Some(u64),
}

/// What a power cut took.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Taken {
    /// Writes and truncations of which at least a part is gone.
    pub(super) changes: u64,
    /// Files that were made or removed, and now are not.
    pub(super) names: u64,
    /// Writes of which one part is gone and another is there.
    pub(super) torn: u64,
}

impl Taken {
    pub(super) fn add(&mut self, other: Self) {
        self.changes += other.changes;
        self.names += other.names;
        self.torn += other.torn;
    }
}

/// The files of one folder, on such a disk.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    journal: PathBuf,
    library: PathBuf,
    /// The longest time that a sync takes.
    sync: Duration,
}

impl Disk {
    /// Watches `folder`, which exists; library and journal are kept in `beside`, which should be memory.
    pub(super) fn watch(folder: &Path, beside: &Path, sync: Duration) -> Result<Self, Trouble> {
        let folder = folder
            .canonicalize()
            .map_err(|error| trouble("looking for the folder to watch", &error))?;
        let disk = Self {
            folder,
            journal: beside.join("powercut.journal"),
            library: library(beside)?,
            sync,
        };
        disk.forget()?;
        Ok(disk)
    }

    /// Puts a program on this disk.
    pub(super) fn under(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("POWERCUT_FOLDER", &self.folder)
            .env("POWERCUT_JOURNAL", &self.journal);
    }

    /// Cuts the power: undoes what was not synced. Every program on the disk has ended before.
    pub(super) fn cut(&self, how: Cut, dice: &mut Dice) -> Result<Taken, Trouble> {
        let mut undo = || -> std::io::Result<Taken> {
            let journal = Journal::read(&self.journal)?;
            let taken = Undo::of(journal, how, dice).run()?;
            for entry in fs::read_dir(&self.folder)? {
                let path = entry?.path();
                // Memory, not disk.
                if path.to_string_lossy().ends_with("-shm") {
                    fs::remove_file(path)?;
                }
            }
            Ok(taken)
        };
        let taken = undo().map_err(|error| trouble("undoing what was not synced", &error))?;
        self.forget()?;
        Ok(taken)
    }

    /// From now to the next cut, a sync says that it is done and does nothing.
    pub(super) fn lie(&self) -> Result<(), Trouble> {
        let journal = OpenOptions::new().write(true).open(&self.journal);
        journal
            .and_then(|journal| journal.write_all_at(&1_u64.to_le_bytes(), LIES_AT))
            .map_err(|error| trouble("making the disk lie", &error))
    }

    /// All that is there now is durable.
    fn forget(&self) -> Result<(), Trouble> {
        let sync_us = u64::try_from(self.sync.as_micros()).unwrap_or(u64::MAX);
        let make = || -> std::io::Result<()> {
            let mut file = File::create(&self.journal)?;
            for number in [0, 0, 0, 0, sync_us, 0, ARENA_BYTES as u64] {
                file.write_all(&number.to_le_bytes())?;
            }
            file.set_len((ARENA_AT + ARENA_BYTES) as u64)
        };
        make().map_err(|error| trouble("making the journal of the disk", &error))
    }
}

/// Compiles the library, as every machine with a Rust toolchain can.
fn library(beside: &Path) -> Result<PathBuf, Trouble> {
    let (text, library) = (beside.join("powercut.c"), beside.join("powercut.so"));
    fs::write(&text, LIBRARY).map_err(|error| trouble("writing the disk's library", &error))?;
    let mut command = Command::new("cc");
    command.args(["-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o"]);
    command.arg(&library).arg(&text).args(["-ldl", "-lpthread"]);
    let made = command
        .output()
        .map_err(|error| trouble("compiling the disk's library with `cc`", &error))?;
    match made.status.success() {
        true => Ok(library),
        false => Err(Trouble::from(format!(
            "the disk's library does not compile: {}",
            String::from_utf8_lossy(&made.stderr)
        ))),
    }
}

fn trouble(doing: &str, error: &std::io::Error) -> Trouble {
    Trouble::from(format!("{doing}: {error}"))
}

/// What was done and not synced, oldest first.
struct Journal {
    /// Where the files are now, by number.
    paths: BTreeMap<usize, PathBuf>,
    records: Vec<Record>,
}

struct Record {
    change: Change,
    file: usize,
    /// The file's length before.
    length: u64,
    sequence: u64,
}

enum Change {
    Create,
    Truncate {
        to: u64,
        cut: Vec<u8>,
    },
    /// The path it had.
    Unlink(PathBuf),
    Write {
        at: u64,
        span: u64,
        before: Vec<u8>,
    },
}

impl Journal {
    fn read(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let mut head = vec![0; ARENA_AT];
        file.read_exact_at(&mut head, 0)?;
        let tail = number(&head, 8)?;
        let mut arena = vec![0; usize::try_from(tail).map_err(|_| broken())?];
        file.read_exact_at(&mut arena, ARENA_AT as u64)?;
        let mut paths = BTreeMap::new();
        for file in 0..FILES {
            let at = HEADER_BYTES + file * FILE_BYTES + 8;
            let text = head.get(at..at + FILE_BYTES - 8).ok_or_else(broken)?;
            let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
            if !text.is_empty() {
                paths.insert(file, path_of(text));
            }
        }
        let mut records = Vec::new();
        let mut rest = arena.as_slice();
        while !rest.is_empty() {
            let saved = usize::try_from(number(rest, 40)?).map_err(|_| broken())?;
            let end = RECORD_BYTES + saved.next_multiple_of(8);
            let (record, after) = rest.split_at_checked(end).ok_or_else(broken)?;
            records.extend(Record::read(record, saved)?);
            rest = after;
        }
        Ok(Self { paths, records })
    }
}

impl Record {
    /// One record; none if it is durable.
    fn read(bytes: &[u8], saved: usize) -> std::io::Result<Option<Self>> {
        if number(bytes, 48)? & 0xffff_ffff != 0 {
            return Ok(None);
        }
        let kind_and_file = number(bytes, 8)?;
        let (at, span) = (number(bytes, 16)?, number(bytes, 24)?);
        let saved = bytes
            .get(RECORD_BYTES..RECORD_BYTES + saved)
            .ok_or_else(broken)?;
        let change = match kind_and_file & 0xffff_ffff {
            1 => Change::Write {
                at,
                span,
                before: saved.to_vec(),
            },
            2 => Change::Truncate {
                to: at,
                cut: saved.to_vec(),
            },
            3 => Change::Create,
            4 => Change::Unlink(path_of(saved)),
            _ => return Err(broken()),
        };
        Ok(Some(Self {
            change,
            file: usize::try_from(kind_and_file >> 32).map_err(|_| broken())?,
            length: number(bytes, 32)?,
            sequence: number(bytes, 0)?,
        }))
    }
}

fn broken() -> std::io::Error {
    std::io::Error::new(ErrorKind::InvalidData, "the journal cannot be read")
}

fn number(bytes: &[u8], at: usize) -> std::io::Result<u64> {
    let eight = bytes.get(at..at + 8).and_then(|some| some.try_into().ok());
    eight.map(u64::from_le_bytes).ok_or_else(broken)
}

fn path_of(text: &[u8]) -> PathBuf {
    let path = PathBuf::from(String::from_utf8_lossy(text).into_owned());
    // A program may have ended between the note of a removal and the removal.
    match path.to_string_lossy().rsplit_once(".gone-") {
        Some((before, _)) if !path.exists() => PathBuf::from(before),
        _ => path,
    }
}

/// Nothing is there to be undone, which is as good.
fn unless_gone(result: std::io::Result<()>) -> std::io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The undoing of a journal, newest first.
struct Undo<'a> {
    /// Of eight blocks, so many got to the disk.
    arrived_of_8: u64,
    block: u64,
    dice: &'a mut Dice,
    journal: Journal,
    /// Blocks of files whose content stays as it is, and lengths (no block).
    settled: BTreeSet<(usize, Option<u64>)>,
    taken: Taken,
}

impl<'a> Undo<'a> {
    fn of(journal: Journal, how: Cut, dice: &'a mut Dice) -> Self {
        let (arrived_of_8, block) = match how {
            Cut::All => (0, u64::MAX),
            Cut::Some(block) => (1 + dice.below(7), block.max(1)),
        };
        Self {
            arrived_of_8,
            block,
            dice,
            journal,
            settled: BTreeSet::new(),
            taken: Taken::default(),
        }
    }

    fn run(mut self) -> std::io::Result<Taken> {
        let mut records = std::mem::take(&mut self.journal.records);
        records.reverse();
        let (names, contents): (Vec<_>, Vec<_>) = records
            .into_iter()
            .partition(|record| matches!(record.change, Change::Create | Change::Unlink(_)));
        let mut files: BTreeMap<usize, Option<(File, u64)>> = BTreeMap::new();
        for record in &contents {
            let file = match files.entry(record.file) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.open(record.file)?),
            };
            if let Some((file, length)) = file {
                self.content(record, file, length)?;
            }
        }
        for (file, length) in files.into_values().flatten() {
            file.set_len(length)?;
        }
        self.names(names)?;
        Ok(self.taken)
    }

    fn open(&self, file: usize) -> std::io::Result<Option<(File, u64)>> {
        let path = self.journal.paths.get(&file).ok_or_else(broken)?;
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => {
                let length = file.metadata()?.len();
                Ok(Some((file, length)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a block, or a length, stays as it is: once it does, what is older lies below it.
    fn stays(&mut self, cell: (usize, Option<u64>)) -> bool {
        let stays = self.settled.contains(&cell) || self.dice.below(8) < self.arrived_of_8;
        if stays {
            self.settled.insert(cell);
        }
        stays
    }

    fn content(&mut self, record: &Record, file: &File, length: &mut u64) -> std::io::Result<()> {
        let (at, span, before, resized) = match &record.change {
            Change::Write { at, span, before } => {
                (*at, *span, before, at.saturating_add(*span) > record.length)
            }
            Change::Truncate { to, cut } => (*to, cut.len() as u64, cut, true),
            Change::Create | Change::Unlink(_) => return Ok(()),
        };
        let (mut undone, mut stayed) = (false, false);
        if resized && !self.stays((record.file, None)) {
            *length = record.length;
            undone = true;
        }
        let end = at.saturating_add(span);
        let mut from = at;
        while from < end {
            let block = from / self.block;
            let to = end.min(block.saturating_add(1).saturating_mul(self.block));
            if self.stays((record.file, Some(block))) {
                stayed = true;
            } else {
                let part = |offset: u64| usize::try_from(offset - at).map_err(|_| broken());
                let known = before.get(part(from)?..).unwrap_or_default();
                let known = known.get(..part(to)? - part(from)?).unwrap_or(known);
                file.write_all_at(known, from)?;
                // Where there was nothing, there are zeros.
                let zeros = vec![0; part(to)? - part(from)? - known.len()];
                file.write_all_at(&zeros, from + known.len() as u64)?;
                undone = true;
            }
            from = to;
        }
        self.taken.changes += u64::from(undone);
        self.taken.torn += u64::from(undone && stayed);
        Ok(())
    }

    /// Names reach the disk in the order in which they were made, as file systems with a journal do it.
    fn names(&mut self, newest_first: Vec<Record>) -> std::io::Result<()> {
        let all = newest_first.len() as u64;
        let undone = match self.arrived_of_8 {
            0 => all,
            _ => self.dice.below(all + 1),
        };
        for (number, record) in (0..).zip(newest_first) {
            let path = self.journal.paths.get(&record.file).cloned();
            let is_undone = number < undone;
            let done = match record.change {
                Change::Create if is_undone => {
                    unless_gone(fs::remove_file(path.ok_or_else(broken)?))?
                }
                Change::Unlink(was) => {
                    let gone = format!("{}.gone-{}", was.display(), record.sequence);
                    if is_undone {
                        let done = unless_gone(fs::rename(&gone, &was))?;
                        self.journal.paths.insert(record.file, was);
                        done
                    } else {
                        unless_gone(fs::remove_file(&gone))?
                    }
                }
                _ => false,
            };
            self.taken.names += u64::from(is_undone && done);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
