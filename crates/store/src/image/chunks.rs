//! A stream of bytes in sealed parts, after the STREAM construction [Hoang, Reyhanitabar, Rogaway, Vizár
//! 2015, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance"].
//!
//! Each part is sealed with AES-256-GCM under a nonce that is its number and whether it is the last: a
//! part that is changed, moved, left out or put in does not open, and an end that is missing is
//! noticed. The key belongs to one stream, so that no nonce comes twice.

use std::io::{self, BufRead, Read, Write};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::Refused;

/// So many bytes are sealed together.
const PART: usize = 64 << 10;
const TAG: usize = 16;

/// The key of one stream, and where in it one is.
struct Position {
    key: LessSafeKey,
    number: u64,
}

impl Position {
    fn start(key: &[u8; 32]) -> Self {
        let Ok(key) = UnboundKey::new(&AES_256_GCM, key) else {
            unreachable!("AES-256 takes every key of 32 bytes")
        };
        Self {
            key: LessSafeKey::new(key),
            number: 0,
        }
    }

    fn nonce(&self, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        let number = self.number.to_be_bytes();
        let bytes = number.into_iter().chain([u8::from(last)]);
        for (to, from) in nonce.iter_mut().rev().zip(bytes.rev()) {
            *to = from;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&mut self, last: bool, part: &mut Vec<u8>) {
        let nonce = self.nonce(last);
        let sealed = self.key.seal_in_place_append_tag(nonce, Aad::empty(), part);
        assert!(
            sealed.is_ok(),
            "AES-GCM fails only for texts of more than 64 GiB"
        );
        self.number = self.number.saturating_add(1);
    }

    /// Opens a part; none if it does not stand here.
    fn open(&self, last: bool, sealed: &[u8]) -> Option<Vec<u8>> {
        let mut part = sealed.to_vec();
        let nonce = self.nonce(last);
        let len = self
            .key
            .open_in_place(nonce, Aad::empty(), &mut part)
            .ok()?
            .len();
        part.truncate(len);
        Some(part)
    }
}

/// Seals what is written to it.
pub(super) struct Sealing<W> {
    part: Vec<u8>,
    position: Position,
    to: W,
}

impl<W: Write> Sealing<W> {
    pub(super) fn new(key: &[u8; 32], to: W) -> Self {
        Self {
            part: Vec::with_capacity(PART + TAG),
            position: Position::start(key),
            to,
        }
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            // A full part waits until it is known not to be the last.
            if self.part.len() == PART {
                self.seal(false)?;
            }
            let space = PART.saturating_sub(self.part.len());
            let (now, later) = bytes.split_at(space.min(bytes.len()));
            self.part.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// The end; gives back what was written to, not yet flushed.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.to)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        self.position.seal(last, &mut self.part);
        self.to.write_all(&self.part)?;
        self.part.clear();
        Ok(())
    }
}

/// Why a stream cannot be read on.
pub(super) enum Stopped {
    /// It could not be read.
    Failed(io::Error),
    /// It was read, and is not believed.
    Refused(Refused),
}

impl From<Refused> for Stopped {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Opens what [`Sealing`] wrote.
pub(super) struct Opening<R> {
    from: R,
    /// What is opened and not yet taken, from `taken` on.
    part: Vec<u8>,
    position: Position,
    ended: bool,
    taken: usize,
}

impl<R: BufRead> Opening<R> {
    pub(super) fn new(key: &[u8; 32], from: R) -> Self {
        Self {
            from,
            part: Vec::new(),
            position: Position::start(key),
            ended: false,
            taken: 0,
        }
    }

    /// The next so many bytes.
    pub(super) fn take(&mut self, len: usize) -> Result<Vec<u8>, Stopped> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let rest = self.part.get(self.taken..).unwrap_or_default();
            if rest.is_empty() {
                if self.ended {
                    return Err(Refused::Unreadable("it ends too early").into());
                }
                self.next()?;
                continue;
            }
            let some = rest.len().min(len.saturating_sub(bytes.len()));
            bytes.extend_from_slice(rest.get(..some).unwrap_or_default());
            self.taken = self.taken.saturating_add(some);
        }
        Ok(bytes)
    }

    /// Refuses what still follows.
    pub(super) fn end(&mut self) -> Result<(), Stopped> {
        if self.taken < self.part.len() {
            return Err(Refused::Unreadable("something follows its end").into());
        }
        // The part that was opened last may have been full, and an empty one may follow.
        while !self.ended {
            self.next()?;
            if !self.part.is_empty() {
                return Err(Refused::Unreadable("something follows its end").into());
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<(), Stopped> {
        let mut sealed = Vec::with_capacity(PART + TAG);
        let most = (PART + TAG) as u64;
        self.from.by_ref().take(most).read_to_end(&mut sealed)?;
        let last = self.from.fill_buf()?.is_empty();
        let number = self.position.number.saturating_add(1);
        let Some(part) = self.position.open(last, &sealed) else {
            // A whole part that opens as one of many was not the last one when it was written.
            let cut_off = sealed.is_empty() || last && self.position.open(false, &sealed).is_some();
            return Err(match cut_off {
                true => Refused::CutOff,
                false => Refused::Changed(number),
            }
            .into());
        };
        self.position.number = number;
        self.part = part;
        self.taken = 0;
        self.ended = last;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut sealing = Sealing::new(&KEY, vec![]);
        // Borders of writes are none of the parts.
        for some in plain.chunks(40_000) {
            sealing.write(some).unwrap();
        }
        sealing.finish().unwrap()
    }

    fn open(sealed: &[u8], len: usize) -> Result<Vec<u8>, Refused> {
        let mut opening = Opening::new(&KEY, sealed);
        let opened = opening.take(len).and_then(|bytes| {
            opening.end()?;
            Ok(bytes)
        });
        opened.map_err(|stopped| match stopped {
            Stopped::Refused(refused) => refused,
            Stopped::Failed(error) => panic!("{error}"),
        })
    }

    fn plain(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn what_is_sealed_comes_back_whatever_its_length() {
        for len in [0, 1, PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 5] {
            let plain = plain(len);
            assert_eq!(open(&sealed(&plain), len).unwrap(), plain, "{len}");
        }
    }

    #[test]
    fn parts_that_change_places_or_are_left_out_do_not_open() {
        let plain = plain(4 * PART);
        let whole = sealed(&plain);
        let parts: Vec<_> = whole.chunks(PART + TAG).collect();
        for (order, number) in [
            (&[1, 0, 2, 3][..], 1),
            (&[0, 2, 1, 3], 2),
            (&[0, 2, 3], 2),
            (&[0, 1, 1, 2, 3], 3),
            (&[0, 1, 3, 2], 3),
            (&[3], 1),
        ] {
            let moved: Vec<u8> = order.iter().flat_map(|at| parts[*at]).copied().collect();
            assert_eq!(
                open(&moved, plain.len()),
                Err(Refused::Changed(number)),
                "{order:?}"
            );
        }
    }

    #[test]
    fn an_end_that_is_missing_is_noticed_wherever_it_was_cut() {
        let plain = plain(2 * PART + 100);
        let whole = sealed(&plain);
        for parts in 0..=2 {
            let cut = &whole[..parts * (PART + TAG)];
            assert_eq!(open(cut, plain.len()), Err(Refused::CutOff), "{parts}");
        }
        for at in [1, 15, 16, 17, PART, PART + TAG + 1, whole.len() - 1] {
            let part = (at / (PART + TAG)) as u64 + 1;
            assert_eq!(
                open(&whole[..at], plain.len()),
                Err(Refused::Changed(part)),
                "{at}"
            );
        }
    }

    #[test]
    fn something_behind_the_end_is_refused() {
        let plain = plain(PART + 7);
        let mut longer = sealed(&plain);
        longer.push(0);
        assert_eq!(open(&longer, plain.len()), Err(Refused::Changed(2)));
        let twice = [sealed(&plain), sealed(&plain)].concat();
        assert_eq!(open(&twice, plain.len()), Err(Refused::Changed(2)));
        let more = sealed(&plain);
        assert_eq!(
            open(&more, plain.len() - 1),
            Err(Refused::Unreadable("something follows its end"))
        );
        assert_eq!(
            open(&more, plain.len() + 1),
            Err(Refused::Unreadable("it ends too early"))
        );
    }
}
