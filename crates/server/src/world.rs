//! Time and chance, the one place where the server may have them.

use journey::{Moment, Timestamp};

/// What the outside world gives: a clock and dice.
pub trait World: Send + Sync {
    /// The clock.
    fn now(&self) -> Timestamp;

    /// Fills with fresh random bytes that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's clock and the operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealWorld;

impl World for RealWorld {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
        let now = std::time::SystemTime::now();
        let since = now
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is where chance comes in")]
        let filled = aws_lc_rs::rand::fill(bytes);
        // A generator that fails is a machine on which nothing can be secret.
        if filled.is_err() {
            std::process::abort();
        }
    }
}

/// What every caller of a world wants.
pub(crate) trait Draw {
    /// So many random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N];
    /// A fresh id, which begins with the time.
    fn id(&self) -> [u8; 16];
    /// The moment for one step.
    fn moment(&self) -> Moment;
    /// A code under which a desk finds what a person saw: eight letters and digits, easy to say.
    fn support_code(&self) -> String;
}

impl Draw for dyn World + '_ {
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    fn id(&self) -> [u8; 16] {
        store::key::stamped(self.now(), self.bytes())
    }

    fn moment(&self) -> Moment {
        Moment {
            at: self.now(),
            dice: self.bytes(),
        }
    }

    fn support_code(&self) -> String {
        let letters = crockford(&self.bytes::<8>());
        let (front, back) = letters.split_at_checked(4).unwrap_or((&letters, ""));
        format!("{front}-{back}")
    }
}

/// One letter or digit a byte, without those that are mistaken for another: `0O`, `1IL`, `U`.
pub(crate) fn crockford(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ@#";
    let letter = |byte: &u8| match LETTERS.get(usize::from(byte % 30)) {
        Some(letter) => char::from(*letter),
        None => '2',
    };
    bytes.iter().map(letter).collect()
}
