//! Long files say why they are one thing; long test modules get a file of their own.

use super::Finding;
use super::rust::Source;
use super::tree::{File, Tree};

const CODE_LINES_MAX: usize = 600;
const INLINE_TEST_LINES_MAX: usize = 200;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .flat_map(|(file, source)| of_file(file, source))
        .collect()
}

fn of_file(file: &File, source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let lines = source
        .code
        .iter()
        .filter(|line| !line.trim().is_empty())
        .count();
    if lines > CODE_LINES_MAX && !file.text.lines().any(says_why) {
        found.push(Finding::new(
            &file.path,
            1,
            format!(
                "{lines} lines of code, over {CODE_LINES_MAX}: cut it where it is two things, or say \
                 in its header after `One thing:` why it is one"
            ),
        ));
    }
    for range in source.inline_tests() {
        let lines = range.end() - range.start() + 1;
        if lines > INLINE_TEST_LINES_MAX {
            found.push(Finding::new(
                &file.path,
                *range.start(),
                format!(
                    "a test module of {lines} lines, over {INLINE_TEST_LINES_MAX}: move it to \
                     `{}/tests.rs`",
                    file.path.trim_end_matches(".rs").trim_end_matches("/mod")
                ),
            ));
        }
    }
    found
}

fn says_why(line: &str) -> bool {
    line.starts_with("//!") && line.contains("One thing:")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn a_long_file_needs_a_reason() {
        let long = "let a = 1;\n".repeat(601);
        let excused = format!("//! A table. One thing: all rows are read together.\n{long}");
        let tree = Tree::of(&[("a/src/long.rs", &long), ("a/src/table.rs", &excused)]);
        let found = check(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "a/src/long.rs");
    }

    #[test]
    fn comments_and_empty_lines_are_no_code() {
        let text = format!("{}let a = 1;\n", "// why\n\n".repeat(700));
        assert_eq!(check(&Tree::of(&[("a/src/talk.rs", &text)])), []);
    }

    #[test]
    fn a_long_test_module_is_sent_to_its_own_file() {
        let text = format!(
            "#[cfg(test)]\nmod tests {{\n{}}}\n",
            "    let a = 1;\n".repeat(198)
        );
        let found = check(&Tree::of(&[("a/src/login.rs", &text)]));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].sentence.ends_with("`a/src/login/tests.rs`"),
            "{}",
            found[0]
        );
    }
}
