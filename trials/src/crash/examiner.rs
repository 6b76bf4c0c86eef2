//! Somebody else's SQLite looks at the database: whether every page, index and reference is whole.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Trouble;

/// It reads only.
const PROGRAM: &str = include_str!("examiner.py");

/// One program that examines one database after the other.
#[derive(Debug)]
pub(super) struct Examiner {
    asks: ChildStdin,
    child: Child,
    says: BufReader<ChildStdout>,
}

impl Examiner {
    pub(super) fn start() -> Result<Self, Trouble> {
        let mut child = Command::new("python3")
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Trouble::from(format!("running `python3`: {error}")))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(asks), Some(says)) => Ok(Self {
                asks,
                child,
                says: BufReader::new(says),
            }),
            _ => Err(Trouble::from("`python3` has no pipes")),
        }
    }

    /// Looks at a database that is in use.
    pub(super) fn examine(&mut self, database: &Path) -> Result<(), Trouble> {
        let mut found = String::new();
        writeln!(self.asks, "{}", database.display())
            .and_then(|()| self.says.read_line(&mut found))
            .map_err(|error| Trouble::from(format!("asking the examiner: {error}")))?;
        match found.trim() {
            "ok" => Ok(()),
            found => Err(Trouble::from(format!("the database is damaged: {found}"))),
        }
    }
}

impl Drop for Examiner {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
