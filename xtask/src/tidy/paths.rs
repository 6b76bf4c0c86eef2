//! Documents that name things are checked: a path in backticks or behind a link exists.

use super::Finding;
use super::tree::{File, Tree};

/// Documents whose text is not ours, or tells of what is gone.
const NOT_CHECKED: [&str; 2] = ["CHANGELOG.md", "docs/guide/guide.md"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    documents(tree)
        .flat_map(|file| of_document(tree, file))
        .collect()
}

/// The documents that make claims about the tree.
pub(crate) fn documents(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files().filter(|file| {
        let place = !file.path.contains('/') || file.path.starts_with("docs/");
        place && file.path.ends_with(".md") && !NOT_CHECKED.contains(&file.path.as_str())
    })
}

/// The lines of a document that claim something: not those that say "not yet".
pub(crate) fn claims(file: &File) -> impl Iterator<Item = (usize, &str)> {
    file.lines()
        .filter(|(_, text)| !text.to_lowercase().contains("not yet"))
}

fn of_document(tree: &Tree, file: &File) -> Vec<Finding> {
    let mut found = Vec::new();
    for (line, text) in claims(file) {
        for path in quoted(text).filter(|path| !exists(tree, file, path)) {
            let cure = "name what is there, or say `not yet` on this line";
            found.push(Finding::new(
                &file.path,
                line,
                format!("there is no `{path}`: {cure}"),
            ));
        }
        for path in linked(text).filter(|path| !tree.has(&beside(&file.path, path))) {
            let cure = "link to what is there";
            found.push(Finding::new(
                &file.path,
                line,
                format!("the link to `{path}` is dead: {cure}"),
            ));
        }
    }
    found
}

/// The texts between backticks.
pub(crate) fn in_backticks(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// What stands in backticks and looks like a path of this checkout.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    in_backticks(line).filter(|text| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
        let is_name =
            text.chars().all(plain) && text.contains(|letter: char| letter.is_alphabetic());
        let is_file = [".md", ".rs"].iter().any(|end| text.ends_with(end));
        let is_path = text.contains('/') && !text.starts_with(['/', '.']);
        is_name && (is_file || is_path)
    })
}

/// The local targets of links and pictures.
fn linked(line: &str) -> impl Iterator<Item = &str> {
    let targets = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://") && !target.contains(' '))
}

/// A path may be written from the root, from the folder of crates, or as a bare file name; what
/// does not begin with a folder of ours (a media type, a time zone) is no path.
fn exists(tree: &Tree, file: &File, path: &str) -> bool {
    let Some((first, _)) = path.split_once('/') else {
        return tree.has_name(path);
    };
    let in_crates = format!("crates/{first}");
    let is_ours = tree.has(first) || tree.has(&in_crates);
    !is_ours
        || tree.has(path)
        || tree.has(&format!("crates/{path}"))
        || tree.has(&beside(&file.path, path))
}

/// A path as seen from the folder of a file.
fn beside(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn found(line: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("docs/operate/zones.md", line),
            ("docs/operate/install.md", ""),
            ("crates/journey/src/login.rs", ""),
        ]);
        check(&tree)
            .into_iter()
            .map(|finding| finding.sentence)
            .collect()
    }

    #[test]
    fn paths_that_exist_are_right_from_the_root_the_crates_or_by_name() {
        assert_eq!(
            found("`crates/journey/src/login.rs` `journey/src/login.rs` `login.rs`"),
            [""; 0]
        );
        assert_eq!(
            found("[install](install.md#tls) [x](../../crates/journey)"),
            [""; 0]
        );
        assert_eq!(
            found("`text/html` `Europe/Zurich` `/authorize` `a b/c` `sqlite:PATH`"),
            [""; 0]
        );
    }

    #[test]
    fn a_path_or_link_that_does_not_exist_is_found() {
        assert_eq!(found("see `journey/src/logout.rs`").len(), 1);
        assert_eq!(found("see `logout.rs` and `GONE.md`").len(), 2);
        assert_eq!(found("see [there](gone.md)").len(), 1);
    }

    #[test]
    fn what_is_not_yet_there_may_be_named_as_such() {
        assert_eq!(found("`journey/src/logout.rs` (not yet)"), [""; 0]);
    }
}
