//! `race` and `failover`: what must hold while several nodes share one database.

use std::process::Command;

use crate::packages;
use crate::product;
use crate::workshop::{Trouble, Workshop};

/// Short enough for every run of the tests, long enough to see every kind of thing once.
const SHORT_RACE: &[&str] = &["--rounds", "20"];
const SHORT_FAILOVER: &[&str] = &["--seconds", "17", "--every", "4", "--leader", "server"];

/// Builds, then uses everything once-only on three nodes at the same moment.
pub(crate) fn race(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    prepare(workshop)?;
    workshop.run(trial(workshop, "race", arguments))
}

/// Builds, then kills nodes and leaders while people sign in.
pub(crate) fn failover(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    prepare(workshop)?;
    workshop.run(trial(workshop, "failover", arguments))
}

/// The short race, for `test`; the binary is built and the packages are there.
pub(crate) fn short_race(workshop: &Workshop) -> Result<String, Trouble> {
    short(workshop, "race", SHORT_RACE)
}

/// The short failover, for `test`.
pub(crate) fn short_failover(workshop: &Workshop) -> Result<String, Trouble> {
    short(workshop, "failover", SHORT_FAILOVER)
}

fn prepare(workshop: &Workshop) -> Result<(), Trouble> {
    println!(
        "{}",
        packages::install_those_of(workshop, "cluster/packages.txt")?
    );
    product::build(workshop)
}

/// A short run is no evidence: its file stays with what was built.
fn short(workshop: &Workshop, name: &str, arguments: &[&str]) -> Result<String, Trouble> {
    let file = format!("target/trials/{name}.json");
    let arguments: Vec<String> = arguments
        .iter()
        .copied()
        .chain(["--json", &file])
        .map(str::to_owned)
        .collect();
    let mut command = trial(workshop, name, &arguments);
    command.current_dir(workshop.root());
    workshop.run(command)?;
    Ok("ok".to_owned())
}

fn trial(workshop: &Workshop, name: &str, arguments: &[String]) -> Command {
    let mut command = workshop.cargo(&["run", "--release", "--quiet", "--package", "trials", "--"]);
    command
        .arg(name)
        .args(arguments)
        .env("FURKA_BIN", workshop.release_binary());
    command
}
