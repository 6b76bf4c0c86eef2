//! What the program does beside fuzzing: it writes its seeds, and it chooses its target.

use std::path::Path;
use std::process::exit;
use std::sync::OnceLock;
use std::{env, fs, io};

use crate::{TARGETS, Target, named};

/// Names the folder that seeds are written to; nothing is fuzzed then.
pub const SEEDS: &str = "FURKA_FUZZ_SEEDS";
/// Names the target.
pub const TARGET: &str = "FURKA_FUZZ_TARGET";

static CHOSEN: OnceLock<&Target> = OnceLock::new();

/// Reads the environment before libFuzzer reads its arguments. Ends the program if only seeds were
/// wanted, or if there is no such target.
pub fn begin() {
    if let Some(folder) = env::var_os(SEEDS) {
        match write_seeds(Path::new(&folder)) {
            Ok(()) => exit(0),
            Err(error) => {
                eprintln!("writing seeds to {}: {error}", folder.display());
                exit(2);
            }
        }
    }
    let name = env::var(TARGET).unwrap_or_default();
    match named(&name) {
        Some(target) => {
            CHOSEN.get_or_init(|| target);
        }
        None => {
            eprintln!("{TARGET} is `{name}`, which is no target; use `cargo xtask fuzz`");
            exit(2);
        }
    }
}

/// Runs the chosen target once.
///
/// # Panics
/// When the parser breaks a promise.
pub fn one(input: &[u8]) {
    if let Some(target) = CHOSEN.get() {
        (target.accepts)(input);
    }
}

/// Writes the seeds of every target to a folder of its name, and prints what there is: name, bound in
/// bytes and dictionary, a line each.
fn write_seeds(folder: &Path) -> io::Result<()> {
    for target in TARGETS {
        let place = folder.join(target.name);
        // What an earlier program signed is no seed of this one.
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::create_dir_all(&place)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(place.join(format!("{number:02}")), seed)?;
        }
        println!("{} {} {}", target.name, target.bytes_max, target.dictionary);
    }
    Ok(())
}
