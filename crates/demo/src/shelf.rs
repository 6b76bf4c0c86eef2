//! Small things kept in memory for a while: sessions, and sign-ins that have begun.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A bounded map whose entries expire.
pub(crate) struct Shelf<T> {
    kept: Mutex<BTreeMap<String, (i64, T)>>,
    ttl_s: i64,
}

/// Most entries kept; the one that expires first makes room.
const ENTRIES_MAX: usize = 20_000;

impl<T: Clone> Shelf<T> {
    pub(crate) fn new(ttl_s: i64) -> Self {
        Self {
            kept: Mutex::new(BTreeMap::new()),
            ttl_s,
        }
    }

    pub(crate) fn put(&self, key: String, value: T, now: i64) {
        let mut kept = lock(&self.kept);
        if kept.len() >= ENTRIES_MAX {
            kept.retain(|_, (until, _)| *until > now);
        }
        if kept.len() >= ENTRIES_MAX {
            let first = kept.iter().min_by_key(|(_, (until, _))| *until);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                kept.remove(&first);
            }
        }
        kept.insert(key, (now.saturating_add(self.ttl_s), value));
    }

    pub(crate) fn look(&self, key: &str, now: i64) -> Option<T> {
        let kept = lock(&self.kept);
        kept.get(key)
            .filter(|(until, _)| *until > now)
            .map(|(_, value)| value.clone())
    }

    /// Whether there is such an entry.
    pub(crate) fn has(&self, such: impl Fn(&T) -> bool, now: i64) -> bool {
        let kept = lock(&self.kept);
        kept.values()
            .any(|(until, value)| *until > now && such(value))
    }

    /// Takes all such entries away.
    pub(crate) fn take_all(&self, such: impl Fn(&T) -> bool) -> Vec<T> {
        let mut kept = lock(&self.kept);
        let taken = kept.extract_if(.., |_, (_, value)| such(value));
        taken.map(|(_, (_, value))| value).collect()
    }

    /// Takes an entry away; what expired is not handed out.
    pub(crate) fn take(&self, key: &str, now: i64) -> Option<T> {
        let (until, value) = lock(&self.kept).remove(key)?;
        (until > now).then_some(value)
    }
}

/// The guard of a mutex whose data stay whole even where a holder panicked: every change below is
/// one insertion or removal.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_taken_once_and_not_after_its_time() {
        let shelf = Shelf::new(60);
        shelf.put("a".into(), 1, 0);
        shelf.put("b".into(), 2, 0);
        assert_eq!(shelf.look("a", 59), Some(1));
        assert_eq!(shelf.take("a", 59), Some(1));
        assert_eq!(shelf.take("a", 59), None);
        assert_eq!(shelf.take("b", 60), None);
        shelf.put("c".into(), 3, 0);
        shelf.put("d".into(), 4, 0);
        assert_eq!(shelf.take_all(|number| *number == 3), [3]);
        assert_eq!((shelf.look("c", 0), shelf.look("d", 0)), (None, Some(4)));
        assert!(shelf.has(|number| *number == 4, 59) && !shelf.has(|number| *number == 3, 59));
        assert!(!shelf.has(|number| *number == 4, 60));
    }
}
