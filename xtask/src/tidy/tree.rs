//! The checkout, read once: every text file, and which paths exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::rust::Source;

/// Folders that hold no work of ours.
const SKIPPED: [&str; 3] = [".git", "node_modules", "target"];

/// The files of a checkout, by path from its root, with `/` between folders.
#[derive(Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, File>,
    /// Every file and folder, also those that hold no text.
    paths: BTreeSet<String>,
}

/// A text file.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text cut into code, literals and comments, where it is Rust.
    pub(crate) rust: Option<Source>,
}

impl Tree {
    /// Reads a checkout.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.add_folder(root, "")?;
        tree.mark_test_files();
        Ok(tree)
    }

    /// A tree made of samples, for tests of rules.
    #[cfg(test)]
    pub(crate) fn of(samples: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in samples {
            tree.add_path(path);
            tree.add_file((*path).to_owned(), (*text).to_owned());
        }
        tree.mark_test_files();
        tree
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is such a file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains(path.trim_end_matches('/'))
    }

    /// Whether there is a file of this name in any folder.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.paths
            .iter()
            .any(|path| path.rsplit('/').next() == Some(name))
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Every Rust file with its parts.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files()
            .filter_map(|file| file.rust.as_ref().map(|source| (file, source)))
    }

    /// The files of one folder and below.
    pub(crate) fn under<'tree>(&'tree self, folder: &str) -> impl Iterator<Item = &'tree File> {
        let folder = folder.to_owned();
        self.files()
            .filter(move |file| file.path.starts_with(&folder))
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    self.paths.insert(path.clone());
                    self.add_folder(&entry.path(), &format!("{path}/"))?;
                }
            } else {
                self.paths.insert(path.clone());
                if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                    self.add_file(path, text);
                }
            }
        }
        Ok(())
    }

    /// A module declared as a test makes a test of its file.
    fn mark_test_files(&mut self) {
        let declared = self
            .rust()
            .flat_map(|(_, source)| source.test_files.clone());
        for path in declared.collect::<Vec<_>>() {
            let file = self
                .files
                .get_mut(&path)
                .and_then(|file| file.rust.as_mut());
            if let Some(source) = file {
                source.is_all_test();
            }
        }
    }

    #[cfg(test)]
    fn add_path(&mut self, path: &str) {
        self.paths.insert(path.to_owned());
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.add_path(folder);
        }
    }

    fn add_file(&mut self, path: String, text: String) {
        let rust = path.ends_with(".rs").then(|| Source::read(&path, &text));
        self.files.insert(path.clone(), File { path, text, rust });
    }
}

impl File {
    /// Its lines with their numbers, counted from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// The crate it belongs to: the folder below `crates/`, or the first folder.
    pub(crate) fn room(&self) -> &str {
        room(&self.path)
    }
}

/// The crate a path belongs to.
pub(crate) fn room(path: &str) -> &str {
    let path = path.strip_prefix("crates/").unwrap_or(path);
    path.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn a_file_whose_module_is_a_test_is_a_test() {
        let tree = Tree::of(&[
            (
                "crates/a/src/lib.rs",
                "#[cfg(test)]\nmod testing;\nmod login;\n",
            ),
            ("crates/a/src/login.rs", "fn a() {}\n"),
            ("crates/a/src/testing.rs", "fn a() {}\n"),
        ]);
        let tests: Vec<&str> = tree
            .rust()
            .filter(|(_, source)| source.is_test(1) && source.is_test(9))
            .map(|(file, _)| file.path.as_str())
            .collect();
        assert_eq!(tests, ["crates/a/src/testing.rs"]);
        assert!(tree.has("crates/a/src"));
    }
}
