//! Keys that begin with the moment at which they were made.
//!
//! What is made at the same time lies side by side, so that a commit which many share writes few pages.
//! Engines that spread a table over machines by ranges of keys hash such a key first; see
//! `docs/decisions/0016-keys-begin-with-the-time.md`.

use journey::{Secret, Timestamp};

use crate::seal::{draw, sha256};

/// How many bytes say when: seconds since 1970, the highest byte first, until 2106.
const STAMP: usize = 4;

/// Puts the moment before what is left of these random bytes.
#[must_use]
pub fn stamped<const N: usize>(at: Timestamp, mut random: [u8; N]) -> [u8; N] {
    for (to, from) in random.iter_mut().zip(stamp(at)) {
        *to = from;
    }
    random
}

/// The key under which a secret id is remembered: its moment as it is, then the hash of all of it, 224
/// bits long.
#[must_use]
pub fn of_secret(id: &[u8]) -> [u8; 32] {
    let mut key = sha256(id);
    for (to, from) in key.iter_mut().zip(id).take(STAMP) {
        *to = *from;
    }
    key
}

/// The smallest key of this moment: what is smaller was made before.
pub(crate) fn first<const N: usize>(at: Timestamp) -> [u8; N] {
    stamped(at, [0; N])
}

/// A secret id of 32 bytes with 224 random bits.
pub(crate) fn draw_secret(at: Timestamp) -> Secret {
    let drawn = draw();
    let random = drawn.expose().get(STAMP..).unwrap_or_default();
    Secret::new([&stamp(at), random].concat())
}

fn stamp(at: Timestamp) -> [u8; STAMP] {
    u32::try_from(at.0.max(0)).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_900_000_000);

    #[test]
    fn keys_lie_in_the_order_in_which_they_were_made() {
        let early: [u8; 16] = stamped(AT, [0xff; 16]);
        let late: [u8; 16] = stamped(AT.plus(1), [0; 16]);
        assert!(first::<16>(AT) < early && early < first(AT.plus(1)));
        assert!(early < late);
        assert!(first::<16>(Timestamp(-1)) <= early && early < first(Timestamp(i64::MAX)));
    }

    /// [S01] 224 bits of a session's id are random, and its key tells none of them.
    #[test]
    fn a_secret_has_224_random_bits_and_its_key_tells_none_of_them() {
        let (one, other) = (draw_secret(AT), draw_secret(AT));
        assert_eq!(one.expose().len(), 32);
        assert_eq!(one.expose()[..STAMP], other.expose()[..STAMP]);
        assert!(!one.matches(other.expose()));
        let key = of_secret(one.expose());
        assert!(first(AT) <= key && key < first(AT.plus(1)));
        assert_eq!(key[STAMP..], sha256(one.expose())[STAMP..]);
        assert_ne!(key[STAMP..], one.expose()[STAMP..]);
    }
}
