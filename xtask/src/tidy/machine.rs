//! Nothing of the machine it was written on: no home folders, no private registries.

use super::Finding;
use super::rust::is_word;
use super::tree::Tree;

/// Folders that exist on somebody's machine only; written in halves, or this file would be found.
const FOLDERS: [&str; 3] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

/// The only places that a lock file may name.
const REGISTRIES: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "https://registry.npmjs.org/",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.files() {
        for (line, _) in file.lines().filter(|(_, text)| names_a_folder(text)) {
            let cure = "say it relative to the checkout, or let the reader's machine answer";
            let sentence = format!("a path of somebody's own machine: {cure}");
            found.push(Finding::new(&file.path, line, sentence));
        }
        let is_lock = file.path.ends_with("Cargo.lock") || file.path.ends_with("package-lock.json");
        for (line, _) in file
            .lines()
            .filter(|(_, text)| is_lock && names_a_registry(text))
        {
            let sentence = "a registry that others cannot reach: lock against the public one";
            found.push(Finding::new(&file.path, line, sentence));
        }
        let is_settings = file.path.starts_with(".cargo/") || file.path.ends_with(".npmrc");
        for (line, _) in file
            .lines()
            .filter(|(_, text)| is_settings && text.contains("registr"))
        {
            let sentence = "a registry in the settings of the checkout: it belongs in one's own";
            found.push(Finding::new(&file.path, line, sentence));
        }
    }
    found
}

/// Whether a path that begins here begins with one of the folders.
fn names_a_folder(text: &str) -> bool {
    FOLDERS.iter().any(|folder| {
        text.match_indices(folder).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            !before.is_some_and(|letter| is_word(letter) || ".}-".contains(letter))
        })
    })
}

/// Whether a line of a lock file names a registry that is not public.
fn names_a_registry(text: &str) -> bool {
    let text = text.trim_start();
    let source = text
        .strip_prefix("source = \"")
        .or_else(|| text.strip_prefix("\"resolved\": \""));
    source.is_some_and(|source| !REGISTRIES.iter().any(|public| source.starts_with(public)))
}

#[cfg(test)]
mod tests {
    use super::{FOLDERS, check};
    use crate::tidy::tree::Tree;

    #[test]
    fn a_folder_of_somebodys_machine_is_found() {
        for folder in FOLDERS {
            let text = format!("cd {folder}furka\n");
            assert_eq!(
                check(&Tree::of(&[("docs/a.md", &text)])).len(),
                1,
                "{folder}"
            );
            let inner = format!("see docs{folder}furka\n");
            assert_eq!(check(&Tree::of(&[("docs/a.md", &inner)])), [], "{folder}");
        }
    }

    #[test]
    fn a_private_registry_is_found() {
        let lock = "source = \"registry+https://mirror.example/index\"\n\
                    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        assert_eq!(check(&Tree::of(&[("Cargo.lock", lock)])).len(), 1);
        let npm = "  \"resolved\": \"https://mirror.example/a.tgz\",\n";
        assert_eq!(check(&Tree::of(&[("e2e/package-lock.json", npm)])).len(), 1);
        let settings = "[registries.ours]\nindex = \"x\"\n";
        assert_eq!(
            check(&Tree::of(&[(".cargo/config.toml", settings)])).len(),
            1
        );
    }
}
