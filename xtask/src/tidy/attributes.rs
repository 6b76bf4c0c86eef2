//! Marks that would switch a check off: `allow` is never used, `ignore` names its issue.

use super::Finding;
use super::tree::{File, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .flat_map(|(file, source)| {
            let raw: Vec<&str> = file.text.lines().collect();
            let lines = (1..).zip(source.code.iter().zip(raw));
            lines
                .flat_map(|(line, (code, raw))| of_line(file, line, code, raw))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn of_line(file: &File, line: usize, code: &str, raw: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    if code.contains("#[allow(") || code.contains("#![allow(") {
        let cure = "mend the cause, or use `#[expect(…, reason = \"…\")]`, which ends with it";
        found.push(Finding::new(
            &file.path,
            line,
            format!("`allow` hides for ever: {cure}"),
        ));
    }
    if code.contains("#[ignore") && !names_an_issue(raw) {
        let cure = "write `#[ignore = \"#123\"]` with the issue that will mend it";
        found.push(Finding::new(
            &file.path,
            line,
            format!("an ignored test without issue: {cure}"),
        ));
    }
    found
}

/// Whether a line has `#` and a number.
pub(crate) fn names_an_issue(line: &str) -> bool {
    line.split('#')
        .skip(1)
        .any(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn allow_and_bare_ignore_are_found() {
        let text = "#![allow(dead_code)]\n#[allow(unused)]\n#[ignore]\n#[ignore = \"later\"]\n";
        let lines: Vec<usize> = check(&Tree::of(&[("a.rs", text)]))
            .into_iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [1, 2, 3, 4]);
    }

    #[test]
    fn expect_and_an_ignore_with_its_issue_may_stay() {
        let text =
            "#[expect(unused, reason = \"…\")]\n#[ignore = \"#12\"]\nlet s = \"#[allow(x)]\";\n";
        assert_eq!(check(&Tree::of(&[("a.rs", text)])), []);
    }
}
