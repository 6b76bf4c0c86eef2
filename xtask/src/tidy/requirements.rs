//! Binding sentences of standards: a kept one is quoted in code and in a test, word for word.
//!
//! Each file in `docs/requirements/` is a list of tables with `id`, `quote`, `state` and `reason`.
//! The guide's own file is read by its own rule, because its sentences are cited by number.

use toml::Table;

use super::Finding;
use super::ledger;
use super::tree::{File, Tree};

const FOLDER: &str = "docs/requirements/";
const TODO_COUNT: &str = "docs/requirements/todo-count.txt";
pub(crate) const GUIDE: &str = "docs/requirements/guide.toml";

/// One binding sentence.
#[derive(Debug)]
pub(crate) struct Requirement {
    pub(crate) line: usize,
    pub(crate) id: String,
    pub(crate) quote: String,
    /// Why it is not kept, if it is excepted.
    pub(crate) reason: String,
    pub(crate) state: State,
}

/// What became of a sentence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Not kept, on purpose, with a reason.
    Excepted,
    Kept,
    Todo,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let (code, tests) = (prose(tree, false), prose(tree, true));
    let mut found = Vec::new();
    let mut left = 0;
    for file in tree
        .under(FOLDER)
        .filter(|file| file.path.ends_with(".toml"))
    {
        let (requirements, wrong) = read(file);
        found.extend(wrong);
        left += requirements
            .iter()
            .filter(|one| one.state == State::Todo)
            .count();
        if file.path == GUIDE {
            continue;
        }
        for one in requirements.iter().filter(|one| one.state == State::Kept) {
            let quote = plain(&one.quote);
            for (place, text) in [("code", &code), ("a test", &tests)] {
                if !text.contains(&quote) {
                    let cure =
                        "quote the sentence there, word for word, or set its state to `todo`";
                    let sentence = format!("`{}` is not quoted in {place}: {cure}", one.id);
                    found.push(Finding::new(&file.path, one.line, sentence));
                }
            }
        }
    }
    found.extend(ledger::compare(
        tree,
        TODO_COUNT,
        left,
        "requirements still to be kept",
    ));
    found
}

/// The sentences of one file, and what is wrong with their form.
pub(crate) fn read(file: &File) -> (Vec<Requirement>, Vec<Finding>) {
    let table = match file.text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            return (
                Vec::new(),
                vec![Finding::new(&file.path, 0, error.message())],
            );
        }
    };
    let mut requirements = Vec::new();
    let mut found = Vec::new();
    let entries = table
        .values()
        .filter_map(|value| value.as_array())
        .flatten();
    for entry in entries.filter_map(|entry| entry.as_table()) {
        match requirement(file, entry) {
            Ok(one) => requirements.push(one),
            Err(finding) => found.push(finding),
        }
    }
    (requirements, found)
}

fn requirement(file: &File, entry: &Table) -> Result<Requirement, Finding> {
    let text = |key: &str| {
        entry
            .get(key)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
    };
    let id = text("id");
    let marked = format!("\"{id}\"");
    let mut lines = file.lines().filter(|(_, line)| line.contains(&marked));
    let line = lines.next().map_or(0, |(number, _)| number);
    let wrong = |sentence: &str| Err(Finding::new(&file.path, line, format!("`{id}` {sentence}")));
    let state = match text("state") {
        "kept" => State::Kept,
        "excepted" => State::Excepted,
        "todo" => State::Todo,
        _ => return wrong("has no state: write `kept`, `excepted` or `todo`"),
    };
    if id.is_empty() || text("quote").is_empty() {
        return wrong("has no `id` or no `quote`: write both");
    }
    if state == State::Excepted && text("reason").trim().is_empty() {
        return wrong("is excepted without a reason: write why it does not bind us");
    }
    Ok(Requirement {
        line,
        id: id.to_owned(),
        quote: text("quote").to_owned(),
        reason: text("reason").to_owned(),
        state,
    })
}

/// Everything that comments say, of code or of tests, and for code also what other files say.
fn prose(tree: &Tree, of_tests: bool) -> String {
    let mut text = String::new();
    for (_, source) in tree.rust().filter(|(file, _)| file.room() != "xtask") {
        text.push_str(&plain(&source.prose(of_tests)));
        text.push(' ');
    }
    if !of_tests {
        for file in beside_code(tree) {
            text.push_str(&plain(&file.text));
            text.push(' ');
        }
    }
    text
}

/// Files that keep a requirement without being Rust: pages, messages, tables, presets.
pub(crate) fn beside_code(tree: &Tree) -> impl Iterator<Item = &File> {
    let kinds = [".ftl", ".html", ".sql", ".toml"];
    let places = ["crates/", "locales/", "migrations/", "pages/"];
    tree.files().filter(move |file| {
        kinds.iter().any(|kind| file.path.ends_with(kind))
            && places.iter().any(|place| file.path.starts_with(place))
    })
}

/// A text with one space between words and typewriter quotes, so that quotations can be compared.
pub(crate) fn plain(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words
        .replace(['“', '”', '„'], "\"")
        .replace(['’', '‘'], "'")
        .replace("\\\"", "\"")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    const ENTRY: &str = "[[requirement]]\nid = \"6238-5.2\"\nquote = \"MUST NOT accept\"\n";
    const CODE: &str = "// [RFC 6238 §5.2] \"MUST NOT\n// accept\"\nfn a() {}\n";

    fn sentences(state: &str, code: &str, left: &str) -> Vec<String> {
        let entry = format!("{ENTRY}{state}\n");
        let tree = Tree::of(&[
            ("docs/requirements/rfc6238.toml", &entry),
            ("docs/requirements/todo-count.txt", left),
            ("crates/journey/src/totp.rs", code),
        ]);
        check(&tree)
            .into_iter()
            .map(|finding| finding.sentence)
            .collect()
    }

    #[test]
    fn a_kept_sentence_must_be_quoted_in_a_test_too() {
        let found = sentences("state = \"kept\"", CODE, "0");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("not quoted in a test"), "{found:?}");
    }

    #[test]
    fn a_sentence_quoted_over_two_lines_in_both_places_is_kept() {
        let code = format!("{CODE}#[cfg(test)]\nmod tests {{\n{CODE}}}\n");
        assert_eq!(sentences("state = \"kept\"", &code, "0"), [""; 0]);
    }

    #[test]
    fn an_exception_needs_its_reason() {
        assert_eq!(sentences("state = \"excepted\"", CODE, "0").len(), 1);
        assert_eq!(
            sentences("state = \"excepted\"\nreason = \"no SMS\"", CODE, "0"),
            [""; 0]
        );
    }

    #[test]
    fn what_is_left_may_only_fall() {
        assert_eq!(sentences("state = \"todo\"", CODE, "1"), [""; 0]);
        assert_eq!(sentences("state = \"todo\"", CODE, "0").len(), 1);
        assert_eq!(sentences("state = \"done\"", CODE, "0").len(), 1);
    }
}
