//! `crash`, `race` and the others: what must hold while something dies.

use std::path::Path;
use std::process::Command;

use crate::next;
use crate::packages;
use crate::product;
use crate::workshop::{Trouble, Workshop};

/// Short enough for every run of the tests, long enough to see every kind of thing once.
const SHORT_CRASH: &[&str] = &["--cycles", "40", "--power-cuts", "40", "--seconds", "5"];
const SHORT_RACE: &[&str] = &["--rounds", "20"];
const SHORT_FAILOVER: &[&str] = &["--seconds", "17", "--every", "4", "--leader", "server"];
const SHORT_UPGRADE: &[&str] = &["--seconds", "1"];
const SHORT_REVOKE: &[&str] = &["--rounds", "2"];
const SHORT_OUTAGE: &[&str] = &["--seconds", "3"];

/// The variable that names the binary of the later version.
const NEXT: &str = "NEXT_FURKA_BIN";

/// Builds, then kills the binary under load, and cuts its power.
pub(crate) fn crash(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    product::build(workshop)?;
    workshop.run(trial(workshop, "crash", arguments))
}

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

/// Builds this version and a later one, then changes the nodes of one for those of the other.
pub(crate) fn upgrade(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    prepare(workshop)?;
    let next = next::build(workshop)?;
    let mut command = trial(workshop, "upgrade", arguments);
    command.env(NEXT, next);
    workshop.run(command)
}

/// Builds, then takes sessions, people, applications and keys back on one node of three.
pub(crate) fn revoke(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    prepare(workshop)?;
    workshop.run(trial(workshop, "revoke", arguments))
}

/// Builds, then cuts nodes off from their database and moves their clocks.
pub(crate) fn outage(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    prepare(workshop)?;
    workshop.run(trial(workshop, "outage", arguments))
}

/// The short upgrade, for `test`.
pub(crate) fn short_upgrade(workshop: &Workshop) -> Result<String, Trouble> {
    // What it is compared with is built here, not in the trial.
    let next = next::build(workshop)?;
    short(workshop, "upgrade", SHORT_UPGRADE, &[(NEXT, &next)])
}

/// The short revocation, for `test`.
pub(crate) fn short_revoke(workshop: &Workshop) -> Result<String, Trouble> {
    short(workshop, "revoke", SHORT_REVOKE, &[])
}

/// The short outage, for `test`.
pub(crate) fn short_outage(workshop: &Workshop) -> Result<String, Trouble> {
    short(workshop, "outage", SHORT_OUTAGE, &[])
}

/// A few crashes of each kind, for `test`.
pub(crate) fn short_crash(workshop: &Workshop) -> Result<String, Trouble> {
    short(workshop, "crash", SHORT_CRASH, &[])
}

/// The short race, for `test`; the binary is built and the packages are there.
pub(crate) fn short_race(workshop: &Workshop) -> Result<String, Trouble> {
    short(workshop, "race", SHORT_RACE, &[])
}

/// The short failover, for `test`.
pub(crate) fn short_failover(workshop: &Workshop) -> Result<String, Trouble> {
    short(workshop, "failover", SHORT_FAILOVER, &[])
}

fn prepare(workshop: &Workshop) -> Result<(), Trouble> {
    println!(
        "{}",
        packages::install_those_of(workshop, "cluster/packages.txt")?
    );
    product::build(workshop)
}

/// A short run is no evidence: its file stays with what was built.
fn short(
    workshop: &Workshop,
    name: &str,
    arguments: &[&str],
    variables: &[(&str, &Path)],
) -> Result<String, Trouble> {
    let file = format!("target/trials/{name}.json");
    let arguments: Vec<String> = arguments
        .iter()
        .copied()
        .chain(["--json", &file])
        .map(str::to_owned)
        .collect();
    let mut command = trial(workshop, name, &arguments);
    command
        .current_dir(workshop.root())
        .envs(variables.iter().copied());
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
