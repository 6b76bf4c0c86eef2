//! The clock of one node, which can be moved while it runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use cluster::Nodes;

use crate::Trouble;

/// What stands between a program and the clock reads this file again each time.
#[derive(Debug)]
pub(super) struct Clock(PathBuf);

impl Clock {
    /// Gives a place of a node a clock of its own, from its next start on.
    pub(super) fn of(nodes: &mut Nodes, node: usize) -> Result<Self, Trouble> {
        let file = nodes.installation().home().join(format!("clock{node}"));
        let clock = Self(file);
        clock.is_ahead(0)?;
        nodes.set(node, "LD_PRELOAD", library()?)?;
        nodes.set(node, "FAKETIME_TIMESTAMP_FILE", &clock.0)?;
        // What counts how long something takes goes on evenly, as it does on a real machine.
        nodes.set(node, "FAKETIME_DONT_FAKE_MONOTONIC", "1")?;
        nodes.set(node, "FAKETIME_NO_CACHE", "1")?;
        Ok(clock)
    }

    /// Sets it by so many seconds before the machine's, so that it is never read half written.
    pub(super) fn is_ahead(&self, seconds: i64) -> io::Result<()> {
        let new = self.0.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n"))?;
        fs::rename(new, &self.0)
    }
}

/// Debian's library.
fn library() -> Result<PathBuf, Trouble> {
    for folder in fs::read_dir(Path::new("/usr/lib"))? {
        let file = folder?.path().join("faketime/libfaketime.so.1");
        if file.exists() {
            return Ok(file);
        }
    }
    Err("libfaketime is not installed: install the package faketime".into())
}
