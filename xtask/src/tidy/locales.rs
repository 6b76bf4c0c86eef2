//! Every language says everything: the same files, keys and variables in each.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::tree::{File, Tree};

const LANGUAGES: [&str; 3] = ["fr", "de", "en"];

/// A message: where it stands, and which variables it uses.
type Messages<'tree> = BTreeMap<String, (usize, BTreeSet<&'tree str>)>;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let names: BTreeSet<&str> = tree
        .under("locales/")
        .filter_map(|file| file.path.rsplit('/').next())
        .collect();
    let mut found = Vec::new();
    for name in names.into_iter().filter(|name| name.ends_with(".ftl")) {
        let files = LANGUAGES.map(|language| format!("locales/{language}/{name}"));
        for (path, messages) in files
            .iter()
            .filter_map(|path| Some((path, tree.file(path)?)))
        {
            for other in files.iter().filter(|other| *other != path) {
                match tree.file(other) {
                    Some(other) => found.extend(compare(messages, other)),
                    None => found.push(Finding::new(
                        path,
                        0,
                        format!("`{other}` is missing: add it"),
                    )),
                }
            }
        }
    }
    found
}

/// What one file says and the other does not, or says with other variables.
fn compare(here: &File, there: &File) -> Vec<Finding> {
    let (ours, theirs) = (messages(&here.text), messages(&there.text));
    let mut found = Vec::new();
    for (key, (line, variables)) in &ours {
        let sentence = match theirs.get(key) {
            None => format!("`{key}` is not in `{}`: say it there too", there.path),
            Some((_, others)) if !variables.is_subset(others) => {
                format!(
                    "`{key}` uses a variable that `{}` does not: use the same",
                    there.path
                )
            }
            Some(_) => continue,
        };
        found.push(Finding::new(&here.path, *line, sentence));
    }
    found
}

/// The messages of a Fluent file: `key`, and `key.attribute` for each attribute.
fn messages(text: &str) -> Messages<'_> {
    let mut all = Messages::new();
    let mut message = String::new();
    let mut key = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let indented = line.starts_with(' ');
        let name = line
            .trim_start()
            .split_once('=')
            .map(|(name, _)| name.trim());
        let name = name.filter(|name| is_key(name, indented) && !line.starts_with('#'));
        match name {
            Some(name) if indented => key = format!("{message}{name}"),
            Some(name) => {
                message = name.to_owned();
                key.clone_from(&message);
            }
            None => {}
        }
        if !key.is_empty() && !line.starts_with('#') {
            let (_, variables) = all.entry(key.clone()).or_insert((number, BTreeSet::new()));
            variables.extend(names_after_dollar(line));
        }
    }
    all
}

/// Whether a name may be a message (at the margin) or an attribute (indented, with its dot).
fn is_key(name: &str, indented: bool) -> bool {
    let name = match indented {
        true => name.strip_prefix('.').unwrap_or_default(),
        false => name.strip_prefix('-').unwrap_or(name),
    };
    let first = name
        .chars()
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic());
    first
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
}

fn names_after_dollar(line: &str) -> impl Iterator<Item = &str> {
    let is_end = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == '-');
    line.split('$')
        .skip(1)
        .filter_map(move |rest| rest.split(is_end).next())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn found(fr: &str, de: &str, en: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("locales/fr/login.ftl", fr),
            ("locales/de/login.ftl", de),
            ("locales/en/login.ftl", en),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_message_missing_in_one_language_is_found() {
        let found = found("a = A\nb = B\n", "a = A\n", "a = A\nb = B\n");
        assert_eq!(found.len(), 2);
        assert!(
            found[0].contains("`b` is not in `locales/de/login.ftl`"),
            "{found:?}"
        );
    }

    #[test]
    fn attributes_and_variables_are_compared_too() {
        let full = "a = Bonjour { $name }\n    .title = Titre\n";
        assert_eq!(found(full, full, full), [""; 0]);
        assert_eq!(found(full, full, "a = Hello { $name }\n").len(), 2);
        assert_eq!(
            found(full, full, "a = Hello\n    .title = Title\n").len(),
            2
        );
    }

    #[test]
    fn text_with_an_equals_sign_is_no_message() {
        let fr = "a =\n    Le code = six chiffres\n    encore\n";
        assert_eq!(found(fr, "a = x\n", "a = y\n"), [""; 0]);
    }

    #[test]
    fn a_missing_file_is_found() {
        let tree = Tree::of(&[("locales/fr/login.ftl", "a = A\n")]);
        assert_eq!(check(&tree).len(), 2);
    }
}
