//! The audit: append-only, and each entry holds the hash of the one before.
//!
//! An entry that is changed, left out, put in or moved breaks the chain at that place. An end that is
//! cut off does not: whoever needs that proven keeps [`Checked::head`] somewhere else.
//!
//! A chain has one end, and whoever appends holds it until the commit. Where many write at once there
//! are several such strands, each a chain of its own.

use std::fmt;

use data_encoding::HEXLOWER;
use journey::{JourneyId, PersonId, Timestamp};

use crate::seal::sha256;

/// The first bytes of every encoding: another version of it could never be taken for this one.
const DOMAIN: &[u8] = b"furka audit 1";

/// An entry of the audit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The client's address; none for commands and jobs.
    pub address: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What: [`journey::Happened`] as JSON, exactly as it was hashed.
    pub happened: String,
    /// The hash of all of it.
    pub hash: [u8; 32],
    /// In which journey.
    pub journey: Option<JourneyId>,
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// Where: the id of a zone, or `public`.
    pub place: String,
    /// The hash of the entry before; zeros for the first.
    pub previous: [u8; 32],
    /// Counts from 1 without gaps within its strand, in the order of the commits.
    pub sequence: u64,
    /// Which chain it belongs to.
    pub strand: u16,
    /// The support code shown on the page; empty if there was no page.
    pub support: String,
    /// `journey`, `command person import`, `job outbox` …
    pub through: String,
}

impl Entry {
    /// The hash that this entry must have: SHA-256 over all its fields, each with its length before
    /// it, so that no two entries share an encoding.
    #[must_use]
    pub fn expected_hash(&self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(256);
        let at = self.at.0.to_be_bytes();
        let sequence = self.sequence.to_be_bytes();
        let strand = self.strand.to_be_bytes();
        let fields: [Option<&[u8]>; 11] = [
            Some(&self.previous),
            Some(&strand),
            Some(&sequence),
            Some(&at),
            self.person.as_ref().map(|id| id.0.as_slice()),
            self.journey.as_ref().map(|id| id.0.as_slice()),
            self.address.as_deref().map(str::as_bytes),
            Some(self.place.as_bytes()),
            Some(self.support.as_bytes()),
            Some(self.through.as_bytes()),
            Some(self.happened.as_bytes()),
        ];
        bytes.extend_from_slice(DOMAIN);
        for field in fields {
            bytes.push(u8::from(field.is_some()));
            let field = field.unwrap_or_default();
            bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
            bytes.extend_from_slice(field);
        }
        sha256(&bytes)
    }
}

impl fmt::Display for Entry {
    /// One line, whatever is in the fields: control characters and characters that turn the
    /// direction of writing are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.strand > 0 {
            write!(f, "{}.", self.strand)?;
        }
        write!(f, "{} {} {}", self.sequence, self.at, Plain(&self.happened))?;
        if let Some(person) = self.person {
            write!(f, " person={person}")?;
        }
        if let Some(journey) = self.journey {
            write!(f, " journey={journey}")?;
        }
        write!(f, " place={}", Plain(&self.place))?;
        if let Some(address) = &self.address {
            write!(f, " address={}", Plain(address))?;
        }
        if !self.support.is_empty() {
            write!(f, " support={}", Plain(&self.support))?;
        }
        write!(f, " through={}", Plain(&self.through))?;
        let short = self.hash.get(..8).unwrap_or_default();
        write!(f, " hash={}", HEXLOWER.encode(short))
    }
}

/// A text that stays on its line and moves nothing on a terminal.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() || moves_text(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

/// Line and paragraph separators, and what turns or hides the text around it [Unicode TR 36].
fn moves_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// How many bits of an entry's number count within its strand.
const SEQUENCE_BITS: u32 = 48;

/// The number under which an entry is kept: its strand, then its place in it.
pub(crate) fn number(strand: u16, sequence: u64) -> Option<i64> {
    let strand = i64::from(strand).checked_mul(1 << SEQUENCE_BITS)?;
    let sequence = i64::try_from(sequence).ok()?;
    (sequence < 1 << SEQUENCE_BITS).then(|| strand.checked_add(sequence))?
}

/// The strand and the place in it of a number.
pub(crate) fn place_of(number: i64) -> Option<(u16, u64)> {
    let strand = u16::try_from(number >> SEQUENCE_BITS).ok()?;
    let sequence = u64::try_from(number & ((1 << SEQUENCE_BITS) - 1)).ok()?;
    Some((strand, sequence))
}

/// A stretch of a strand, from its first entry on, that holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Checked {
    /// The hash of the last entry: who keeps it elsewhere notices if the end is cut off.
    pub head: [u8; 32],
    /// The last entry's number, and how many there are.
    pub sequence: u64,
    /// Of which strand.
    pub strand: u16,
}

impl Checked {
    /// Nothing yet of this strand.
    #[must_use]
    pub fn of(strand: u16) -> Self {
        Self {
            strand,
            ..Self::default()
        }
    }

    /// Goes on with the entries that follow.
    ///
    /// # Errors
    /// [`Broken`], at the first entry that does not fit.
    pub fn go_on<'a>(self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, Broken> {
        entries.into_iter().try_fold(self, |before, entry| {
            let broken = |why| Broken {
                sequence: entry.sequence,
                why,
            };
            if entry.strand != before.strand
                || Some(entry.sequence) != before.sequence.checked_add(1)
            {
                return Err(broken(Why::Gap));
            }
            if entry.previous != before.head {
                return Err(broken(Why::Unlinked));
            }
            if entry.hash != entry.expected_hash() {
                return Err(broken(Why::Changed));
            }
            Ok(Self {
                head: entry.hash,
                sequence: entry.sequence,
                strand: entry.strand,
            })
        })
    }
}

/// Where the chain breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the audit does not hold at entry {sequence}: {why}")]
pub struct Broken {
    /// The first entry that does not fit.
    pub sequence: u64,
    /// Why not.
    pub why: Why,
}

/// Why an entry does not fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Why {
    /// Its hash is not the hash of its fields.
    #[error("it was changed after it was written")]
    Changed,
    /// Its number does not follow.
    #[error("entries before it are missing or out of order")]
    Gap,
    /// It names another predecessor.
    #[error("it does not follow the entry before it")]
    Unlinked,
}

/// Proves the first strand from its first entry on.
///
/// # Errors
/// [`Broken`], at the first entry that does not fit.
pub fn verify<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Checked, Broken> {
    Checked::default().go_on(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(len: u64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = vec![];
        for sequence in 1..=len {
            let previous = entries.last().map_or([0; 32], |entry| entry.hash);
            let mut entry = Entry {
                address: (sequence % 2 == 0).then(|| "192.0.2.7".into()),
                at: Timestamp(1_800_000_000),
                happened: r#"{"what":"password-right"}"#.into(),
                hash: [0; 32],
                journey: None,
                person: Some(PersonId([3; 16])),
                place: "public".into(),
                previous,
                sequence,
                strand: 0,
                support: "K7-QX".into(),
                through: "journey".into(),
            };
            entry.hash = entry.expected_hash();
            entries.push(entry);
        }
        entries
    }

    /// [P01] An untouched chain holds, in one stretch or in pages.
    #[test]
    fn an_untouched_chain_holds() {
        let entries = chain(5);
        let whole = verify(&entries).unwrap();
        assert_eq!(whole.sequence, 5);
        let pages = verify(&entries[..2]).unwrap().go_on(&entries[2..]).unwrap();
        assert_eq!(pages, whole);
    }

    /// [P01] A change to any field of an entry is found at that entry.
    #[test]
    fn a_change_of_any_field_is_found() {
        let changes: [fn(&mut Entry); 8] = [
            |e| e.address = Some(String::new()),
            |e| e.at.0 += 1,
            |e| e.happened.push(' '),
            |e| e.journey = Some(JourneyId([1; 16])),
            |e| e.person = None,
            |e| e.place = "school".into(),
            |e| std::mem::swap(&mut e.support, &mut e.through),
            |e| e.through.clear(),
        ];
        for (at, change) in changes.iter().enumerate() {
            let mut entries = chain(5);
            change(&mut entries[2]);
            let broken = verify(&entries).unwrap_err();
            assert_eq!((broken.sequence, broken.why), (3, Why::Changed), "{at}");
        }
    }

    /// [P01] An entry that is left out, moved or forged anew is found.
    #[test]
    fn a_missing_moved_or_forged_entry_is_found() {
        let mut missing = chain(5);
        missing.remove(2);
        assert_eq!(verify(&missing).unwrap_err().why, Why::Gap);
        let mut moved = chain(5);
        moved.swap(1, 2);
        assert_eq!(verify(&moved).unwrap_err().sequence, 3);
        let mut of_another = chain(5);
        of_another[2].strand = 1;
        assert_eq!(verify(&of_another).unwrap_err().why, Why::Gap);
        of_another.iter_mut().for_each(|entry| entry.strand = 1);
        let broken = Checked::of(1).go_on(&of_another).unwrap_err();
        assert_eq!((broken.sequence, broken.why), (1, Why::Changed));
        let mut forged = chain(5);
        forged[2].place = "school".into();
        forged[2].hash = forged[2].expected_hash();
        let broken = verify(&forged).unwrap_err();
        assert_eq!((broken.sequence, broken.why), (4, Why::Unlinked));
    }

    #[test]
    fn a_number_tells_strand_and_place() {
        for (strand, sequence) in [
            (0, 0),
            (0, 1),
            (7, 1 << 40),
            (i16::MAX as u16, (1 << 48) - 1),
        ] {
            let number = number(strand, sequence).unwrap();
            assert_eq!(place_of(number), Some((strand, sequence)));
        }
        assert_eq!(number(0, 1 << 48), None);
        assert_eq!(number(u16::MAX, 1), None);
        assert_eq!(place_of(-1), None);
    }

    /// [P01] No field can start a line of its own or move text on a terminal.
    #[test]
    fn a_printed_entry_is_one_line_of_plain_text() {
        let mut entry = chain(1).remove(0);
        let evil = "a\r\n2 forged\u{1b}[2J\u{9b}1m\u{202e}\u{2028}b";
        for field in [
            &mut entry.place,
            &mut entry.support,
            &mut entry.through,
            &mut entry.happened,
        ] {
            *field = evil.into();
        }
        entry.address = Some(evil.into());
        let line = entry.to_string();
        assert_eq!(line.lines().count(), 1);
        assert!(
            line.chars().all(|c| !c.is_control() && !moves_text(c)),
            "{line:?}"
        );
    }
}
