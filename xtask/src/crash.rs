//! `crash`: the release binary is killed under load, again and again, and nothing that it has
//! acknowledged may be lost, and nothing that was used up may work again.
//!
//! `kill -9` alone proves little, because the system keeps what a process wrote. So half of the crashes
//! are power cuts, on a disk that loses what was not synced (`disk.rs`); that disk is proven first, with
//! a writer that does not sync, and with the product itself on a disk that only says that it does.

mod canton;
mod clock;
mod dice;
mod disk;
mod examiner;
mod http;
mod otp;
mod post;
mod promises;
mod proof;
mod provider;
mod run;
mod scratch;
mod tally;
mod visit;
mod visitor;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::product;
use crate::workshop::{Trouble, Workshop};
use clock::Deadline;
use disk::Cut;
use proof::Proof;
use run::{Manner, Run};
use tally::Tally;

const USAGE: &str = "\
cargo xtask crash [--cycles N] [--power-cuts N] [--seed N] [--json FILE]

  --cycles N      so many times kill -9 (10000)
  --power-cuts N  so many power cuts (10000)
  --seed N        the dice of an earlier run; what processes do in the meantime differs
  --json FILE     where the evidence is kept; a whole run keeps it in docs/evidence/crash.json

  FURKA_BIN       names a binary to crash in place of the one that is built here";
/// Where the evidence is kept, from the root of the checkout.
const EVIDENCE: &str = "docs/evidence/crash.json";
/// How many cycles of each kind are a whole run.
const WHOLE: u64 = 10_000;
/// How many cycles a lying disk gets at most, before any other.
const LIES_MAX: u64 = 60;
/// How often a log hears of a run that has no progress bar, in cycles.
const LOGGED: u64 = 500;
/// How long each kind lasts at most in the short version.
const SHORT: Duration = Duration::from_secs(5);

/// What is to be done.
#[derive(Debug, Eq, PartialEq)]
struct Plan {
    cycles: u64,
    json: Option<PathBuf>,
    /// So many cycles on a lying disk, and more until something was lost and something came back.
    lies: u64,
    /// Each kind ends after so long, however many cycles that were.
    longest: Option<Duration>,
    power_cuts: u64,
    seed: u64,
}

/// All that a run found.
struct Found {
    cuts: Tally,
    full: Proof,
    kills: Tally,
    lies: Tally,
    normal: Proof,
    seed: u64,
}

/// Builds, then crashes the release binary as often as was asked for.
pub(crate) fn crash(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    let plan = Plan::read(arguments, clock::unix_s())
        .ok_or_else(|| Trouble::new(format!("this is used as\n\n{USAGE}")))?;
    let other = env::var_os("FURKA_BIN").map(PathBuf::from);
    let (binary, commit) = match other {
        Some(other) => (other, "another binary".to_owned()),
        None => {
            product::build(workshop)?;
            (workshop.release_binary(), commit(workshop))
        }
    };
    let found = plan.run(binary)?;
    let machine = machine();
    println!("crash: {}; commit {commit}; {machine}", found.sentence());
    if let Some(path) = &plan.json {
        let path = workshop.root().join(path);
        let evidence = found.evidence(arguments, (&commit, &machine));
        fs::write(&path, format!("{evidence:#}\n")).map_err(|error| {
            Trouble::new(format!(
                "keeping the evidence in {}: {error}",
                path.display()
            ))
        })?;
        println!("kept in {}", path.display());
    }
    Ok(())
}

/// A few cycles of each kind with the release binary as it is, for `test`.
pub(crate) fn short(workshop: &Workshop) -> Result<String, Trouble> {
    let plan = Plan {
        cycles: 40,
        json: None,
        lies: 1,
        longest: Some(SHORT),
        power_cuts: 40,
        seed: clock::unix_s(),
    };
    Ok(plan.run(workshop.release_binary())?.sentence())
}

impl Plan {
    fn read(arguments: &[String], seed: u64) -> Option<Self> {
        let mut plan = Self {
            cycles: WHOLE,
            json: None,
            lies: 20,
            longest: None,
            power_cuts: WHOLE,
            seed,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let value = arguments.next()?;
            match argument.as_str() {
                "--cycles" => plan.cycles = value.parse().ok()?,
                "--json" => plan.json = Some(value.into()),
                "--power-cuts" => plan.power_cuts = value.parse().ok()?,
                "--seed" => plan.seed = value.parse().ok()?,
                _ => return None,
            }
        }
        let whole = plan.cycles >= WHOLE && plan.power_cuts >= WHOLE;
        plan.json = plan.json.or_else(|| whole.then(|| EVIDENCE.into()));
        Some(plan)
    }

    fn run(&self, binary: PathBuf) -> Result<Found, Trouble> {
        let cuts = self.lies.min(5);
        let normal = proof::of("normal", Cut::All, (cuts, 20))?;
        let full = proof::of("full", Cut::All, (cuts, 20))?;
        if normal.lost == 0 || full.lost > 0 {
            return Err(Trouble::new(format!(
                "the disk proves nothing: without syncing {normal:?}, with it {full:?}"
            )));
        }
        let mut run = Run::prepare(binary, self.seed)?;
        let missed = |tally: &Tally| tally.lost() > 0 && tally.resurrected() > 0;
        let lies = run.cycles(Manner::LyingDisk, LIES_MAX, &|tally| {
            tally.cycles < self.lies || !missed(tally)
        })?;
        if !missed(&lies) {
            return Err(Trouble::new(format!(
                "a disk lied {LIES_MAX} times and not enough was missed, so nothing is proven: {:#}",
                lies.evidence()
            )));
        }
        let bar = bar(self.cycles + self.power_cuts);
        let crash = |run: &mut Run, manner, most| {
            let end = self.longest.map(Deadline::after);
            run.cycles(manner, most, &|_| {
                bar.inc(1);
                if bar.is_hidden() && bar.position().is_multiple_of(LOGGED) {
                    let (position, seed) = (bar.position(), self.seed);
                    eprintln!("{position} crashes with seed {seed}, nothing lost");
                }
                !end.is_some_and(Deadline::is_over)
            })
        };
        let kills = crash(&mut run, Manner::Kill, self.cycles)?;
        let cuts = crash(&mut run, Manner::PowerCut, self.power_cuts)?;
        bar.finish_and_clear();
        Ok(Found {
            cuts,
            full,
            kills,
            lies,
            normal,
            seed: self.seed,
        })
    }
}

impl Found {
    /// What happened, in one line.
    fn sentence(&self) -> String {
        let Self {
            cuts, kills, lies, ..
        } = self;
        format!(
            "{} times kill -9, {} power cuts ({}): {} acknowledged, {} lost, {} resurrected; on a lying disk, \
             as it must be, {} lost and {} resurrected; seed {}",
            kills.cycles,
            cuts.cycles,
            cuts.cuts(),
            kills.acknowledged() + cuts.acknowledged(),
            kills.lost() + cuts.lost(),
            kills.resurrected() + cuts.resurrected(),
            lies.lost(),
            lies.resurrected(),
            self.seed
        )
    }

    fn evidence(&self, arguments: &[String], (commit, machine): (&str, &str)) -> Value {
        let proof = |proof: &Proof| {
            json!({
                "acknowledged": proof.acknowledged,
                "cuts": proof.cuts,
                "lost": proof.lost,
            })
        };
        json!({
            "command": format!("cargo xtask crash {}", arguments.join(" ")).trim_end(),
            "commit": commit,
            "machine": machine,
            "seed": self.seed,
            "kill_9": self.kills.evidence(),
            "power_cuts": self.cuts.evidence(),
            "control": {
                "a_lying_disk_under_furka": self.lies.evidence(),
                "a_writer_with_synchronous_full": proof(&self.full),
                "a_writer_with_synchronous_normal": proof(&self.normal),
            },
        })
    }
}

/// How far a run is; a log shows nothing of it.
fn bar(cycles: u64) -> ProgressBar {
    let bar = ProgressBar::new(cycles);
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} crashes, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// What was built: a `+` where files have changed since.
fn commit(workshop: &Workshop) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(workshop.root())
            .output();
        output.map_or_else(
            |_| String::new(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
    };
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
    let mark = if changed { "+" } else { "" };
    format!("{}{mark}", git(&["rev-parse", "--short", "HEAD"]))
}

fn machine() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = known.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':'));
    let name = name.map_or("an unnamed processor", |(_, name)| name.trim());
    let cores = available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {name}")
}

#[cfg(test)]
mod tests {
    use super::{EVIDENCE, Plan, WHOLE};

    fn plan(arguments: &[&str]) -> Option<Plan> {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        Plan::read(&arguments, 7)
    }

    #[test]
    fn a_whole_run_keeps_its_evidence_and_a_part_does_not() {
        let whole = plan(&[]).unwrap();
        assert_eq!(
            (whole.cycles, whole.power_cuts, whole.seed),
            (WHOLE, WHOLE, 7)
        );
        assert_eq!(whole.json.unwrap().to_str(), Some(EVIDENCE));
        let part = plan(&["--cycles", "5", "--seed", "9"]).unwrap();
        assert_eq!((part.cycles, part.seed, part.json), (5, 9, None));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for arguments in [&["--cycles"][..], &["--cycles", "many"], &["--fast", "1"]] {
            assert_eq!(plan(arguments), None, "{arguments:?}");
        }
    }
}
