//! What `cargo test` printed, as counts and names.

use std::collections::BTreeSet;

/// The tests of one run.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Outcome {
    /// One row a test binary, in the order of the run.
    pub(crate) binaries: Vec<Binary>,
}

/// What one test binary printed.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Binary {
    pub(crate) name: String,
    pub(crate) passed: BTreeSet<String>,
    pub(crate) failed: BTreeSet<String>,
    /// Tests that were not run, with the reason their `#[ignore]` gives.
    pub(crate) ignored: BTreeSet<String>,
    /// Whether the line that ends a binary's output was seen; a binary that crashed prints none.
    pub(crate) ended: bool,
    /// A test whose verdict is not on its own line, because something it started printed in between.
    running: Option<String>,
}

impl Outcome {
    /// Reads the output of `cargo test`, both streams in order.
    pub(crate) fn read(text: &str) -> Self {
        let mut outcome = Self::default();
        for line in text.lines().map(str::trim_start) {
            if let Some(name) = opened(line) {
                outcome.binaries.push(Binary {
                    name,
                    ..Binary::default()
                });
            } else if let Some(binary) = outcome.binaries.last_mut() {
                binary.note(line);
            }
        }
        outcome
    }

    pub(crate) fn passed(&self) -> usize {
        self.binaries.iter().map(|binary| binary.passed.len()).sum()
    }

    /// Failed tests; a binary that broke off counts as one more.
    pub(crate) fn failed(&self) -> usize {
        self.binaries
            .iter()
            .map(|binary| binary.failed.len() + usize::from(!binary.ended))
            .sum()
    }

    pub(crate) fn ignored(&self) -> usize {
        self.binaries
            .iter()
            .map(|binary| binary.ignored.len())
            .sum()
    }

    /// `12 passed, 0 failed`, and what was not run where there is any.
    pub(crate) fn sentence(&self) -> String {
        let counts = format!("{} passed, {} failed", self.passed(), self.failed());
        match self.ignored() {
            0 => counts,
            ignored => format!("{counts}, {ignored} not run"),
        }
    }

    /// A row a binary that has tests, then the names of what failed and of what did not run.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{:<44} {:>7} {:>7} {:>8}\n",
            "tests", "passed", "failed", "not run"
        );
        for binary in &self.binaries {
            let counts = [
                binary.passed.len(),
                binary.failed.len(),
                binary.ignored.len(),
            ];
            if counts != [0, 0, 0] || !binary.ended {
                let [passed, failed, ignored] = counts;
                let name = &binary.name;
                text.push_str(&format!(
                    "{name:<44} {passed:>7} {failed:>7} {ignored:>8}\n"
                ));
            }
            if !binary.ended {
                text.push_str("  broke off before its end\n");
            }
            for name in &binary.failed {
                text.push_str(&format!("  FAILED   {name}\n"));
            }
            for name in &binary.ignored {
                text.push_str(&format!("  not run  {name}\n"));
            }
        }
        text
    }

    /// Every test by name, for runs whose names are the report.
    pub(crate) fn names(&self) -> String {
        let mut text = String::new();
        for binary in &self.binaries {
            let passed = binary.passed.iter().map(|name| ("passed", name));
            let failed = binary.failed.iter().map(|name| ("FAILED", name));
            let ignored = binary.ignored.iter().map(|name| ("not run", name));
            for (how, name) in passed.chain(failed).chain(ignored) {
                text.push_str(&format!("  {how:<8} {}\n", name.replace('_', " ")));
            }
        }
        text
    }
}

impl Binary {
    fn note(&mut self, line: &str) {
        if line.starts_with("test result: ") {
            self.ended = true;
        } else if let Some((name, verdict)) = name_and_verdict(line) {
            self.running = None;
            if !self.judge(name, verdict) {
                self.running = Some(name.to_owned());
            }
        } else if let Some(name) = self.running.take_if(|_| is_verdict(line)) {
            self.judge(&name, line);
        }
    }

    /// Notes a verdict; false if it is none.
    fn judge(&mut self, name: &str, verdict: &str) -> bool {
        match verdict {
            "ok" => self.passed.insert(name.to_owned()),
            "FAILED" => self.failed.insert(name.to_owned()),
            _ if is_verdict(verdict) => {
                let reason = verdict
                    .trim_start_matches("ignored")
                    .trim_start_matches(", ");
                self.ignored.insert(format!("{name} ({reason})"))
            }
            _ => return false,
        };
        true
    }
}

/// The name of the binary whose output begins with this line.
fn opened(line: &str) -> Option<String> {
    if let Some(krate) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{krate} (documentation)"));
    }
    let rest = line.strip_prefix("Running ")?;
    let (what, binary) = rest.rsplit_once(" (")?;
    let file = binary.trim_end_matches(')').rsplit('/').next()?;
    let krate = file.rsplit_once('-').map_or(file, |(name, _hash)| name);
    Some(format!(
        "{krate} ({})",
        what.trim_start_matches("unittests ")
    ))
}

/// `test NAME ... VERDICT`; the verdict may be something else that was printed there.
fn name_and_verdict(line: &str) -> Option<(&str, &str)> {
    let (name, verdict) = line.strip_prefix("test ")?.split_once(" ...")?;
    Some((name.trim_end_matches(" - should panic"), verdict.trim()))
}

fn is_verdict(text: &str) -> bool {
    ["ok", "FAILED"].contains(&text) || text == "ignored" || text.starts_with("ignored, ")
}

/// Whether a log needs this line: all but the tests that passed and cargo's progress.
pub(crate) fn worth_showing(line: &str) -> bool {
    let passed = line.starts_with("test ") && line.ends_with(" ... ok");
    let chatter = [
        "running ",
        "   Compiling ",
        "    Checking ",
        "     Running ",
        "   Doc-tests ",
    ];
    !passed && !line.is_empty() && !chatter.iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::{Outcome, worth_showing};

    const RUN: &str = "\
   Compiling journey v0.1.0 (crates/journey)
     Running unittests src/lib.rs (target/debug/deps/journey-0123456789abcdef)

running 3 tests
test login::a_code_is_spent_once ... ok
test login::a_wrong_code_is_counted ... FAILED
test login::later ... ignored, #7

failures:
    login::a_wrong_code_is_counted

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out

   Doc-tests journey

running 1 test
test crates/journey/src/proof.rs - proof::Proof (line 12) - compile fail ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out
";

    #[test]
    fn counts_and_names_are_read_from_a_run() {
        let outcome = Outcome::read(RUN);
        assert_eq!(outcome.sentence(), "2 passed, 1 failed, 1 not run");
        let table = outcome.table();
        assert!(table.contains("journey (src/lib.rs)"), "{table}");
        assert!(
            table.contains("FAILED   login::a_wrong_code_is_counted"),
            "{table}"
        );
        assert!(table.contains("not run  login::later (#7)"), "{table}");
        assert!(
            outcome
                .names()
                .contains("passed   login::a code is spent once")
        );
    }

    #[test]
    fn a_binary_that_crashed_is_a_failure() {
        let cut = RUN.split("failures:").next().unwrap();
        let outcome = Outcome::read(cut);
        assert_eq!(outcome.failed(), 2);
        assert!(outcome.table().contains("broke off"));
    }

    #[test]
    fn a_verdict_is_found_below_what_a_child_printed() {
        let run = "     Running tests/it.rs (target/debug/deps/e2e-0123456789abcdef)\n\
                   test by_sms ... DevTools listening\nready\nok\ntest by_app ... ok\n\
                   test result: ok. 2 passed; 0 failed; 0 ignored\n";
        assert_eq!(Outcome::read(run).sentence(), "2 passed, 0 failed");
    }

    #[test]
    fn no_tests_are_no_success() {
        assert_eq!(Outcome::read("error: no such package").passed(), 0);
    }

    #[test]
    fn logs_leave_out_what_passed_and_nothing_else() {
        assert!(!worth_showing("test login::a_code_is_spent_once ... ok"));
        assert!(worth_showing(
            "test login::a_wrong_code_is_counted ... FAILED"
        ));
        assert!(worth_showing("thread 'x' panicked at src/lib.rs:1:1:"));
        assert!(worth_showing("test result: ok. 1 passed; 0 failed"));
    }
}
