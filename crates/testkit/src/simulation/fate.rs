//! What happens to everybody: time, and what fails when.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journey::Timestamp;

use super::dice::Dice;

/// The first morning of school, in seconds since 1970.
const FIRST_MORNING: i64 = 1_786_946_100;
/// How far the clock of a node is off at most, in seconds.
const CLOCK_OFF_S: i64 = 12;

/// What becomes of a call over a faulty wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Call {
    /// It arrives, and so does its answer.
    Arrives,
    /// It arrives after so many seconds.
    Late(i64),
    /// It never arrives: nothing happens.
    Lost,
    /// It arrives, and its answer is lost: what was asked for has happened, and nobody knows.
    Unanswered,
}

/// How bad it is, in calls of a thousand.
#[derive(Clone, Copy, Debug)]
struct Weather {
    late: usize,
    lost: usize,
    unanswered: usize,
}

const CALM: Weather = Weather {
    late: 0,
    lost: 0,
    unanswered: 0,
};
const FAIR: Weather = Weather {
    late: 10,
    lost: 3,
    unanswered: 3,
};
const STORM: Weather = Weather {
    late: 50,
    lost: 40,
    unanswered: 40,
};

/// Shared by the nodes, their wires, the post and the people.
pub(super) struct Fate {
    now: AtomicI64,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    /// By how many seconds the clock of each node is ahead.
    ahead: Vec<i64>,
    /// Until when each node cannot reach the store.
    cut_until: Vec<i64>,
    faults: BTreeMap<&'static str, u64>,
    /// Whether anything fails at all.
    is_over: bool,
    weather: Weather,
}

impl Fate {
    pub(super) fn new(seed: u64, nodes: usize) -> Arc<Self> {
        Arc::new(Self {
            now: AtomicI64::new(FIRST_MORNING),
            state: Mutex::new(State {
                dice: Dice::new(seed),
                ahead: vec![0; nodes],
                cut_until: vec![0; nodes],
                faults: BTreeMap::new(),
                is_over: true,
                weather: CALM,
            }),
        })
    }

    /// Seconds since 1970, as they are.
    pub(super) fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(super) fn passes(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Throws the dice.
    pub(super) fn throws<T>(&self, how: impl FnOnce(&mut Dice) -> T) -> T {
        how(&mut self.state().dice)
    }

    /// Counts a fault.
    pub(super) fn counts(&self, fault: &'static str) {
        let mut state = self.state();
        let count = state.faults.entry(fault).or_default();
        *count = count.saturating_add(1);
    }

    /// How often what failed.
    pub(super) fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.state().faults.clone()
    }

    /// From here on things fail.
    pub(super) fn begins(&self) {
        let mut state = self.state();
        state.is_over = false;
        state.weather = FAIR;
    }

    /// From here on nothing fails: wires hold, and every clock is right.
    pub(super) fn ends(&self) {
        let mut state = self.state();
        state.is_over = true;
        state.weather = CALM;
        state.ahead.fill(0);
        state.cut_until.fill(0);
    }

    pub(super) fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// Between two acts: storms come and go, clocks jump, a node is cut off.
    pub(super) fn turns(&self) {
        let now = self.now();
        let mut state = self.state();
        let nodes = state.ahead.len();
        if state.dice.happens(20) {
            let storm = state.dice.happens(300);
            state.weather = if storm { STORM } else { FAIR };
        }
        if state.dice.happens(15) {
            let node = state.dice.below(nodes);
            state.ahead[node] = state.dice.seconds(-CLOCK_OFF_S, CLOCK_OFF_S);
            *state.faults.entry("clocks that jumped").or_default() += 1;
        }
        if state.dice.happens(10) {
            let node = state.dice.below(nodes);
            state.cut_until[node] = now.saturating_add(state.dice.seconds(5, 300));
            *state.faults.entry("nodes cut off").or_default() += 1;
        }
    }

    /// What becomes of a call to the store.
    pub(super) fn calls_the_store(&self, node: usize) -> Call {
        let now = self.now();
        let mut state = self.state();
        if state.is_over {
            return Call::Arrives;
        }
        if state.cut_until.get(node).is_some_and(|until| now < *until) {
            *state.faults.entry("calls of nodes cut off").or_default() += 1;
            return Call::Lost;
        }
        let Weather {
            late,
            lost,
            unanswered,
        } = state.weather;
        let thrown = state.dice.below(1000);
        let (call, fault) = if thrown < lost {
            (Call::Lost, "calls of the store lost")
        } else if thrown < lost + unanswered {
            (Call::Unanswered, "answers of the store lost")
        } else if thrown < lost + unanswered + late {
            let seconds = state.dice.seconds(1, 6);
            (Call::Late(seconds), "calls of the store late")
        } else {
            return Call::Arrives;
        };
        *state.faults.entry(fault).or_default() += 1;
        call
    }

    /// What becomes of a message at a gateway.
    pub(super) fn sends_a_message(&self) -> Call {
        let mut state = self.state();
        if state.is_over {
            return Call::Arrives;
        }
        let (call, fault) = match state.dice.below(100) {
            0..5 => (Call::Lost, "messages refused for the moment"),
            5..10 => (Call::Unanswered, "messages taken without an answer"),
            10..14 => (Call::Late(state.dice.seconds(1, 8)), "messages taken late"),
            _ => return Call::Arrives,
        };
        *state.faults.entry(fault).or_default() += 1;
        call
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Time and chance as one node has them: its clock is not everybody's.
pub(super) struct Machine {
    pub(super) fate: Arc<Fate>,
    pub(super) node: usize,
}

impl server::World for Machine {
    fn now(&self) -> Timestamp {
        let ahead = self.fate.state().ahead.get(self.node).copied();
        Timestamp(self.fate.now().saturating_add(ahead.unwrap_or_default()))
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.fate.throws(|dice| dice.fill(bytes));
    }
}
