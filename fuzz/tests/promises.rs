//! The targets on their seeds, and on what is near to them: no promise rots between two runs of the fuzzer.

#![cfg(test)]

use fuzz::{TARGETS, Target, named};

/// A repeatable generator (SplitMix64), so that a failing run fails again.
struct Odd(u64);

impl Odd {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound.max(1) as u64).unwrap()
    }

    /// A seed with one to four accidents.
    fn near(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let to = self.below(bytes.len() + 1).max(at);
            match self.below(5) {
                0 => drop(bytes.drain(at..to.min(at + 20))),
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                3 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => {
                    let piece = bytes[at..to.min(at + 40)].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    (target.seeds)()
}

/// [P07] What the fuzzer starts from reaches the inside of every parser, and no start of it does harm.
#[test]
fn every_target_takes_seeds_of_its_own_and_survives_their_beginnings() {
    for target in TARGETS {
        let seeds = seeds(target);
        let taken = seeds.iter().filter(|seed| (target.accepts)(seed)).count();
        assert!(
            taken * 2 > seeds.len(),
            "{}: {taken} of {}",
            target.name,
            seeds.len()
        );
        for seed in &seeds {
            assert!(seed.len() <= target.bytes_max, "{}", target.name);
            for end in 0..seed.len().min(300) {
                (target.accepts)(&seed[..end]);
            }
        }
    }
}

/// [P07] A few thousand inputs near the seeds break no promise; `cargo xtask fuzz` tries millions.
#[test]
fn every_target_keeps_its_promises_near_its_seeds() {
    for target in TARGETS {
        let (seeds, mut odd) = (seeds(target), Odd(41));
        for _ in 0..1_000 {
            let seed = &seeds[odd.below(seeds.len())];
            let near = odd.near(seed);
            (target.accepts)(&near);
        }
    }
}

#[test]
fn every_target_is_found_by_its_name_and_has_a_dictionary() {
    for target in TARGETS {
        assert_eq!(named(target.name).unwrap().name, target.name);
        let dictionary = format!("dictionaries/{}.dict", target.dictionary);
        assert!(std::path::Path::new(&dictionary).exists(), "{dictionary}");
    }
    assert!(named("nothing").is_none());
}
