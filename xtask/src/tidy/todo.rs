//! What is left to do stands in an issue; a mark in a file names it.

use super::Finding;
use super::attributes::names_an_issue;
use super::rust::find_word;
use super::tree::Tree;

/// Texts that are read as lines; Rust is read by its comments.
const SUFFIXES: [&str; 6] = [".css", ".ftl", ".html", ".sh", ".sql", ".toml"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let in_comments = tree.rust().flat_map(|(file, source)| {
        source
            .comments
            .iter()
            .map(|piece| (file.path.as_str(), piece.line, piece.text.as_str()))
    });
    let plain = tree
        .files()
        .filter(|file| SUFFIXES.iter().any(|end| file.path.ends_with(end)));
    let in_lines = plain.flat_map(|file| {
        file.lines()
            .map(|(line, text)| (file.path.as_str(), line, text))
    });
    in_comments
        .chain(in_lines)
        .filter(|(_, _, text)| is_mark(text) && !names_an_issue(text))
        .map(|(path, line, _)| {
            let cure = "file an issue and name it here as `#123`, or do it";
            Finding::new(path, line, format!("work left without an issue: {cure}"))
        })
        .collect()
}

fn is_mark(text: &str) -> bool {
    ["TODO", "FIXME", "XXX"]
        .iter()
        .any(|mark| find_word(text, mark).is_some())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn work_left_without_an_issue_is_found() {
        let tree = Tree::of(&[
            (
                "a.rs",
                "// TODO: later\n// TODO(#12): then\nlet TODO = 1;\n",
            ),
            ("locales/fr/a.ftl", "# FIXME\n"),
        ]);
        let places: Vec<String> = check(&tree)
            .iter()
            .map(|finding| format!("{}:{}", finding.path, finding.line))
            .collect();
        assert_eq!(places, ["a.rs:1", "locales/fr/a.ftl:1"]);
    }
}
