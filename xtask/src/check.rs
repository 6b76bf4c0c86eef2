//! `check`: the gate for every change.

use std::process::Command;

use crate::outcome::{Outcome, worth_showing};
use crate::report::Report;
use crate::tidy;
use crate::workshop::{Trouble, Workshop, somebody_watches};

/// Format, clippy, tidy, and the tests that need nothing from outside.
pub(crate) fn check(workshop: &Workshop, _arguments: &[String]) -> Result<(), Trouble> {
    let mut report = Report::default();
    let mut outcome = Outcome::default();
    let result = steps(workshop, &mut report, &mut outcome);
    println!(
        "\n{}{}\n{}",
        outcome.table(),
        report.table(),
        outcome.sentence()
    );
    result
}

/// The steps of `check`; stops at the first that fails.
pub(crate) fn steps(
    workshop: &Workshop,
    report: &mut Report,
    outcome: &mut Outcome,
) -> Result<(), Trouble> {
    report.step("format", || {
        let formatted = workshop.run(workshop.cargo(&["fmt", "--all", "--check"]));
        formatted.map_err(|_| Trouble::new("run `cargo fmt --all`"))?;
        Ok("ok".to_owned())
    })?;
    report.step("tidy", || tidy::findings(workshop))?;
    report.step("clippy", || {
        let mut command = workshop.cargo(&["clippy", "--workspace", "--all-targets"]);
        if !somebody_watches() {
            command.arg("--quiet");
        }
        command.args(["--", "-D", "warnings"]);
        workshop.run(command)?;
        Ok("ok".to_owned())
    })?;
    report.step("tests in memory", || {
        run_tests(workshop, in_memory(workshop), outcome)
    })?;
    if outcome.ignored() > 0 {
        report.step("ignored tests still fail", || still_failing(workshop))?;
    }
    Ok(())
}

/// Runs a `cargo test` and reads it. No tests at all is a failure: silence is not success.
pub(crate) fn run_tests(
    workshop: &Workshop,
    command: Command,
    outcome: &mut Outcome,
) -> Result<String, Trouble> {
    let printed = workshop.watch(command, worth_showing)?;
    *outcome = Outcome::read(&printed.text);
    if outcome.failed() > 0 || !printed.status.success() {
        return Err(Trouble::new(format!(
            "{} ({})",
            outcome.sentence(),
            printed.status
        )));
    }
    if outcome.passed() == 0 {
        return Err(Trouble::new("no test ran, which is no success"));
    }
    Ok(outcome.sentence())
}

/// All tests but the stories, which need the release binary.
fn in_memory(workshop: &Workshop) -> Command {
    let mut command = workshop.cargo(&["test", "--workspace", "--no-fail-fast"]);
    // They start databases, which `test` installs and has room for.
    command.args(["--exclude", "cluster"]);
    if workshop.has("e2e/Cargo.toml") {
        command.args(["--exclude", "e2e"]);
    }
    command
}

/// An ignored test names what does not work yet; once it passes, the mark must go.
fn still_failing(workshop: &Workshop) -> Result<String, Trouble> {
    let mut command = in_memory(workshop);
    command.args(["--", "--ignored"]);
    let printed = workshop.watch(command, |_| false)?;
    let outcome = Outcome::read(&printed.text);
    let passing: Vec<&String> = outcome
        .binaries
        .iter()
        .flat_map(|binary| binary.passed.iter())
        .collect();
    match passing.first() {
        None => Ok(format!("{} still fail", outcome.failed())),
        Some(name) => Err(Trouble::new(format!(
            "`{name}` passes now: take its `#[ignore]` away"
        ))),
    }
}
