//! `simulate`: hours of several nodes on a faulty store in seconds, driven by a seed.

use crate::workshop::{Trouble, Workshop};

/// Builds with the checks of a debug build, then plays.
pub(crate) fn simulate(workshop: &Workshop, arguments: &[String]) -> Result<(), Trouble> {
    let mut command = workshop.cargo(&["run", "--quiet", "--package", "testkit"]);
    command
        .args(["--example", "simulate", "--"])
        .args(arguments);
    workshop.run(command)
}
