//! Chance that a seed decides, so that a cycle can be thrown again.

/// A sequence of numbers that follows from its seed: splitmix64, by Sebastiano Vigna.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice of their own for one of several who throw at the same time.
    pub(super) fn apart(&self, number: u64) -> Self {
        let mut dice = Self(self.0 ^ number.wrapping_add(1).wrapping_mul(0xd1b5_4a32_d192_ed03));
        dice.throw();
        dice
    }

    pub(super) const fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.throw().checked_rem(end).unwrap_or_default()
    }

    /// Whether something happens that does so once in `many` times.
    pub(super) fn once_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_same_seed_throws_the_same() {
        let throws = |seed| {
            let mut dice = Dice::of(seed);
            [dice.throw(), dice.throw(), dice.throw()]
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        assert_ne!(Dice::of(7).apart(0).throw(), Dice::of(7).apart(1).throw());
    }

    #[test]
    fn one_throw_in_four_is_about_a_quarter() {
        let mut dice = Dice::of(1);
        let hits = (0..4000).filter(|_| dice.once_in(4)).count();
        assert!((900..1100).contains(&hits), "{hits}");
    }
}
