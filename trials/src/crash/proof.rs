//! The proof of the disk: a program that commits without syncing loses what it acknowledged, and one that
//! syncs does not. A disk that never loses anything would prove nothing about anybody.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::dice::Dice;
use super::disk::{Cut, Disk};
use super::scratch::Scratch;
use crate::Trouble;

/// SQLite, driven by somebody else's program.
const WRITER: &str = include_str!("writer.py");
/// The longest time that a sync of the proof takes.
const SYNC: Duration = Duration::from_micros(500);

/// What became of a writer's commits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Proof {
    pub(super) acknowledged: u64,
    pub(super) cuts: u64,
    pub(super) lost: u64,
}

/// Cuts the power of a writer so many times, each after so many commits.
pub(super) fn of(
    synchronous: &str,
    how: Cut,
    (cuts, commits): (u64, u64),
) -> Result<Proof, Trouble> {
    let mut dice = Dice::of(commits);
    let mut proof = Proof::default();
    for _ in 0..cuts {
        let (acknowledged, found) = once(synchronous, how, (commits, &mut dice))?;
        proof.acknowledged += acknowledged;
        proof.cuts += 1;
        proof.lost += acknowledged.saturating_sub(found);
    }
    Ok(proof)
}

/// How many commits were acknowledged, and how many are there afterwards.
fn once(
    synchronous: &str,
    how: Cut,
    (commits, dice): (u64, &mut Dice),
) -> Result<(u64, u64), Trouble> {
    let scratch = Scratch::in_memory()?;
    let failed = |error| Trouble::from(format!("running the writer of the proof: {error}"));
    let folder = scratch.path().join("folder");
    let script = scratch.path().join("writer.py");
    fs::create_dir(&folder).map_err(failed)?;
    fs::write(&script, WRITER).map_err(failed)?;
    let database = folder.join("numbers.sqlite");
    let made = Command::new("python3")
        .args(["-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('create table number (number)')"])
        .arg(&database)
        .status()
        .map_err(failed)?;
    if !made.success() {
        return Err(Trouble::from(
            "`python3` with its module sqlite3 is not there",
        ));
    }
    let disk = Disk::watch(&folder, scratch.path(), SYNC)?;
    let mut command = writer(&script, &database, synchronous);
    disk.under(&mut command);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut said = BufReader::new(
        child
            .stdout
            .take()
            .ok_or_else(|| Trouble::from("no pipe"))?,
    );
    let mut acknowledged = 0;
    let mut line = String::new();
    let wanted = commits + dice.below(commits);
    while said.read_line(&mut line).map_err(failed)? > 0 {
        acknowledged += 1;
        if acknowledged == wanted {
            child.kill().map_err(failed)?;
        }
    }
    child.wait().map_err(failed)?;
    disk.cut(how, dice)?;
    let found = writer(&script, &database, "count")
        .output()
        .map_err(failed)?;
    let found = String::from_utf8_lossy(&found.stdout).trim().parse();
    let found = found.map_err(|_| Trouble::from("the database of the proof cannot be read"))?;
    Ok((acknowledged, found))
}

fn writer(script: &Path, database: &Path, how: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(script).arg(database).arg(how);
    command
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::crash::disk::Cut;

    /// [P03] What was measured before this product chose `FULL`: commits that are acknowledged before they are
    /// synced do not survive.
    #[test]
    fn a_writer_that_does_not_sync_loses_what_it_acknowledged() {
        let proof = of("normal", Cut::All, (2, 20)).unwrap();
        assert!(proof.acknowledged >= 40, "{proof:?}");
        assert_eq!(proof.lost, proof.acknowledged);
    }

    #[test]
    fn a_writer_that_syncs_loses_nothing() {
        for how in [Cut::All, Cut::Some(512), Cut::Some(4096)] {
            let proof = of("full", how, (2, 20)).unwrap();
            assert!(proof.acknowledged >= 40, "{proof:?}");
            assert_eq!(proof.lost, 0, "{how:?}");
        }
    }
}
