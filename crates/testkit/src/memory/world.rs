//! A clock that only the story moves, and dice that can be thrown again.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Monday 17 August 2026, 07:55 in Sion: the first day of school.
const FIRST_MORNING: i64 = 1_786_946_100;

/// Time and chance of a canton in memory; shared by the provider and everybody around it.
#[derive(Debug)]
pub struct Toy {
    now: AtomicI64,
    dice: AtomicU64,
}

impl Default for Toy {
    fn default() -> Self {
        Self {
            now: AtomicI64::new(FIRST_MORNING),
            dice: AtomicU64::new(0x9e37_79b9_7f4a_7c15),
        }
    }
}

impl Toy {
    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Time goes on, or (negative) the clock is set back.
    pub fn passes(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The next bytes, by SplitMix64: all different and the same in every run.
    pub fn throw(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let seed = self.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            for (byte, value) in chunk.iter_mut().zip((mixed ^ (mixed >> 31)).to_be_bytes()) {
                *byte = value;
            }
        }
    }
}

impl demo::World for Toy {
    fn now_unix(&self) -> i64 {
        self.now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.throw(bytes);
    }
}

impl server::World for Toy {
    fn now(&self) -> journey::Timestamp {
        journey::Timestamp(Self::now(self))
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.throw(bytes);
    }
}
