//! `cargo xtask race` and `cargo xtask failover`: what must hold while several real nodes share one
//! real database, shown on processes that are raced, killed and started again.

mod canton;
mod evidence;
mod failover;
mod post;
mod race;

use std::{env, path::PathBuf, process::ExitCode, time::Duration};

/// Why a trial ended without a verdict.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
Usage: cargo xtask race [--rounds N] [--seed S] [--engine postgres|sqlite] [--json FILE]
       cargo xtask failover [--seconds N] [--every N] [--leader host|server] [--seed S] [--json FILE]

race      everything that may be used once is used on three nodes at the same moment
  --rounds N  how often each thing [default: 200]
  --engine E  what is behind the nodes; with sqlite there is one node [default: postgres]
failover  people sign in while nodes and the leader of the databases are killed
  --seconds N  for how long [default: 120]
  --every N    seconds between two kills [default: 10]
  --leader L   what dies of a leader: its host, that is PostgreSQL and Patroni, so that its lease has
               to run out; or its server alone [default: host]

  --seed S    what is drawn: secrets, and who is killed when [default: 1]
  --json FILE where the evidence is kept [default: docs/evidence/race.json or failover.json]";

/// What is behind the nodes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Engine {
    Postgres,
    Sqlite,
}

/// What the command line says.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) engine: Engine,
    pub(crate) every: Duration,
    /// The provider.
    pub(crate) furka: PathBuf,
    pub(crate) json: PathBuf,
    pub(crate) lasting: Duration,
    pub(crate) rounds: usize,
    pub(crate) seed: u64,
    trial: Trial,
    /// Whether a leader is killed with the Patroni beside it.
    pub(crate) whole: bool,
}

#[derive(Clone, Copy, Debug)]
enum Trial {
    Failover,
    Race,
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
                Trial::Race => race::race(&wanted).await,
                Trial::Failover => failover::failover(&wanted).await,
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
    let (trial, json) = match arguments.next()?.as_str() {
        "race" => (Trial::Race, "docs/evidence/race.json"),
        "failover" => (Trial::Failover, "docs/evidence/failover.json"),
        _ => return None,
    };
    let mut wanted = Wanted {
        engine: Engine::Postgres,
        every: Duration::from_secs(10),
        furka: env::var_os("FURKA_BIN")
            .map_or_else(|| "target/release/furka".into(), PathBuf::from),
        json: json.into(),
        lasting: Duration::from_secs(120),
        rounds: 200,
        seed: 1,
        trial,
        whole: true,
    };
    while let Some(argument) = arguments.next() {
        let value = arguments.next()?;
        let seconds = || value.parse().ok().map(Duration::from_secs);
        match argument.as_str() {
            "--engine" if value == "postgres" => wanted.engine = Engine::Postgres,
            "--engine" if value == "sqlite" => wanted.engine = Engine::Sqlite,
            "--every" => wanted.every = seconds()?,
            "--json" => wanted.json = value.into(),
            "--leader" if value == "host" => wanted.whole = true,
            "--leader" if value == "server" => wanted.whole = false,
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
