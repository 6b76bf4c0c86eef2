//! `cargo xtask bench`: what the provider costs, as ratios within one run.
//!
//! It starts the release binary on a fresh installation, plays browsers and an application against
//! it over loopback, and reads CPU time and memory from the outside. Nothing of the provider knows
//! that it is measured.

mod applications;
mod asking;
mod canton;
mod growth;
mod load;
mod measure;
mod peer;
mod probe;
mod process;
mod raw;
mod registered;
mod report;
mod together;

use std::{env, path::PathBuf, process::ExitCode, time::Duration};

use canton::Canton;
use measure::Run;

/// Why a run ended without figures.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Where the evidence is kept, from the root of the checkout.
const EVIDENCE: &str = "docs/evidence/bench.json";
const USAGE: &str = "\
Usage: cargo xtask bench [--quick] [--only NUMBER] [--json FILE]
       cargo xtask bench --prepare DIR

  --quick        short windows, to see that it runs
  --only NUMBER  one of the measurements 1 to 20
  --json FILE    where the evidence is kept; a whole run keeps it in docs/evidence/bench.json
  --prepare DIR  only makes the installation, with a list of its people, for another driver";

/// What the command line says.
#[derive(Default)]
struct Wanted {
    json: Option<PathBuf>,
    only: Option<u8>,
    prepare: Option<PathBuf>,
    quick: bool,
}

fn main() -> ExitCode {
    let Some(wanted) = wanted(env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(64);
    };
    let runtime = tokio::runtime::Runtime::new().map_err(Trouble::from);
    match runtime.and_then(|runtime| runtime.block_on(bench(&wanted))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("bench: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Option<Wanted> {
    let mut wanted = Wanted::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => wanted.quick = true,
            "--only" => {
                let number = arguments.next()?.parse().ok();
                wanted.only = Some(number.filter(|number| (1..=20).contains(number))?);
            }
            "--json" => wanted.json = Some(arguments.next()?.into()),
            "--prepare" => wanted.prepare = Some(arguments.next()?.into()),
            _ => return None,
        }
    }
    Some(wanted)
}

async fn bench(wanted: &Wanted) -> Result<(), Trouble> {
    let furka = env::var_os("FURKA_BIN").map(PathBuf::from);
    let furka = furka.ok_or("FURKA_BIN names no binary: run this as `cargo xtask bench`")?;
    if let Some(home) = &wanted.prepare {
        Canton::to_keep(&furka, home).await?;
        let home = home.display();
        println!(
            "FURKA_FORWARDING=x-forwarded-for FURKA_TRUSTED_PROXIES=127.0.0.1 FURKA_LOG=warn \
             {} --config {home}/furka.toml serve",
            furka.display()
        );
        return Ok(());
    }
    let window = Duration::from_secs(if wanted.quick { 3 } else { 10 });
    let run = Run::prepare(&furka, window).await?;
    let report = run.measure(wanted.only).await?;
    print!("{}", report.table());
    let whole = !wanted.quick && wanted.only.is_none();
    let usual = whole.then(|| PathBuf::from(EVIDENCE));
    if let Some(path) = wanted.json.clone().or(usual) {
        report.keep(&path)?;
        println!("kept in {}", path.display());
    }
    Ok(())
}

/// So many a second.
fn ratio(count: u64, took: Duration) -> f64 {
    as_float(count) / took.as_secs_f64().max(1e-9)
}

/// Milliseconds for each of so many.
fn each_ms(all: Duration, count: u64) -> f64 {
    all.as_secs_f64() * 1000.0 / as_float(count).max(1.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of one run are far below 2^52"
)]
fn as_float(count: u64) -> f64 {
    count as f64
}
