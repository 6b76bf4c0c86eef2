//! What a trial came to: a line for people, and a file for who wants to know more.

use std::{fs, path::Path, process::Command, thread::available_parallelism};

use serde_json::{Value, json};

use crate::Trouble;

/// Says where and with what a trial was run.
pub(crate) fn setting(seed: u64) -> String {
    let (commit, cores, processor) = (commit(), cores(), processor());
    format!("seed {seed}, commit {commit}, {cores} cores of {processor}")
}

/// Writes what was found for others to read.
pub(crate) fn keep(
    path: &Path,
    (command, seed): (&str, u64),
    holds: bool,
    found: Value,
) -> Result<(), Trouble> {
    let evidence = json!({
        "command": command,
        "commit": commit(),
        "cores": cores(),
        "found": found,
        "holds": holds,
        "processor": processor(),
        "seed": seed,
    });
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, format!("{evidence:#}\n"))?;
    println!("kept in {}", path.display());
    Ok(())
}

/// What is checked out, and whether it was changed since.
fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = known.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':'));
    name.map_or("an unnamed processor", |(_, name)| name.trim())
        .to_owned()
}
