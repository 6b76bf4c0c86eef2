//! `fuzz`: what strangers send, made by libFuzzer, against every parser.
//!
//! The program is that of `fuzz/`, built by the stable compiler: the flags are those by which `cargo-fuzz`
//! measures coverage, without a sanitizer, since nothing here is `unsafe`. They are other flags than those
//! of everything else, so what they build lies in a folder of its own.

mod evidence;
mod run;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use crate::workshop::{Trouble, Workshop, somebody_watches};
use run::{Found, Length, Listed};

/// What `cargo-fuzz` passes to the compiler to see which inputs reach new code.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0";

/// How long a target runs if nothing is said, in seconds.
const SECONDS: u64 = 60;
/// The same in `test`: long enough to see a promise broken that a change has broken everywhere.
const SHORT_SECONDS: u64 = 4;

/// What was asked for.
struct Wish {
    target: Option<String>,
    length: Length,
    jobs: usize,
    repeat: Option<PathBuf>,
}

/// Builds, runs the targets, and adds what they did to the evidence.
pub(crate) fn fuzz(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    let wish = Wish::read(arguments)?;
    let bench = Bench::build(workshop)?;
    let targets = bench.chosen(wish.target.as_deref())?;
    if let Some(file) = &wish.repeat {
        let [target] = targets.as_slice() else {
            return Err(Trouble::new("name the target that `--repeat` is for"));
        };
        return workshop.run(run::repeating(&bench, target, file));
    }
    let found = bench.run(&targets, wish.length, wish.jobs);
    println!("\n{}", table(&found));
    evidence::add(workshop, arguments, &found)?;
    verdict(&found)
}

/// The short run of all targets, for `test`. It is no evidence: nothing is kept of it.
pub(crate) fn short(workshop: &Workshop) -> Result<String, Trouble> {
    let bench = Bench::build(workshop)?;
    let targets = bench.chosen(None)?;
    let found = bench.run(&targets, Length::Seconds(SHORT_SECONDS), cores());
    println!("\n{}", table(&found));
    verdict(&found)?;
    let executions: u64 = found.iter().map(|one| one.executions).sum();
    Ok(format!("{} targets, {executions} executions", found.len()))
}

impl Wish {
    fn read(arguments: &[String]) -> Result<Self, Trouble> {
        let mut wish = Self {
            target: None,
            length: Length::Seconds(SECONDS),
            jobs: cores(),
            repeat: None,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                let missing = || Trouble::new(format!("`{word}` needs a value"));
                words.next().ok_or_else(missing)
            };
            match word.as_str() {
                "--runs" => wish.length = Length::Runs(number(value()?)?),
                "--seconds" => wish.length = Length::Seconds(number(value()?)?),
                "--jobs" => wish.jobs = usize::try_from(number(value()?)?).unwrap_or(1),
                "--repeat" => wish.repeat = Some(PathBuf::from(value()?)),
                option if option.starts_with('-') => {
                    let cure = "there are --runs N, --seconds S, --jobs N and --repeat FILE";
                    return Err(Trouble::new(format!(
                        "there is no option `{option}`: {cure}"
                    )));
                }
                name => wish.target = Some(name.to_owned()),
            }
        }
        Ok(wish)
    }
}

fn number(text: &str) -> Result<u64, Trouble> {
    let plain = text.replace('_', "").parse::<u64>().ok();
    let positive = plain.filter(|number| *number > 0);
    positive.ok_or_else(|| Trouble::new(format!("`{text}` is no number above 0")))
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The program, its targets, and the folder in which it works.
struct Bench {
    program: PathBuf,
    folder: PathBuf,
    root: PathBuf,
    targets: Vec<Listed>,
}

impl Bench {
    /// Builds the program and lets it write its seeds.
    fn build(workshop: &Workshop) -> Result<Self, Trouble> {
        let folder = workshop.built().join("fuzz");
        let host = host(workshop)?;
        let mut command = workshop.cargo(&["build", "--profile", "fuzz", "--package", "fuzz"]);
        // With a target named, the flags are for the program and not for build scripts.
        command.args(["--features", "libfuzzer", "--target", &host]);
        if !somebody_watches() {
            command.arg("--quiet");
        }
        command
            .env("CARGO_TARGET_DIR", &folder)
            .env("RUSTFLAGS", COVERAGE)
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        workshop.run(command)?;
        let program = folder.join(host).join("fuzz").join("fuzz");
        let mut listing = Command::new(&program);
        listing.env("FURKA_FUZZ_SEEDS", folder.join("seeds"));
        let printed = workshop.watch(listing, |_| false)?;
        let targets = printed.text.lines().filter_map(Listed::read).collect();
        Ok(Self {
            program,
            folder,
            root: workshop.root().to_owned(),
            targets,
        })
    }

    /// The target of this name, or all of them.
    fn chosen(&self, name: Option<&str>) -> Result<Vec<&Listed>, Trouble> {
        let fits = |target: &&Listed| name.is_none_or(|name| target.name == name);
        let chosen: Vec<&Listed> = self.targets.iter().filter(fits).collect();
        if chosen.is_empty() {
            let names: Vec<&str> = self.targets.iter().map(|one| one.name.as_str()).collect();
            let name = name.unwrap_or_default();
            let sentence = format!(
                "there is no target `{name}`: there are {}",
                names.join(", ")
            );
            return Err(Trouble::new(sentence));
        }
        Ok(chosen)
    }

    /// Runs targets, some at the same time; what each found, in their order.
    fn run(&self, targets: &[&Listed], length: Length, jobs: usize) -> Vec<Found> {
        let waiting = Mutex::new(targets.iter().enumerate());
        let done = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..jobs.min(targets.len()) {
                scope.spawn(|| {
                    while let Some((number, target)) = taken(&waiting) {
                        let found = run::one(self, target, length);
                        println!("{}", row(&found));
                        if let Ok(mut done) = done.lock() {
                            done.push((number, found));
                        }
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_default();
        done.sort_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, found)| found).collect()
    }
}

/// The next one. The lock is held no longer than that.
fn taken<T>(waiting: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    waiting.lock().ok()?.next()
}

/// The name of the machine that this compiler builds for.
fn host(workshop: &Workshop) -> Result<String, Trouble> {
    let mut rustc = Command::new("rustc");
    rustc.arg("-vV").current_dir(workshop.root());
    let printed = workshop.watch(rustc, |_| false)?;
    let line = printed
        .text
        .lines()
        .find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned)
        .ok_or_else(|| Trouble::new("`rustc -vV` does not say for which machine it builds"))
}

fn table(found: &[Found]) -> String {
    let mut text = format!(
        "{:<14} {:>14} {:>8} {:>8} {:>9} {:>7}  result\n",
        "target", "executions", "seconds", "exec/s", "coverage", "corpus"
    );
    for one in found {
        text.push_str(&row(one));
        text.push('\n');
    }
    text
}

fn row(found: &Found) -> String {
    format!(
        "{:<14} {:>14} {:>8.1} {:>8.0} {:>9} {:>7}  {}",
        found.name,
        found.executions,
        found.seconds,
        found.speed(),
        found.coverage,
        found.corpus,
        found.failure.as_deref().map_or("ok", |_| "FAILED"),
    )
}

/// An error that names every failure and how to see it again.
fn verdict(found: &[Found]) -> Result<(), Trouble> {
    let failures: Vec<String> = found
        .iter()
        .filter_map(|one| Some(format!("{}: {}", one.name, one.failure.as_ref()?)))
        .collect();
    if found
        .iter()
        .any(|one| one.executions == 0 && one.failure.is_none())
    {
        return Err(Trouble::new("a target ran nothing, which is no success"));
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Trouble::new(failures.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Length, Wish, verdict};
    use crate::fuzz::run::Found;

    fn wish(text: &str) -> Result<Wish, crate::workshop::Trouble> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Wish::read(&words)
    }

    #[test]
    fn a_target_and_a_length_are_read_and_odd_words_refused() {
        let read = wish("jose --runs 100_000_000 --jobs 1").unwrap();
        assert_eq!(read.target.as_deref(), Some("jose"));
        assert_eq!((read.length, read.jobs), (Length::Runs(100_000_000), 1));
        assert_eq!(wish("--seconds 5").unwrap().length, Length::Seconds(5));
        for bad in ["--runs", "--runs 0", "--runs x", "--quick"] {
            assert!(wish(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_failure_is_named_and_silence_is_no_success() {
        let good = Found {
            name: "jose".to_owned(),
            executions: 7,
            ..Found::default()
        };
        let bad = Found {
            failure: Some("panicked; see it again with `…`".to_owned()),
            ..good.clone()
        };
        assert!(verdict(std::slice::from_ref(&good)).is_ok());
        let sentence = verdict(&[good, bad]).unwrap_err().to_string();
        assert_eq!(sentence, "jose: panicked; see it again with `…`");
        assert!(verdict(&[Found::default()]).is_err());
    }
}
