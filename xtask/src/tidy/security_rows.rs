//! The security rows that this product promises: each kept by a test that names it, or excused.

use std::collections::BTreeSet;

use super::Finding;
use super::attributes::names_an_issue;
use super::ledger;
use super::tree::Tree;

const TABLE: &str = "docs/security-rows.md";
const OPEN_COUNT: &str = "docs/security-rows-open.txt";

/// A letter and the numbers of its rows, from and to.
const PROMISED: [(char, u8, u8); 16] = [
    ('A', 1, 20),
    ('C', 1, 5),
    ('C', 7, 13),
    ('C', 15, 15),
    ('C', 19, 20),
    ('L', 1, 5),
    ('L', 9, 10),
    ('N', 1, 8),
    ('O', 1, 18),
    ('P', 1, 5),
    ('P', 7, 7),
    ('P', 10, 11),
    ('P', 13, 13),
    ('P', 15, 15),
    ('S', 1, 12),
    ('X', 1, 12),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(TABLE) else {
        return vec![Finding::new(
            TABLE,
            0,
            "the table of security rows is missing: write it",
        )];
    };
    let tested = tested(tree);
    let mut found = Vec::new();
    let mut missing = promised();
    let mut open = 0;
    for (line, cells) in ledger::rows(&file.text, is_id) {
        let (id, state, rest) = match cells.as_slice() {
            [id, state, rest @ ..] => (*id, *state, rest.join(" ")),
            _ => continue,
        };
        missing.remove(id);
        let sentence = match state {
            "kept" if !tested.contains(id) => {
                format!("`{id}` is said to be kept, but no test names `[{id}]` in its comment")
            }
            "later" | "partly" if !names_an_issue(&rest) => {
                format!("`{id}` is put off without an issue: write the reason and `#123`")
            }
            "open" if tested.contains(id) => {
                format!("`{id}` has a test that names it: write `kept` or `partly`")
            }
            "open" => {
                open += 1;
                continue;
            }
            "kept" | "later" | "partly" => continue,
            _ => format!("`{id}` has no state: write `kept`, `partly`, `later` or `open`"),
        };
        found.push(Finding::new(TABLE, line, sentence));
    }
    found.extend(missing.into_iter().map(|id| {
        Finding::new(
            TABLE,
            0,
            format!("row `{id}` is missing: add it with its state"),
        )
    }));
    found.extend(ledger::compare(
        tree,
        OPEN_COUNT,
        open,
        "open security rows",
    ));
    found
}

fn promised() -> BTreeSet<String> {
    let rows = PROMISED.into_iter().flat_map(|(letter, first, last)| {
        (first..=last).map(move |number| format!("{letter}{number:02}"))
    });
    rows.collect()
}

/// Every id that a comment in a test names in brackets.
fn tested(tree: &Tree) -> BTreeSet<String> {
    let comments = tree
        .rust()
        .filter(|(file, _)| file.room() != "xtask")
        .flat_map(|(_, source)| {
            source
                .comments
                .iter()
                .filter(|comment| source.is_test(comment.line))
        });
    let mut ids = BTreeSet::new();
    for comment in comments {
        for bracket in comment.text.split('[').skip(1) {
            let inside = bracket.split(']').next().unwrap_or_default();
            let names = inside.split([',', ' ']).filter(|name| is_id(name));
            ids.extend(names.map(str::to_owned));
        }
    }
    ids
}

fn is_id(text: &str) -> bool {
    let mut letters = text.chars();
    let family = letters
        .next()
        .is_some_and(|letter| "ACLNOPSWX".contains(letter));
    family && text.len() == 3 && letters.all(|letter| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{check, promised};
    use crate::tidy::tree::Tree;

    fn about(id: &str, row: &str, open: &str) -> Vec<String> {
        let mut table = String::from("| id | state | where | reason |\n|---|---|---|---|\n");
        for other in promised().iter().filter(|other| *other != id) {
            table.push_str(&format!("| {other} | later | | all of it is in #3 |\n"));
        }
        table.push_str(row);
        let tree = Tree::of(&[
            ("docs/security-rows.md", &table),
            ("docs/security-rows-open.txt", open),
            (
                "crates/journey/src/totp/tests.rs",
                "/// [O01, O03] Once.\nfn a_step_is_once() {}\n",
            ),
            (
                "crates/journey/src/totp.rs",
                "/// [O02] not in a test\nfn a() {}\n",
            ),
        ]);
        check(&tree)
            .into_iter()
            .map(|finding| finding.sentence)
            .collect()
    }

    #[test]
    fn a_row_is_kept_only_if_a_test_names_it() {
        assert_eq!(about("O01", "| O01 | kept | journey | |\n", "0"), [""; 0]);
        assert_eq!(about("O02", "| O02 | kept | journey | |\n", "0").len(), 1);
    }

    #[test]
    fn a_row_put_off_names_its_issue() {
        assert_eq!(
            about("O02", "| O02 | later | | needs PostgreSQL |\n", "0").len(),
            1
        );
        assert_eq!(
            about("O02", "| O02 | partly | here | nodes: #3 |\n", "0"),
            [""; 0]
        );
    }

    #[test]
    fn a_missing_row_and_an_unknown_state_are_found() {
        assert_eq!(about("O02", "", "0").len(), 1);
        assert_eq!(about("O02", "| O02 | done | | |\n", "0").len(), 1);
    }

    #[test]
    fn open_rows_are_counted_and_close_when_a_test_names_them() {
        assert_eq!(about("O02", "| O02 | open | | |\n", "1"), [""; 0]);
        assert_eq!(about("O02", "| O02 | open | | |\n", "0").len(), 1);
        assert_eq!(about("O03", "| O03 | open | | |\n", "0").len(), 1);
    }

    #[test]
    fn the_promise_has_its_known_size() {
        assert_eq!(promised().len(), 102);
    }
}
