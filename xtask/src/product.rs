//! `demo` and `bench`: the release binary, built and used.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::packages;
use crate::workshop::{Trouble, Workshop, somebody_watches};

/// Builds the binary as it is shipped.
pub(crate) fn build(workshop: &Workshop) -> Result<(), Trouble> {
    let mut command = workshop.cargo(&["build", "--release", "--package", "furka"]);
    if !somebody_watches() {
        command.arg("--quiet");
    }
    workshop.run(command)
}

/// Builds, then becomes `furka demo` with the same arguments.
pub(crate) fn demo(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    eprintln!("building furka; the first time takes some minutes");
    build(workshop)?;
    eprintln!("starting the canton; Ctrl-C ends it");
    let mut command = Command::new(workshop.release_binary());
    command.arg("demo").args(arguments);
    // Returns only if it could not become the other program.
    let error = command.exec();
    Err(Trouble::new(format!(
        "`furka demo` could not be started: {error}"
    )))
}

/// Builds, then runs the measuring program with the same arguments.
pub(crate) fn bench(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    if !workshop.has("bench/Cargo.toml") {
        return Err(Trouble::new(
            "`bench/` does not exist, so there is nothing to measure with",
        ));
    }
    for list in ["cluster/packages.txt", "bench/packages.txt"] {
        println!("{}", packages::install_those_of(workshop, list)?);
    }
    build(workshop)?;
    let mut command = workshop.cargo(&["run", "--release", "--quiet", "--package", "bench", "--"]);
    command
        .args(arguments)
        .env("FURKA_BIN", workshop.release_binary());
    workshop.run(command)
}
