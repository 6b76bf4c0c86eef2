//! `cargo xtask simulate`: plays seed after seed, and says which one breaks a promise.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::time::{Instant, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};
use testkit::simulation::{Plan, Told, play};

const USAGE: &str = "\
cargo xtask simulate [--seed N] [--hours H]

  --seed N   the first seed; each seed is one simulated hour of faults and the calm after it
             [default: from the clock]
  --hours H  so many simulated hours, with one seed each [default: 24, or 1 if a seed is given]

A seed repeats exactly what happened: `--seed N` is all that a failure needs to be seen again.";

/// What is to be played.
struct Wanted {
    hours: u64,
    seed: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .iter()
        .any(|word| word == "--help" || word == "-h")
    {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let Some(wanted) = Wanted::read(&arguments, from_the_clock()) else {
        eprintln!("this is used as\n\n{USAGE}");
        return ExitCode::FAILURE;
    };
    wanted.plays()
}

impl Wanted {
    fn read(arguments: &[String], by_chance: u64) -> Option<Self> {
        let (mut hours, mut seed) = (None, None);
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let value: u64 = words.next()?.parse().ok()?;
            match word.as_str() {
                "--hours" if value > 0 => hours = Some(value),
                "--seed" => seed = Some(value),
                _ => return None,
            }
        }
        Some(Self {
            hours: hours.unwrap_or(if seed.is_some() { 1 } else { 24 }),
            seed: seed.unwrap_or(by_chance),
        })
    }

    fn plays(&self) -> ExitCode {
        let began = now();
        let bar = ProgressBar::new(self.hours.saturating_mul(3600));
        let style = "{wide_bar} {percent} % of the simulated time, {eta} left";
        bar.set_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let mut sum = Told::default();
        for number in 0..self.hours {
            let plan = Plan {
                hours: 1,
                lie: None,
                seed: self.seed.wrapping_add(number),
            };
            let before = number.saturating_mul(3600);
            let told = play(plan, |seconds| {
                bar.set_position(before.saturating_add(seconds.unsigned_abs()));
            });
            match told {
                Ok(told) => adds(&mut sum, &told),
                Err(violation) => {
                    bar.finish_and_clear();
                    let seed = violation.seed;
                    eprintln!(
                        "{violation}\n\nsee it again: cargo xtask simulate --seed {seed}; commit {}",
                        commit()
                    );
                    return ExitCode::FAILURE;
                }
            }
        }
        bar.finish_and_clear();
        let took_s = now().duration_since(began).as_secs_f64();
        println!("{}", self.sentence(&sum, took_s));
        ExitCode::SUCCESS
    }

    fn sentence(&self, sum: &Told, took_s: f64) -> String {
        let faults: Vec<String> = sum
            .faults
            .iter()
            .map(|(fault, count)| format!("{count} {fault}"))
            .collect();
        let simulated_s = sum.simulated_s as f64;
        format!(
            "simulate: no promise broken; seeds {} to {}: {} acts, {} requests, {} sign-ins; {}; \
             {:.1} h simulated in {took_s:.0} s ({:.0} times as fast); trace {:016x}; commit {}",
            self.seed,
            self.seed.wrapping_add(self.hours.saturating_sub(1)),
            sum.acts,
            sum.requests,
            sum.sign_ins,
            faults.join(", "),
            simulated_s / 3600.0,
            simulated_s / took_s.max(0.001),
            sum.trace,
            commit()
        )
    }
}

fn adds(sum: &mut Told, told: &Told) {
    sum.acts += told.acts;
    sum.requests += told.requests;
    sum.sign_ins += told.sign_ins;
    sum.simulated_s += told.simulated_s;
    sum.trace = sum.trace.rotate_left(1) ^ told.trace;
    let faults: &mut BTreeMap<&'static str, u64> = &mut sum.faults;
    for (fault, count) in &told.faults {
        *faults.entry(fault).or_default() += count;
    }
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

#[expect(
    clippy::disallowed_methods,
    reason = "how long a run took is not the product's time"
)]
fn now() -> Instant {
    Instant::now()
}

/// A seed that nobody chose.
#[expect(
    clippy::disallowed_methods,
    reason = "the one thing here that comes by chance; it is printed"
)]
fn from_the_clock() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs())
}
