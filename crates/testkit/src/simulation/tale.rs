//! What happened, told in sentences; and one number for all of it, by which two runs are compared.

/// So many sentences of a person are kept.
const KEPT: usize = 14;

/// The tale of a run.
pub(super) struct Tale {
    hash: u64,
    last: Vec<Vec<String>>,
}

impl Tale {
    /// Of so many people.
    pub(super) fn of(people: usize) -> Self {
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            last: vec![Vec::new(); people],
        }
    }

    /// Something happened to somebody, at this second of the run.
    pub(super) fn tells(&mut self, (person, at): (usize, i64), sentence: &str) {
        let sentence = format!("{at:>6} s  {sentence}");
        // FNV-1a
        for byte in sentence.bytes().chain([person as u8]) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if let Some(last) = self.last.get_mut(person) {
            if last.len() >= KEPT {
                last.remove(0);
            }
            last.push(sentence);
        }
    }

    /// Equal for two runs in which the same happened.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// The last sentences about somebody.
    pub(super) fn last(&self, person: usize) -> Vec<String> {
        self.last.get(person).cloned().unwrap_or_default()
    }
}
