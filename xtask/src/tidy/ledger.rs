//! Lists of sins may only shrink: how many are left stands in a file that each review sees.

use super::Finding;
use super::tree::Tree;

/// Compares what is left with the number in a file.
pub(crate) fn compare(tree: &Tree, path: &str, left: usize, what: &str) -> Option<Finding> {
    let written = tree
        .file(path)
        .and_then(|file| file.text.trim().parse::<usize>().ok());
    let Some(written) = written else {
        return Some(Finding::new(
            path,
            0,
            format!("write the number of {what} here: {left}"),
        ));
    };
    match left.cmp(&written) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Less => Some(Finding::new(
            path,
            1,
            format!("fewer {what} than before: write {left} here"),
        )),
        std::cmp::Ordering::Greater => Some(Finding::new(
            path,
            1,
            format!("{left} {what}, but only {written} were left: the number may only fall"),
        )),
    }
}

/// The rows of a Markdown table whose first cell passes: line, and cells without their spaces.
pub(crate) fn rows(text: &str, first: impl Fn(&str) -> bool) -> Vec<(usize, Vec<&str>)> {
    let lines = (1..)
        .zip(text.lines())
        .filter(|(_, line)| line.starts_with('|'));
    let rows = lines.map(|(number, line)| {
        let inside = line.trim().trim_start_matches('|').trim_end_matches('|');
        (number, inside.split('|').map(str::trim).collect::<Vec<_>>())
    });
    rows.filter(|(_, cells)| cells.first().is_some_and(|cell| first(cell)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{compare, rows};
    use crate::tidy::tree::Tree;

    #[test]
    fn a_count_may_only_fall_and_a_fall_is_written_down() {
        let tree = Tree::of(&[("docs/left.txt", "3\n")]);
        let sentence =
            |left| compare(&tree, "docs/left.txt", left, "sins").map(|found| found.sentence);
        assert_eq!(sentence(3), None);
        assert_eq!(sentence(2).unwrap(), "fewer sins than before: write 2 here");
        assert!(sentence(4).unwrap().contains("may only fall"));
        assert!(compare(&tree, "docs/missing.txt", 0, "sins").is_some());
    }

    #[test]
    fn rows_are_read_from_a_table() {
        let text = "| id | state |\n|---|---|\n| A01 | kept |\n";
        assert_eq!(rows(text, |cell| cell == "A01"), [(3, vec!["A01", "kept"])]);
    }
}
