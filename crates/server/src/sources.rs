//! Somebody who tries one password on many names: seen per source, as a ratio.
//!
//! A whole school shares an address, so a source is never judged by how many fail there, only by
//! whether they fail on *most* of many different names. A class of three hundred with typing errors stays far
//! below. Remembered by this node only, for ten minutes: a hint that slows strangers down; the
//! budgets that must hold are in the store, per account.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use journey::{Place, Timestamp};

use crate::{app::Caller, cookie::sha256};

/// How long a source is watched and, if it must, waits, in seconds.
const WINDOW_S: i64 = 600;
/// So many different names have to fail before a source is judged at all.
const NAMES_MIN: usize = 30;
/// Names beyond this are not told apart any more.
const NAMES_MAX: usize = 256;
/// How many sources are watched at once; the oldest make room.
const SOURCES_MAX: usize = 20_000;

/// The sources of the last ten minutes.
#[derive(Debug, Default)]
pub(crate) struct Sources(Mutex<BTreeMap<Source, Window>>);

/// Where tries come from: a zone of ours, or a neighbourhood of the Internet.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Source {
    Unknown,
    V4([u8; 3]),
    V6([u8; 6]),
    Zone(String),
}

#[derive(Debug)]
struct Window {
    failed: Names,
    right: Names,
    since: Timestamp,
}

/// Different names: one that comes again counts once, so that nobody outweighs the names that they
/// guess at by signing in to their own account between any two of them.
#[derive(Debug, Default)]
struct Names {
    /// Those that came when [`NAMES_MAX`] were told apart already.
    further: usize,
    known: BTreeSet<[u8; 8]>,
}

impl Sources {
    /// How many seconds strangers at this source wait, if most tries from there fail.
    pub(crate) fn must_wait(&self, caller: &Caller, now: Timestamp) -> Option<i64> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = sources.get(&Source::of(caller))?;
        let left = window.since.plus(WINDOW_S).since(now);
        let (failed, right) = (window.failed.count(), window.right.count());
        (left > 0 && failed > right && failed >= NAMES_MIN).then_some(left)
    }

    /// A password was tried for a name.
    pub(crate) fn tried(&self, caller: &Caller, name: &str, right: bool, now: Timestamp) {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= SOURCES_MAX {
            sources.retain(|_, window| now.since(window.since) < WINDOW_S);
        }
        if sources.len() >= SOURCES_MAX {
            sources.clear();
        }
        let window = sources
            .entry(Source::of(caller))
            .or_insert_with(|| Window::new(now));
        if now.since(window.since) >= WINDOW_S {
            *window = Window::new(now);
        }
        match right {
            true => window.right.add(name),
            false => window.failed.add(name),
        }
    }
}

impl Names {
    fn add(&mut self, name: &str) {
        let hash = sha256(name.as_bytes());
        let short = std::array::from_fn(|at| hash.get(at).copied().unwrap_or_default());
        if self.known.len() < NAMES_MAX {
            self.known.insert(short);
        } else if !self.known.contains(&short) {
            self.further = self.further.saturating_add(1);
        }
    }

    fn count(&self) -> usize {
        self.known.len().saturating_add(self.further)
    }
}

impl Window {
    fn new(now: Timestamp) -> Self {
        Self {
            failed: Names::default(),
            right: Names::default(),
            since: now,
        }
    }
}

impl Source {
    fn of(caller: &Caller) -> Self {
        match (&caller.place, caller.address) {
            (Place::Inside(inside), _) => Self::Zone(inside.zone.clone()),
            (Place::Public, None) => Self::Unknown,
            (Place::Public, Some(IpAddr::V4(v4))) => {
                let [a, b, c, _] = v4.octets();
                Self::V4([a, b, c])
            }
            (Place::Public, Some(IpAddr::V6(v6))) => {
                let [a, b, c, d, e, f, ..] = v6.octets();
                Self::V6([a, b, c, d, e, f])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn from(address: &str) -> Caller {
        Caller {
            address: address.parse().ok(),
            browser: None,
            device: None,
            place: Place::Public,
        }
    }

    /// [A18] Five hundred names and one password from one neighbourhood: strangers there wait.
    #[test]
    fn one_password_on_many_names_slows_the_source_down() {
        let sources = Sources::default();
        for n in 0..500 {
            sources.tried(
                &from(&format!("203.0.113.{}", n % 250)),
                &format!("name{n}"),
                n % 50 == 0,
                NOW,
            );
        }
        assert_eq!(
            sources.must_wait(&from("203.0.113.77"), NOW.plus(60)),
            Some(540)
        );
        assert_eq!(sources.must_wait(&from("203.0.114.77"), NOW.plus(60)), None);
        assert_eq!(
            sources.must_wait(&from("203.0.113.77"), NOW.plus(600)),
            None
        );
    }

    /// [A18] Whoever guesses cannot hide behind an account of their own that they sign in to meanwhile.
    #[test]
    fn signing_in_between_the_guesses_hides_nobody() {
        let sources = Sources::default();
        for n in 0..500 {
            sources.tried(&from("203.0.113.1"), &format!("name{n}"), false, NOW);
            sources.tried(&from("203.0.113.1"), "own", true, NOW);
        }
        assert_eq!(sources.must_wait(&from("203.0.113.1"), NOW), Some(600));
    }

    /// A class of three hundred behind one address with typing errors is no attack.
    #[test]
    fn a_class_behind_one_address_is_let_through() {
        let sources = Sources::default();
        for n in 0..300 {
            let name = format!("pupil{n}");
            if n % 10 == 0 {
                sources.tried(&from("203.0.113.1"), &name, false, NOW);
            }
            sources.tried(&from("203.0.113.1"), &name, true, NOW);
            assert_eq!(sources.must_wait(&from("203.0.113.1"), NOW), None);
        }
    }

    #[test]
    fn one_person_who_forgot_a_password_does_not_slow_the_house_down() {
        let sources = Sources::default();
        for _ in 0..500 {
            sources.tried(&from("203.0.113.1"), "anna", false, NOW);
        }
        assert_eq!(sources.must_wait(&from("203.0.113.1"), NOW), None);
    }
}
