//! An installation in a temporary folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use tempfile::TempDir;

use crate::terminal::furka;

pub(crate) struct Installation {
    dir: TempDir,
}

impl Installation {
    /// Made by `furka init`.
    pub(crate) fn new() -> Self {
        Self::made_by(&["init", "."])
    }

    /// Made by `furka init` on this database, which is empty.
    pub(crate) fn on(database: &str) -> Self {
        Self::made_by(&["init", ".", "--database", database])
    }

    fn made_by(arguments: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let made = furka(dir.path()).args(arguments).output().unwrap();
        assert!(made.status.success(), "{}", text(&made.stderr));
        Self { dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        furka(self.dir()).args(arguments).output().unwrap()
    }

    /// Standard output of a command that must succeed.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert!(
            done.status.success(),
            "{arguments:?}: {}{}",
            text(&done.stdout),
            text(&done.stderr)
        );
        text(&done.stdout)
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
