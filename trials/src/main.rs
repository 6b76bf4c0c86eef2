//! `cargo xtask race`, `failover`, `upgrade`, `revoke` and `outage`: what must hold while several real nodes
//! share one real database, shown on processes that are raced, killed, replaced and cut off. And
//! `cargo xtask crash`: what must hold when one node and its disk die.

mod canton;
mod crash;
mod crowd;
mod evidence;
mod failover;
mod outage;
mod people;
mod post;
mod race;
mod revoke;
mod upgrade;
mod walk;

use std::{env, path::PathBuf, process::ExitCode, time::Duration};

/// Why a trial ended without a verdict.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
Usage: cargo xtask crash [--cycles N] [--power-cuts N] [--seconds N] [--seed S] [--json FILE]
       cargo xtask race [--rounds N] [--seed S] [--engine postgres|sqlite] [--json FILE]
       cargo xtask failover [--seconds N] [--every N] [--leader host|server] [--seed S] [--json FILE]
       cargo xtask upgrade [--seconds N] [--seed S] [--json FILE]
       cargo xtask revoke [--rounds N] [--seed S] [--json FILE]
       cargo xtask outage [--seconds N] [--seed S] [--json FILE]

crash     one provider on SQLite is killed under load, and its power is cut
  --cycles N      how often it is killed [default: 10000]
  --power-cuts N  how often its power is cut [default: 10000]
  --seconds N     each of both ends after so long [default: 0, which is never]
race      everything that may be used once is used on three nodes at the same moment
  --rounds N  how often each thing [default: 200]
  --engine E  what is behind the nodes; with sqlite there is one node [default: postgres]
failover  people sign in while nodes and the leader of the databases are killed
  --seconds N  for how long [default: 120]
  --every N    seconds between two kills [default: 10]
  --leader L   what dies of a leader: its host, that is PostgreSQL and Patroni, so that its lease has
               to run out; or its server alone [default: host]
upgrade   three nodes are changed for those of a later version while people sign in
  --seconds N  of calm before and after each change [default: 5]
revoke    something is taken back on one node, and the others are asked until they know
  --rounds N  how often each thing [default: 20]
outage    nodes lose the network to the database, and their clocks jump, while people sign in
  --seconds N  for how long each time [default: 10]

  --seed S    what is drawn: secrets, and who is killed when [default: 1]
  --json FILE where the evidence is kept [default: docs/evidence/TRIAL.json]";

/// What is behind the nodes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Engine {
    Postgres,
    Sqlite,
}

/// What the command line says.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// How often one provider is killed.
    pub(crate) cycles: u64,
    pub(crate) engine: Engine,
    pub(crate) every: Duration,
    /// The provider.
    pub(crate) furka: PathBuf,
    /// A later version of it.
    pub(crate) next: PathBuf,
    pub(crate) json: PathBuf,
    pub(crate) lasting: Duration,
    /// How often the power of one provider is cut.
    pub(crate) power_cuts: u64,
    pub(crate) rounds: usize,
    pub(crate) seed: u64,
    trial: Trial,
    /// Whether a leader is killed with the Patroni beside it.
    pub(crate) whole: bool,
}

#[derive(Clone, Copy, Debug)]
enum Trial {
    Crash,
    Failover,
    Outage,
    Race,
    Revoke,
    Upgrade,
}

fn main() -> ExitCode {
    let Some(wanted) = wanted(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(64);
    };
    let runtime = tokio::runtime::Runtime::new().map_err(Trouble::from);
    let verdict = runtime.and_then(|runtime| {
        runtime.block_on(async {
            match wanted.trial {
                Trial::Crash => crash::crash(&wanted).await,
                Trial::Race => race::race(&wanted).await,
                Trial::Failover => failover::failover(&wanted).await,
                Trial::Outage => outage::outage(&wanted).await,
                Trial::Revoke => revoke::revoke(&wanted).await,
                Trial::Upgrade => upgrade::upgrade(&wanted).await,
            }
        })
    });
    match verdict {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("trials: {trouble}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the command line; none where it says something else.
fn wanted(mut arguments: impl Iterator<Item = String>) -> Option<Wanted> {
    let name = arguments.next()?;
    // How long, and how often, if nothing is said.
    let (trial, seconds, rounds) = match name.as_str() {
        "crash" => (Trial::Crash, 0, 0),
        "race" => (Trial::Race, 0, 200),
        "failover" => (Trial::Failover, 120, 0),
        "outage" => (Trial::Outage, 10, 0),
        "revoke" => (Trial::Revoke, 0, 20),
        "upgrade" => (Trial::Upgrade, 5, 0),
        _ => return None,
    };
    let binary =
        |name: &str, usual: &str| env::var_os(name).map_or_else(|| usual.into(), PathBuf::from);
    let mut wanted = Wanted {
        cycles: 10_000,
        engine: Engine::Postgres,
        every: Duration::from_secs(10),
        furka: binary("FURKA_BIN", "target/release/furka"),
        json: format!("docs/evidence/{name}.json").into(),
        lasting: Duration::from_secs(seconds),
        power_cuts: 10_000,
        next: binary("NEXT_FURKA_BIN", "target/trials/next/debug/furka"),
        rounds,
        seed: match trial {
            // Other crashes every time it is run.
            Trial::Crash => crash::unix_s(),
            _ => 1,
        },
        trial,
        whole: true,
    };
    while let Some(argument) = arguments.next() {
        let value = arguments.next()?;
        let seconds = || value.parse().ok().map(Duration::from_secs);
        match argument.as_str() {
            "--cycles" => wanted.cycles = value.parse().ok()?,
            "--engine" if value == "postgres" => wanted.engine = Engine::Postgres,
            "--engine" if value == "sqlite" => wanted.engine = Engine::Sqlite,
            "--every" => wanted.every = seconds()?,
            "--json" => wanted.json = value.into(),
            "--leader" if value == "host" => wanted.whole = true,
            "--leader" if value == "server" => wanted.whole = false,
            "--power-cuts" => wanted.power_cuts = value.parse().ok()?,
            "--rounds" => wanted.rounds = value.parse().ok()?,
            "--seconds" => wanted.lasting = seconds()?,
            "--seed" => wanted.seed = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::{Engine, wanted};

    fn read(line: &str) -> Option<super::Wanted> {
        wanted(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_command_line_that_says_something_else_is_refused() {
        assert!(read("").is_none());
        assert!(read("race --rounds").is_none());
        assert!(read("race --rounds many").is_none());
        assert!(read("race --engine oracle").is_none());
        let wanted = read("race --rounds 7 --engine sqlite").unwrap();
        assert_eq!((wanted.rounds, wanted.engine), (7, Engine::Sqlite));
    }
}
