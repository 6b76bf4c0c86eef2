//! `test` and `e2e`: what only real programs can show.

use crate::check;
use crate::fuzz;
use crate::outcome::Outcome;
use crate::packages;
use crate::postgres;
use crate::product;
use crate::report::Report;
use crate::trials;
use crate::workshop::{Trouble, Workshop};

/// Everything, from a clean checkout.
pub(crate) fn test(workshop: &Workshop, _arguments: &[String]) -> Result<(), Trouble> {
    let mut report = Report::default();
    let mut memory = Outcome::default();
    let mut stories = Outcome::default();
    let result = report
        .step("packages", || packages::install(workshop))
        .and_then(|()| check::steps(workshop, &mut report, &mut memory))
        .and_then(|()| report.step("fuzz", || fuzz::short(workshop)))
        .and_then(|()| release_and_stories(workshop, &mut report, &mut stories, &[]))
        .and_then(|()| report.step("crashes", || trials::short_crash(workshop)))
        .and_then(|()| databases_and_nodes(workshop, &mut report));
    println!("\n{}", memory.table());
    println!("stories in a real browser\n{}", stories.names());
    println!("{}", report.table());
    let not_run = memory.ignored() + stories.ignored();
    if not_run > 0 {
        println!("{not_run} tests were not run: their names and issues are in the tables above");
    }
    let (passed, failed) = (
        memory.passed() + stories.passed(),
        memory.failed() + stories.failed(),
    );
    println!("{passed} passed, {failed} failed");
    result
}

/// The stories alone, or those of one chapter.
pub(crate) fn e2e(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    let mut report = Report::default();
    let mut stories = Outcome::default();
    let result = report
        .step("packages", || packages::install(workshop))
        .and_then(|()| release_and_stories(workshop, &mut report, &mut stories, arguments));
    println!(
        "\nstories in a real browser\n{}\n{}",
        stories.names(),
        report.table()
    );
    result?;
    println!("{}", stories.sentence());
    Ok(())
}

/// Several real nodes on real databases; the release binary is built.
fn databases_and_nodes(workshop: &Workshop, report: &mut Report) -> Result<(), Trouble> {
    report.step("databases", || {
        let command = workshop.cargo(&["test", "-p", "cluster", "--no-fail-fast"]);
        check::run_tests(workshop, command, &mut Outcome::default())
    })?;
    report.step("PostgreSQL 18", || postgres::conformance(workshop))?;
    report.step("stage on PostgreSQL", || {
        let mut command =
            workshop.cargo(&["test", "-p", "server", "--test", "it", "--no-fail-fast"]);
        command.env("FURKA_STAGE_ENGINE", "postgres");
        check::run_tests(workshop, command, &mut Outcome::default())
    })?;
    report.step("race", || trials::short_race(workshop))?;
    report.step("failover", || trials::short_failover(workshop))?;
    report.step("upgrade", || trials::short_upgrade(workshop))?;
    report.step("revoke", || trials::short_revoke(workshop))?;
    report.step("outage", || trials::short_outage(workshop))
}

fn release_and_stories(
    workshop: &Workshop,
    report: &mut Report,
    stories: &mut Outcome,
    chapter: &[String],
) -> Result<(), Trouble> {
    report.step("release build", || {
        product::build(workshop)?;
        Ok("ok".to_owned())
    })?;
    report.step("stories", || {
        if !workshop.has("e2e/Cargo.toml") {
            return Err(Trouble::new("`e2e/` does not exist, so no story was told"));
        }
        // One at a time: each starts a browser and a provider of its own on two cores.
        let mut command = workshop.cargo(&["test", "-p", "e2e", "--no-fail-fast", "--"]);
        command.arg("--test-threads=1").args(chapter);
        command.env("FURKA_BIN", workshop.release_binary());
        check::run_tests(workshop, command, stories)
    })
}
