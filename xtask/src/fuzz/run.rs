//! One run of one target, and what libFuzzer said about it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::Bench;
use crate::workshop::somebody_watches;

/// An input that takes longer is a finding, in seconds; more than a thousand times the usual.
const TIMEOUT_S: u32 = 10;
/// A program that grows beyond this is a finding, in MiB.
const MEMORY_MB: u32 = 1024;

/// How long a target runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Length {
    /// So many inputs.
    Runs(u64),
    /// So long.
    Seconds(u64),
}

/// A target as the program lists it.
pub(super) struct Listed {
    pub(super) name: String,
    bytes_max: u64,
    dictionary: String,
}

impl Listed {
    /// Reads a line of the list.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let listed = Self {
            name: words.next()?.to_owned(),
            bytes_max: words.next()?.parse().ok()?,
            dictionary: words.next()?.to_owned(),
        };
        words.next().is_none().then_some(listed)
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) executions: u64,
    pub(super) seconds: f64,
    /// Edges of the program that some input went along.
    pub(super) coverage: u64,
    /// Inputs that are kept because each goes along an edge of its own.
    pub(super) corpus: u64,
    /// What went wrong and how to see it again.
    pub(super) failure: Option<String>,
}

impl Found {
    /// Inputs a second.
    pub(super) fn speed(&self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a speed for people; below 2^53 it is exact anyway"
        )]
        let executions = self.executions as f64;
        executions / self.seconds.max(0.1)
    }

    /// Reads what libFuzzer printed.
    fn read(name: &str, printed: &str) -> Self {
        let after = |line: &str, word: &str| {
            let (_, rest) = line.split_once(word)?;
            let digits = rest.trim_start();
            let end = digits.find(|letter: char| !letter.is_ascii_digit());
            digits
                .get(..end.unwrap_or(digits.len()))?
                .parse::<u64>()
                .ok()
        };
        let mut found = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        for line in printed.lines() {
            if let Some(executions) = after(line, "stat::number_of_executed_units:") {
                found.executions = executions;
            } else if line.starts_with('#') {
                found.coverage = after(line, " cov:").unwrap_or(found.coverage);
                found.corpus = after(line, " corp:").unwrap_or(found.corpus);
            }
        }
        found
    }
}

/// Runs a target from its seeds and from what earlier runs kept.
pub(super) fn one(bench: &Bench, target: &Listed, length: Length) -> Found {
    let started = now();
    let printed = match printed(bench, target, length) {
        Ok(printed) => printed,
        Err(error) => {
            return Found {
                name: target.name.clone(),
                failure: Some(format!("running it: {error}")),
                ..Found::default()
            };
        }
    };
    let (text, good) = printed;
    Found {
        seconds: now().duration_since(started).as_secs_f64(),
        failure: (!good).then(|| failure(&target.name, &text)),
        ..Found::read(&target.name, &text)
    }
}

/// The program with an input that failed before.
pub(super) fn repeating(bench: &Bench, target: &Listed, file: &Path) -> Command {
    let mut command = Command::new(&bench.program);
    command
        .arg(format!("-timeout={TIMEOUT_S}"))
        .arg(file)
        .env("FURKA_FUZZ_TARGET", &target.name);
    command
}

/// What the run printed, and whether it ended well.
fn printed(bench: &Bench, target: &Listed, length: Length) -> std::io::Result<(String, bool)> {
    let place = |folder: &str| -> std::io::Result<PathBuf> {
        let place = bench.folder.join(folder).join(&target.name);
        fs::create_dir_all(&place)?;
        Ok(place)
    };
    let dictionary = format!("fuzz/dictionaries/{}.dict", target.dictionary);
    let mut command = Command::new(&bench.program);
    command
        .arg(match length {
            Length::Runs(runs) => format!("-runs={runs}"),
            Length::Seconds(seconds) => format!("-max_total_time={seconds}"),
        })
        .arg(format!("-timeout={TIMEOUT_S}"))
        .arg(format!("-rss_limit_mb={MEMORY_MB}"))
        .arg(format!("-max_len={}", target.bytes_max))
        .arg(format!("-dict={}", bench.root.join(dictionary).display()))
        .arg(format!(
            "-artifact_prefix={}/",
            place("failures")?.display()
        ))
        .args(["-print_final_stats=1", "-reload=0"])
        .arg(place("corpus")?)
        .arg(place("seeds")?)
        .env("FURKA_FUZZ_TARGET", &target.name)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut text = String::new();
    if let Some(lines) = child.stderr.take() {
        for line in BufReader::new(lines).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            show(&target.name, &line);
            text.push_str(&line);
            text.push('\n');
        }
    }
    Ok((text, child.wait()?.success()))
}

/// How far a run is, for whoever watches.
fn show(name: &str, line: &str) {
    if line.starts_with('#') && somebody_watches() {
        let line: String = line.chars().take(90).collect();
        print!("\r{name:<14} {line:<92}\r");
        // Whether it is seen changes nothing.
        std::io::stdout().flush().unwrap_or_default();
    }
}

/// What went wrong, in two lines: the words of the panic or of libFuzzer, and how to see it again.
fn failure(name: &str, text: &str) -> String {
    let said = |word: &str| text.lines().find(|line| line.contains(word));
    let what = said(" panicked at ").or_else(|| said("ERROR: libFuzzer"));
    let kept = text
        .lines()
        .find_map(|line| line.split_once("Test unit written to "));
    let cure = kept.map_or_else(
        || "no input was kept".to_owned(),
        |(_, file)| format!("see it again with `cargo xtask fuzz {name} --repeat {file}`"),
    );
    format!("{}; {cure}", what.unwrap_or("it ended without a word"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a run took is not the product's time"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::{Found, Listed, failure};

    const PRINTED: &str = "#2\tINITED cov: 100 ft: 101 corp: 4/97Kb exec/s: 0 rss: 33Mb\n\
        #314212\tDONE   cov: 1717 ft: 3192 corp: 453/109Kb lim: 864 exec/s: 44887 rss: 33Mb\n\
        ###### Recommended dictionary. ######\n\
        stat::number_of_executed_units: 314212\nstat::peak_rss_mb:              33\n";

    #[test]
    fn what_libfuzzer_prints_is_read() {
        let found = Found::read("jose", PRINTED);
        assert_eq!(
            (found.executions, found.coverage, found.corpus),
            (314_212, 1717, 453)
        );
        assert_eq!(Found::read("jose", "no such file").executions, 0);
    }

    #[test]
    fn a_failure_says_what_was_said_and_how_to_see_it_again() {
        let text = "thread 'x' panicked at src/a.rs:1:1:\n\
            ==1== ERROR: libFuzzer: deadly signal\n\
            artifact_prefix='f/'; Test unit written to f/crash-1\n";
        let sentence = failure("jose", text);
        assert!(sentence.starts_with("thread 'x' panicked at src/a.rs:1:1:; "));
        assert!(sentence.ends_with("`cargo xtask fuzz jose --repeat f/crash-1`"));
        let slow = failure("jose", "==1== ERROR: libFuzzer: timeout after 10 seconds\n");
        assert!(slow.contains("timeout"), "{slow}");
    }

    #[test]
    fn a_line_of_the_list_has_three_words() {
        let listed = Listed::read("jose 9216 jose").unwrap();
        assert_eq!((listed.name.as_str(), listed.bytes_max), ("jose", 9216));
        assert!(Listed::read("WARNING: Failed to find").is_none());
    }
}
