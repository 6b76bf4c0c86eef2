//! The table of all requirements, made from the lists, the code and the tests: what became of each sentence,
//! where it is kept, and which test says so.
//!
//! Lines move with every edit of a file, so the rule compares all but their numbers; `cargo xtask gen` writes
//! these, too.

use super::requirements::{GUIDE, Requirement, State, beside_code, plain, read};
use super::tree::{File, Tree};
use super::{Finding, rust::Source};

/// Where it stands.
pub(crate) const TABLE: &str = "docs/requirements/README.md";
const FOLDER: &str = "docs/requirements/";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let written = tree.file(TABLE).map(|file| without_lines(&file.text));
    match written == Some(without_lines(&render(tree))) {
        true => Vec::new(),
        false => vec![Finding::new(
            TABLE,
            0,
            "the table is not what the lists, the code and the tests say: `cargo xtask gen` writes it anew",
        )],
    }
}

/// The text without the number of any line: `a.rs:12` in backticks becomes `a.rs:`.
fn without_lines(text: &str) -> String {
    let mut pieces = text.split(':');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|letter: char| letter.is_ascii_digit());
        out.push(':');
        out.push_str(if rest.starts_with('`') { rest } else { piece });
    }
    out
}

/// The whole document.
pub(crate) fn render(tree: &Tree) -> String {
    let (code, tests) = (prose(tree, false), prose(tree, true));
    let mut counts = String::new();
    let mut chapters = String::new();
    let mut sums = [0; 3];
    for list in tree
        .under(FOLDER)
        .filter(|file| file.path.ends_with(".toml"))
    {
        let (requirements, _) = read(list);
        let (title, name) = (title(list), name(list));
        let count = counted(&requirements);
        counts.push_str(&format!(
            "| [{title}](#{name}) | {} | {} | {} |\n",
            count[0], count[1], count[2]
        ));
        for (sum, one) in sums.iter_mut().zip(count) {
            *sum += one;
        }
        chapters.push_str(&format!("\n## {name}\n\n{title}\n\n{HEAD}"));
        for one in &requirements {
            let needle = Needle::of(list, one);
            chapters.push_str(&row(one, &needle, (&code, &tests)));
        }
    }
    let [kept, excepted, todo] = sums;
    format!(
        "{INTRODUCTION}\n| standard | kept | excepted | to do |\n|---|---|---|---|\n{counts}| **all** | **{kept}** | **{excepted}** | **{todo}** |\n{chapters}"
    )
}

const INTRODUCTION: &str = "\
# What binds the provider, and what became of it

Made by `cargo xtask gen` from the lists in this folder, the code and the tests; `cargo xtask tidy` says when it is stale.

Each sentence of a standard that binds the provider is in a list. A **kept** one is quoted, word for word, where the code
keeps it and in a test that fails if it does not; the sentences of the guide are cited by number. An **excepted** one has a
reason. The line numbers are those of the last time this was made.
";

const HEAD: &str = "| id | sentence | state | where, or why not | test |\n|---|---|---|---|---|\n";

/// What stands for a requirement in comments.
enum Needle {
    /// Its words.
    Quote(String),
    /// Its number in the guide.
    Number(String),
}

impl Needle {
    fn of(list: &File, one: &Requirement) -> Self {
        match list.path == GUIDE {
            true => Self::Number(one.id.clone()),
            false => Self::Quote(plain(&one.quote)),
        }
    }

    /// Where it begins in a text.
    fn find(&self, text: &str) -> Option<usize> {
        match self {
            Self::Quote(quote) => text.find(quote),
            Self::Number(number) => {
                let mut cited = text
                    .match_indices("[Guide ")
                    .map(|(at, mark)| (at, at + mark.len()));
                let found = cited.find(|(_, from)| {
                    let inside = text.get(*from..).and_then(|rest| rest.split(']').next());
                    let mut numbers = inside.unwrap_or_default().split(',');
                    numbers.any(|one| one.trim().trim_matches('\u{a7}').trim() == number)
                });
                found.map(|(at, _)| at)
            }
        }
    }
}

/// Everything that the comments of a file say, and where each piece of it stands.
struct Prose<'t> {
    file: &'t File,
    text: String,
    /// From which byte on which line.
    lines: Vec<(usize, usize)>,
}

impl<'t> Prose<'t> {
    fn of(file: &'t File, pieces: impl Iterator<Item = (usize, &'t str)>) -> Self {
        let (mut text, mut lines) = (String::new(), Vec::new());
        for (line, piece) in pieces {
            lines.push((text.len(), line));
            text.push_str(&plain(piece));
            text.push(' ');
        }
        // Pieces without words leave a gap that quotations do not have.
        match text.contains("  ") {
            true => Self::without_gaps(file, text, lines),
            false => Self { file, text, lines },
        }
    }

    fn without_gaps(file: &'t File, text: String, lines: Vec<(usize, usize)>) -> Self {
        let (mut packed, mut moved) = (String::new(), Vec::new());
        let mut ends = lines.iter().skip(1).map(|(at, _)| *at).collect::<Vec<_>>();
        ends.push(text.len());
        for ((from, line), to) in lines.into_iter().zip(ends) {
            let piece = text.get(from..to).unwrap_or_default();
            if !piece.trim().is_empty() {
                moved.push((packed.len(), line));
                packed.push_str(piece);
            }
        }
        Self {
            file,
            text: packed,
            lines: moved,
        }
    }

    /// The line on which something begins.
    fn line(&self, needle: &Needle) -> Option<usize> {
        let at = needle.find(&self.text)?;
        let before = self.lines.iter().take_while(|(from, _)| *from <= at);
        before.last().map(|(_, line)| *line)
    }
}

/// The comments of code or of tests, by file; for code also what other files say.
fn prose(tree: &Tree, of_tests: bool) -> Vec<Prose<'_>> {
    let mut all = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| file.room() != "xtask") {
        let pieces = source.comments.iter();
        let pieces = pieces.filter(|piece| source.is_test(piece.line) == of_tests);
        all.push(Prose::of(
            file,
            pieces.map(|piece| (piece.line, &*piece.text)),
        ));
    }
    if !of_tests {
        for file in beside_code(tree) {
            let lines = file.lines();
            let lines = lines.map(|(line, text)| (line, text.trim_start_matches(['#', '-', ' '])));
            all.push(Prose::of(file, lines));
        }
    }
    all
}

fn counted(requirements: &[Requirement]) -> [usize; 3] {
    [State::Kept, State::Excepted, State::Todo]
        .map(|state| requirements.iter().filter(|one| one.state == state).count())
}

fn row(one: &Requirement, needle: &Needle, (code, tests): (&[Prose<'_>], &[Prose<'_>])) -> String {
    let (state, place, test) = match one.state {
        State::Excepted => ("excepted", cell(&one.reason), String::new()),
        State::Todo => ("to do", String::new(), String::new()),
        State::Kept => {
            let found = |all: &[Prose<'_>]| {
                let mut places = all
                    .iter()
                    .filter_map(|one| Some((one.file.path.clone(), one.line(needle)?)));
                places.next()
            };
            let place = found(code).map(|(path, line)| format!("`{path}:{line}`"));
            let test = tests.iter().find_map(|one| {
                let line = one.line(needle)?;
                Some(test_at(one.file, line))
            });
            ("kept", place.unwrap_or_default(), test.unwrap_or_default())
        }
    };
    let (id, sentence) = (&one.id, cell(&one.quote));
    format!("| {id} | {sentence} | {state} | {place} | {test} |\n")
}

/// The test that a comment belongs to, by name, and its file.
fn test_at(file: &File, line: usize) -> String {
    let name = file
        .rust
        .as_ref()
        .and_then(|source| function_at(source, line));
    let path = &file.path;
    match name {
        Some(name) => format!("{name}, `{path}:{line}`"),
        None => format!("`{path}:{line}`"),
    }
}

/// The function below a comment, or else the one around it.
fn function_at(source: &Source, line: usize) -> Option<String> {
    let name = |code: &str| {
        let (before, rest) = code.split_once("fn ")?;
        let is_item = before.is_empty() || before.ends_with(' ');
        let end = rest.find(|letter: char| !super::rust::is_word(letter))?;
        let name = rest.get(..end).filter(|name| !name.is_empty())?;
        is_item.then(|| name.to_owned())
    };
    let below = source
        .code
        .iter()
        .skip(line.saturating_sub(1))
        .find(|code| {
            let code = code.trim();
            !code.is_empty() && !code.starts_with("#[")
        });
    let around = || {
        source
            .code
            .iter()
            .take(line)
            .rev()
            .find_map(|code| name(code))
    };
    below.and_then(|code| name(code)).or_else(around)
}

/// What a list is about: its first line says it.
fn title(list: &File) -> String {
    let first = list.text.lines().next().unwrap_or_default();
    let first = first.trim_start_matches('#').trim();
    let title = match first.strip_prefix("Sentences of ") {
        Some(rest) => rest.split(" that bind").next().unwrap_or(rest),
        None => "The guide of the canton",
    };
    cell(title)
}

/// The list's name, which is also its anchor.
fn name(list: &File) -> &str {
    let name = list.path.strip_prefix(FOLDER).unwrap_or(&list.path);
    name.strip_suffix(".toml").unwrap_or(name)
}

/// Text that a table of Markdown shows as it is.
fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .join(" ")
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('*', "\\*")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# Sentences of RFC 6238 that bind the provider: kept or excepted.\n\n\
        [[requirement]]\nid = \"6238-5.2\"\nquote = \"MUST NOT accept <x>\"\nstate = \"kept\"\n\n\
        [[requirement]]\nid = \"6238-6\"\nquote = \"MAY a|b\"\nstate = \"excepted\"\nreason = \"no need\"\n";
    const CODE: &str = "//! What.\n\n// [RFC 6238 \u{a7}5.2] \"MUST NOT\n//\n// accept <x>\"\nfn a() {}\n\
        #[cfg(test)]\nmod tests {\n    /// \"MUST NOT accept <x>\"\n    #[test]\n    fn a_code_works_once() {\n    }\n}\n";

    fn tree(table: &str) -> Tree {
        Tree::of(&[
            ("docs/requirements/rfc6238.toml", LIST),
            (TABLE, table),
            ("crates/journey/src/totp.rs", CODE),
        ])
    }

    #[test]
    fn each_sentence_has_its_place_and_its_test() {
        let table = render(&tree(""));
        let kept = "| 6238-5.2 | MUST NOT accept &lt;x> | kept | `crates/journey/src/totp.rs:3` | \
                    a_code_works_once, `crates/journey/src/totp.rs:9` |";
        assert!(table.contains(kept), "{table}");
        assert!(
            table.contains("| 6238-6 | MAY a\\|b | excepted | no need |  |"),
            "{table}"
        );
        assert!(
            table.contains("| [RFC 6238](#rfc6238) | 1 | 1 | 0 |"),
            "{table}"
        );
        assert!(
            table.contains("| **all** | **1** | **1** | **0** |"),
            "{table}"
        );
    }

    #[test]
    fn a_stale_table_is_found_and_a_moved_line_is_none() {
        let table = render(&tree(""));
        assert_eq!(check(&tree(&table)), []);
        assert_eq!(check(&tree(&table.replace("totp.rs:3", "totp.rs:30"))), []);
        assert_eq!(
            check(&tree(&table.replace("| kept |", "| excepted |"))).len(),
            1
        );
        assert_eq!(check(&tree("")).len(), 1);
    }

    #[test]
    fn a_sentence_of_the_guide_is_found_by_its_number() {
        let needle = Needle::Number("3.2".to_owned());
        assert_eq!(needle.find("a [Guide 13.2] b [Guide 3.1, 3.2] c"), Some(17));
        assert_eq!(needle.find("[Guide 3.21]"), None);
    }

    #[test]
    fn a_comment_inside_a_test_belongs_to_the_test_around_it() {
        let source = Source::read(
            "crates/a/tests/it/b.rs",
            "fn one() {\n    // why\n    let a = 1;\n}\n",
        );
        assert_eq!(function_at(&source, 2).as_deref(), Some("one"));
    }
}
