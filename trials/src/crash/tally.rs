//! What was counted, as a line for people and as evidence.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::disk::{Cut, Taken};
use super::promises::Breach;

/// The counts of many cycles of one kind.
#[derive(Debug, Default)]
pub(super) struct Tally {
    acknowledged: BTreeMap<&'static str, u64>,
    /// Crashes during a start, in addition.
    pub(super) at_start: u64,
    cuts_of_all: u64,
    cuts_of_some: u64,
    pub(super) cycles: u64,
    looked_at: BTreeMap<&'static str, u64>,
    lost: BTreeMap<String, u64>,
    resurrected: BTreeMap<String, u64>,
    pub(super) seconds: f64,
    taken: Taken,
}

impl Tally {
    pub(super) fn acknowledge(&mut self, counts: BTreeMap<&'static str, u64>) {
        for (kind, count) in counts {
            *self.acknowledged.entry(kind).or_default() += count;
        }
    }

    pub(super) fn look(&mut self, counts: BTreeMap<&'static str, u64>) {
        for (kind, count) in counts {
            *self.looked_at.entry(kind).or_default() += count;
        }
    }

    pub(super) fn cut(&mut self, how: Cut, taken: Taken) {
        match how {
            Cut::All => self.cuts_of_all += 1,
            Cut::Some(_) => self.cuts_of_some += 1,
        }
        self.taken.add(taken);
    }

    pub(super) fn note(&mut self, breaches: &[Breach]) {
        for breach in breaches {
            let (what, into) = match breach {
                Breach::Lost(what) => (what, &mut self.lost),
                Breach::Resurrected(what) => (what, &mut self.resurrected),
            };
            *into.entry(what.clone()).or_default() += 1;
        }
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.values().sum()
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.values().sum()
    }

    pub(super) fn resurrected(&self) -> u64 {
        self.resurrected.values().sum()
    }

    /// `12 of all unsynced writes, 9 of a random subset`.
    pub(super) fn cuts(&self) -> String {
        format!(
            "{} of all unsynced writes, {} of a random subset",
            self.cuts_of_all, self.cuts_of_some
        )
    }

    /// All of it.
    pub(super) fn evidence(&self) -> Value {
        json!({
            "acknowledged": self.acknowledged,
            "acknowledged_in_all": self.acknowledged(),
            "cuts": (self.cuts_of_all + self.cuts_of_some > 0).then(|| json!({
                "of_all_unsynced_writes": self.cuts_of_all,
                "of_a_random_subset": self.cuts_of_some,
                "writes_undone": self.taken.changes,
                "writes_torn": self.taken.torn,
                "names_undone": self.taken.names,
            })),
            "cycles": self.cycles,
            "crashes_at_start_in_addition": self.at_start,
            "looked_at_afterwards": self.looked_at,
            "lost": self.lost(),
            "lost_by_kind": self.lost,
            "resurrected": self.resurrected(),
            "resurrected_by_kind": self.resurrected,
            "seconds": self.seconds.round(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Breach, Tally};

    #[test]
    fn what_is_lost_and_what_comes_back_are_counted_apart() {
        let mut tally = Tally::default();
        let lost = Breach::Lost("a session".to_owned());
        let back = Breach::Resurrected("a code".to_owned());
        tally.note(&[lost.clone(), back, lost]);
        assert_eq!((tally.lost(), tally.resurrected()), (2, 1));
        assert_eq!(tally.evidence()["lost_by_kind"]["a session"], 2);
    }
}
