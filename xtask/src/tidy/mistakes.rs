//! Other people's vulnerabilities: each row of the table names tests that exist.

use std::collections::BTreeSet;

use super::Finding;
use super::attributes::names_an_issue;
use super::ledger;
use super::tree::Tree;

const TABLE: &str = "docs/past-mistakes.md";
const OPEN_COUNT: &str = "docs/past-mistakes-open.txt";

/// The attack classes that this product promises to have studied.
const LAST_ROW: u8 = 84;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(TABLE) else {
        return vec![Finding::new(
            TABLE,
            0,
            "the table of past mistakes is missing: write it",
        )];
    };
    let tests = test_names(tree);
    let mut found = Vec::new();
    let mut missing: BTreeSet<u8> = (1..=LAST_ROW).collect();
    let mut open = 0;
    for (line, cells) in ledger::rows(&file.text, |cell| cell.parse::<u8>().is_ok()) {
        let cell = cells.last().copied().unwrap_or_default();
        missing.retain(|number| {
            cells
                .first()
                .is_some_and(|first| *first != number.to_string())
        });
        if cell == "?" {
            open += 1;
        } else if cell.starts_with('—') {
            if !names_an_issue(cell) && !cell.contains("no such feature") {
                let sentence = "a row without test and without reason: write `— later #123`, or \
                                `— no such feature`";
                found.push(Finding::new(TABLE, line, sentence));
            }
        } else {
            let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
            if names.is_empty() {
                let sentence = "a row without test: name it in backticks, or write `?`";
                found.push(Finding::new(TABLE, line, sentence));
            }
            for name in names.into_iter().filter(|name| !tests.contains(*name)) {
                let sentence =
                    format!("there is no test `{name}`: name one that exists, or write `?`");
                found.push(Finding::new(TABLE, line, sentence));
            }
        }
    }
    found.extend(missing.into_iter().map(|number| {
        Finding::new(
            TABLE,
            0,
            format!("row {number} is missing: every class studied has a row"),
        )
    }));
    found.extend(ledger::compare(
        tree,
        OPEN_COUNT,
        open,
        "past mistakes without a test",
    ));
    found
}

/// The names of all functions that stand in tests.
fn test_names(tree: &Tree) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (_, source) in tree.rust() {
        let lines = (1..)
            .zip(&source.code)
            .filter(|(line, _)| source.is_test(*line));
        for (_, code) in lines {
            let name = code
                .trim_start()
                .trim_start_matches("async ")
                .strip_prefix("fn ");
            names.extend(name.and_then(|rest| rest.split(['(', '<']).next()));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{LAST_ROW, check};
    use crate::tidy::tree::Tree;

    fn with_first_row(cell: &str, open: &str) -> Vec<String> {
        let mut table = format!(
            "| # | what broke | rule | test |\n|---|---|---|---|\n| 1 | a | b | {cell} |\n"
        );
        for number in 2..=LAST_ROW {
            table.push_str(&format!("| {number} | a | b | — later #4 |\n"));
        }
        let tree = Tree::of(&[
            ("docs/past-mistakes.md", &table),
            ("docs/past-mistakes-open.txt", open),
            (
                "crates/a/src/b/tests.rs",
                "#[tokio::test]\nasync fn a_code_is_spent_once() {}\n",
            ),
        ]);
        check(&tree)
            .into_iter()
            .map(|finding| finding.sentence)
            .collect()
    }

    #[test]
    fn a_row_that_names_a_test_that_exists_is_right() {
        assert_eq!(with_first_row("`a_code_is_spent_once`", "0"), [""; 0]);
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        assert_eq!(with_first_row("`a_code_is_spent_twice`", "0").len(), 1);
        assert_eq!(with_first_row("tested somewhere", "0").len(), 1);
        assert_eq!(with_first_row("— later", "0").len(), 1);
    }

    #[test]
    fn open_rows_are_counted() {
        assert_eq!(with_first_row("?", "1"), [""; 0]);
        assert_eq!(with_first_row("?", "0").len(), 1);
    }

    #[test]
    fn a_missing_row_is_found() {
        let tree = Tree::of(&[
            ("docs/past-mistakes.md", ""),
            ("docs/past-mistakes-open.txt", "0"),
        ]);
        assert_eq!(check(&tree).len(), usize::from(LAST_ROW));
    }
}
