//! Hours of a canton in seconds: real nodes on one real engine, with everything between them that fails,
//! driven by one seed.
//!
//! | file | what |
//! |---|---|
//! | `dice`, `fate` | chance, time and what fails when: all of it from the seed |
//! | `turns` | requests at the same time, in an order that the seed repeats |
//! | `wire`, `post`, `nodes` | the faulty way to the store, to phones, and providers that die |
//! | `people`, `browser`, `otp` | who is there, and what they have in their hands |
//! | `sign_in`, `acts`, `ending` | what they do, what they try, and that they get in once nothing fails |
//! | `ledger`, `tale` | what they were told: the model against which the product is held |
//! | `play` | all of it on one stage |
//!
//! The provider, its journeys and SQLite are the product's; clocks, dice, wires and the post are not. The
//! model looks at answers and at the audit, never into the product. See
//! `docs/decisions/0022-a-seed-is-a-test.md`.

mod acts;
mod browser;
mod dice;
mod ending;
mod fate;
mod ledger;
mod nodes;
mod otp;
mod people;
mod play;
mod post;
mod sign_in;
mod tale;
mod turns;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

pub use wire::Lie;

use dice::Dice;
use ledger::Broken;
use play::Play;

/// After so many acts, what must hold at any time is looked at, not only what an answer shows.
const LOOKS: u64 = 400;

/// What is played.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Plan {
    /// Simulated hours of faults; the calm at the end comes on top.
    pub hours: u32,
    /// A lie of the engine, to see that it is found out.
    pub lie: Option<Lie>,
    /// Where all chance comes from.
    pub seed: u64,
}

/// What a play came to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Told {
    /// Things that people did.
    pub acts: u64,
    /// What failed, and how often.
    pub faults: BTreeMap<&'static str, u64>,
    /// Nodes that served.
    pub nodes: usize,
    /// People who lived there.
    pub people: usize,
    /// Requests that were sent.
    pub requests: u64,
    /// Sessions that somebody was told of.
    pub sign_ins: u64,
    /// Simulated seconds.
    pub simulated_s: i64,
    /// One number for everything that happened: equal for two runs in which the same did.
    pub trace: u64,
}

/// A promise was not kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// The act at which it was found, counted from 1.
    pub act: u64,
    /// Which, and what its person did before it.
    pub broken: String,
    /// The seed that repeats it.
    pub seed: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { act, broken, seed } = self;
        write!(f, "seed {seed}, act {act}: {broken}")
    }
}

impl std::error::Error for Violation {}

/// Plays one seed to its end. `goes_on` is told the simulated seconds after every act.
///
/// # Errors
/// The first promise that was not kept.
pub fn play(plan: Plan, mut goes_on: impl FnMut(i64)) -> Result<Told, Box<Violation>> {
    let Plan { hours, lie, seed } = plan;
    let mut dice = Dice::new(seed);
    let (nodes, people) = (2 + dice.below(4), 16 + 8 * dice.below(3));
    let mut play = Play::begins((dice.next(), lie), nodes, people);
    play.ground.fate.begins();
    let mut acts = 0;
    let long = i64::from(hours).saturating_mul(3600);
    let broken = |act, Broken(broken)| Box::new(Violation { act, broken, seed });
    while play.lasts() < long {
        acts += 1;
        let kept = play.acts().and_then(|()| play.goes_on());
        let kept = kept.and_then(|()| match acts % LOOKS {
            0 => play.is_in_order(),
            _ => Ok(()),
        });
        kept.map_err(|found| broken(acts, found))?;
        goes_on(play.lasts());
    }
    play.ends().map_err(|found| broken(acts, found))?;
    Ok(Told {
        acts,
        faults: play.ground.fate.faults(),
        nodes,
        people,
        requests: play.requests,
        sign_ins: play.ledger.sessions.len() as u64,
        simulated_s: play.lasts(),
        trace: play.tale.hash(),
    })
}
