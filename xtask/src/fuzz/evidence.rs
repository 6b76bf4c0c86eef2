//! What all runs came to: executions and seconds are sums, coverage and failure are those of the last run.

use std::fs;
use std::process::Command;
use std::thread;

use serde_json::{Map, Value, json};

use super::run::Found;
use crate::workshop::{Trouble, Workshop};

/// Where it is kept.
const FILE: &str = "docs/evidence/fuzz.json";

/// Adds what was found to what was found before.
pub(super) fn add(
    workshop: &Workshop,
    arguments: &[String],
    found: &[Found],
) -> Result<(), Trouble> {
    let path = workshop.root().join(FILE);
    let before = fs::read_to_string(&path).unwrap_or_default();
    let before: Value = serde_json::from_str(&before).unwrap_or_default();
    let commit = commit(workshop);
    let evidence = json!({
        "command": format!("cargo xtask fuzz {}", arguments.join(" ")).trim_end(),
        "commit": commit,
        "cores": thread::available_parallelism().map_or(1, usize::from),
        "engine": "libFuzzer without sanitizer; debug assertions and overflow checks are on",
        "processor": processor(),
        "reading": "executions, seconds and runs are sums over all runs and commits; coverage and \
                    failure are those of the last run",
        "targets": summed(&before, &commit, found),
    });
    fs::write(&path, format!("{evidence:#}\n"))
        .map_err(|error| Trouble::new(format!("writing `{FILE}`: {error}")))?;
    println!("kept in {FILE}");
    Ok(())
}

/// The targets of before, with those that ran now added.
fn summed(before: &Value, commit: &str, found: &[Found]) -> Map<String, Value> {
    let known = before.get("targets").and_then(Value::as_object);
    let mut targets = known.cloned().unwrap_or_default();
    for one in found {
        let old = targets.get(&one.name).cloned().unwrap_or_default();
        let number = |name: &str| old.get(name).and_then(Value::as_u64).unwrap_or_default();
        let commits = old.get("commits").and_then(Value::as_array);
        let mut commits = commits.cloned().unwrap_or_default();
        commits.retain(|known| known != commit);
        commits.push(commit.into());
        let sum = json!({
            "commits": commits,
            "coverage": one.coverage,
            "executions": number("executions") + one.executions,
            "failed": one.failure.is_some(),
            "runs": number("runs") + 1,
            "seconds": number("seconds") + whole(one.seconds),
        });
        targets.insert(one.name.clone(), sum);
    }
    targets
}

/// Seconds as a whole number.
fn whole(seconds: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(seconds.round()).map_or(0, |time| time.as_secs())
}

/// What is checked out, and whether it was changed since.
fn commit(workshop: &Workshop) -> String {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty"])
        .current_dir(workshop.root());
    let text = git
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = known.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':'));
    name.map_or("an unnamed processor", |(_, name)| name.trim())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::summed;
    use crate::fuzz::run::Found;

    #[test]
    fn runs_add_up_and_other_targets_stay() {
        let before = json!({ "targets": {
            "jose": { "executions": 5, "seconds": 2, "runs": 1, "commits": ["a"] },
            "cas": { "executions": 1 },
        } });
        let found = Found {
            name: "jose".to_owned(),
            executions: 7,
            seconds: 3.4,
            coverage: 9,
            ..Found::default()
        };
        let sum = summed(&before, "b", &[found]);
        let jose = json!({
            "commits": ["a", "b"], "coverage": 9, "executions": 12, "failed": false, "runs": 2,
            "seconds": 5,
        });
        assert_eq!(
            (&sum["jose"], &sum["cas"]),
            (&jose, &json!({ "executions": 1 }))
        );
    }
}
