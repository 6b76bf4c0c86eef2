//! Chance that can be had again: the same seed makes the same people.

/// SplitMix64 [Steele, Lea, Flood 2014]: good enough to mix names, and for nothing that is secret.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of one thing of one seed: they fall alike whatever was made before it.
    pub(crate) fn of(seed: u64, thing: u64) -> Self {
        let mut dice = Self(seed);
        let seed = dice.next();
        Self(seed ^ Self(thing).next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// One of a list of words; nothing if it is empty.
    pub(super) fn one_of(&mut self, list: &[&'static str]) -> &'static str {
        let at = usize::try_from(self.below(list.len() as u64)).unwrap_or_default();
        list.get(at).copied().unwrap_or_default()
    }

    /// One of a list in which each has its share.
    pub(super) fn share<T: Copy + Default>(&mut self, shares: &[(u64, T)]) -> T {
        let all = shares.iter().map(|(share, _)| share).sum();
        let mut at = self.below(all);
        for (share, one) in shares {
            if at < *share {
                return *one;
            }
            at = at.saturating_sub(*share);
        }
        T::default()
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for eight in bytes.chunks_mut(8) {
            for (to, from) in eight.iter_mut().zip(self.next().to_be_bytes()) {
                *to = from;
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_same_seed_falls_alike_and_another_one_does_not() {
        let throw = |seed, thing| Dice::of(seed, thing).bytes::<16>();
        assert_eq!(throw(1, 7), throw(1, 7));
        assert_ne!(throw(1, 7), throw(1, 8));
        assert_ne!(throw(1, 7), throw(2, 7));
    }

    #[test]
    fn everybody_gets_their_share() {
        let mut dice = Dice::of(1, 1);
        let mut counts = [0_u32; 3];
        for _ in 0..10_000 {
            counts[dice.share(&[(70, 0_usize), (20, 1), (10, 2)])] += 1;
        }
        let [most, some, few] = counts;
        assert!((6_700..7_300).contains(&most) && (1_700..2_300).contains(&some));
        assert!((800..1_200).contains(&few));
    }
}
