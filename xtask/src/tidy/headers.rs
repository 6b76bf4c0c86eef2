//! Every source begins by saying what it is.

use super::Finding;
use super::tree::Tree;

const SENTENCE: &str =
    "begins without saying what it is: let its first line be a sentence after `//!`";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let silent = tree.rust().filter(|(file, _)| {
        let first = file.text.lines().next().unwrap_or_default();
        first
            .strip_prefix("//! ")
            .is_none_or(|sentence| sentence.trim().is_empty())
    });
    silent
        .map(|(file, _)| Finding::new(&file.path, 1, SENTENCE))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn a_source_without_a_sentence_is_found() {
        let tree = Tree::of(&[
            ("crates/a/src/good.rs", "//! What comes first.\n"),
            ("crates/a/src/empty.rs", "//!\nfn a() {}\n"),
            ("crates/a/src/bad.rs", "use std::fmt;\n//! Too late.\n"),
            ("crates/a/src/notes.txt", "no source\n"),
        ]);
        let paths: Vec<String> = check(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(paths, ["crates/a/src/bad.rs", "crates/a/src/empty.rs"]);
    }
}
